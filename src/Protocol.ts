/**
 * The wire protocol: the events of the OpenAI Realtime API as schemas, and the codec.
 *
 * @since 0.1.0
 * @module
 */
export * from "./protocol/AudioBufferEvent.js"
export * from "./protocol/ClientEvent.js"
export * from "./protocol/Codec.js"
export * from "./protocol/ConversationEvent.js"
export * from "./protocol/Item.js"
export * from "./protocol/ItemParam.js"
export * from "./protocol/Response.js"
export * from "./protocol/ResponseEvent.js"
export * from "./protocol/ServerEvent.js"
export * from "./protocol/SessionConfig.js"
export * from "./protocol/SessionObject.js"
export * from "./protocol/Severity.js"
export * from "./protocol/ToolConfig.js"
export type { Violation } from "./protocol/Violation.js"
