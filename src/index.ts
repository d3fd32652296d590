/**
 * Live voice agents on Effect: every tool call answered, every failure published.
 *
 * @since 0.1.0
 */
export * as Agent from "./Agent.js"
export * as Audio from "./Audio.js"
export * as Conversation from "./Conversation.js"
export * as EmbeddedRealtime from "./EmbeddedRealtime.js"
export * as Guardrail from "./Guardrail.js"
export * as Handoff from "./Handoff.js"
export * as HostedMcp from "./HostedMcp.js"
export * as JsonSchemaTool from "./JsonSchemaTool.js"
export * as OpenAiRealtime from "./OpenAiRealtime.js"
export * as Protocol from "./Protocol.js"
export * as RealtimeModel from "./RealtimeModel.js"
export * as ScriptedModel from "./ScriptedModel.js"
export * as Session from "./Session.js"
export * as SessionError from "./SessionError.js"
export * as SessionEvent from "./SessionEvent.js"
export * as SessionJournal from "./SessionJournal.js"
export * as Tool from "./Tool.js"
export * as ToolError from "./ToolError.js"
