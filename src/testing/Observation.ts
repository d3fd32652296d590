import type * as Exit from "effect/Exit"
import type { RefusedEvent } from "../embedded/Recorder.js"
import type { Ending } from "../embedded/ServerConnection.js"
import type { ServerItem } from "../embedded/ServerItem.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { SessionError } from "../SessionError.js"
import type { SessionEvent } from "../SessionEvent.js"
import type { Policy } from "../Tool.js"
import type { ToolError } from "../ToolError.js"
import type { Program } from "./Program.js"

/**
 * What happened in a moment, in the order in which it did. `atMs` counts from the beginning of the program; connections
 * are numbered from 1, with the handshakes that were refused.
 *
 * @since 0.1.0
 * @category observations
 */
export type Moment<E = unknown> = { readonly atMs: number } & (
  | { readonly _tag: "Step"; readonly index: number }
  /** The program is over, and what is under way comes to its end. */
  | { readonly _tag: "LeftAlone" }
  /** By the session. */
  | { readonly _tag: "Sent"; readonly connection: number; readonly event: ClientEvent }
  /** By the server. */
  | { readonly _tag: "Answered"; readonly connection: number; readonly event: { readonly [key: string]: unknown } }
  /** For the session this comes later, with `ConnectionLost`. */
  | { readonly _tag: "Disconnected"; readonly connection: number; readonly ending: Ending }
  | { readonly _tag: "Published"; readonly event: SessionEvent<E> }
)

/**
 * What a connection of the server looks like at the end.
 *
 * @since 0.1.0
 * @category observations
 */
export interface ConnectionRecord {
  readonly number: number
  readonly conversation: ReadonlyArray<ServerItem>
  /** What it accepted. */
  readonly outputs: ReadonlyArray<{ readonly callId: string; readonly output: string }>
  readonly refused: ReadonlyArray<RefusedEvent>
}

/**
 * A program that ran, from the session's start to its end.
 *
 * @since 0.1.0
 * @category observations
 */
export interface Observation<E = unknown> {
  readonly program: Program
  readonly timeline: ReadonlyArray<Moment<E>>
  /** Those that were opened, the oldest first. */
  readonly connections: ReadonlyArray<ConnectionRecord>
  /** What `session.await` ended with; nothing, where it did not end. */
  readonly exit: Exit.Exit<void, SessionError | ToolError<E>> | undefined
  /** Whether the session was there when nothing more was to come, with the server that has its last connection. */
  readonly survived: boolean
  /** Streams of the session that did not end with it. */
  readonly openStreams: ReadonlyArray<"events" | "errors" | "audio">
  /** What died that must not: commands of the application, or the program itself. */
  readonly defects: ReadonlyArray<string>
  readonly policyOf: (agent: string, tool: string) => Policy | undefined
}

/**
 * The events that the session published, in their order.
 *
 * @since 0.1.0
 * @category observations
 */
export const events = <E>({ timeline }: Observation<E>): ReadonlyArray<SessionEvent<E>> =>
  timeline.flatMap((moment) => (moment._tag === "Published" ? [moment.event] : []))

/** The item of an event that puts one into the conversation. */
export const createdItem = (event: ClientEvent) => (event.type === "conversation.item.create" ? event.item : undefined)

/** The output of a call that this event carries. */
export const outputOf = (event: ClientEvent): { readonly callId: string; readonly output: string } | undefined => {
  const item = createdItem(event)
  return item?.type === "function_call_output" ? { callId: item.call_id, output: item.output } : undefined
}
