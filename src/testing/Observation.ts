import type * as Exit from "effect/Exit"
import type { Conversation } from "../Conversation.js"
import type { RefusedEvent } from "../embedded/Recorder.js"
import type { Ending } from "../embedded/ServerConnection.js"
import type { ServerItem } from "../embedded/ServerItem.js"
import type { JournalRecord } from "../journal/Record.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { SessionError, SubscriberLagged } from "../SessionError.js"
import type { AudioChunk, SessionEvent } from "../SessionEvent.js"
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
  /** Audio that is to be heard was handed to `session.audio`. */
  | { readonly _tag: "Played"; readonly chunk: AudioChunk }
  /** The reader of `session.audio` got it. */
  | { readonly _tag: "Heard"; readonly chunk: AudioChunk }
  /** Somebody reads a stream of events, from here on or from the session's start. */
  | {
      readonly _tag: "Subscribed"
      readonly reader: number
      readonly of: "events" | "errors"
      readonly from: "start" | "now"
    }
  | { readonly _tag: "Read"; readonly reader: number; readonly event: SessionEvent<E> }
  /** The stream of this reader ended; with an error where it was told that it was too slow. */
  | { readonly _tag: "ReadingEnded"; readonly reader: number; readonly error: SubscriberLagged | undefined }
  /** Nothing more happens before time passes: what both sides have of the conversation, the server on this connection. */
  | {
      readonly _tag: "AtRest"
      readonly connection: number
      readonly mirror: Conversation
      readonly conversation: ReadonlyArray<ServerItem>
    }
  /** The journal has these records, behind those before or in their place. */
  | { readonly _tag: "Written"; readonly records: ReadonlyArray<JournalRecord>; readonly place: "behind" | "instead" }
  /** A command of the application failed, as its type says. */
  | { readonly _tag: "CommandFailed"; readonly error: { readonly _tag: string; readonly message: string } }
)

/** A moment that is about to be written down. */
export type NewMoment<E> = WithoutTime<Moment<E>>
type WithoutTime<M> = M extends unknown ? Omit<M, "atMs"> : never

/**
 * What a connection of the server looks like at the end.
 *
 * @since 0.1.0
 * @category observations
 */
export interface ConnectionRecord {
  readonly number: number
  readonly conversation: ReadonlyArray<ServerItem>
  /** What it heard of the user, by item: base64. */
  readonly userAudio: ReadonlyMap<string, string>
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
  /** Streams of the session that did not end with it, though their readers would have read on. */
  readonly openStreams: ReadonlyArray<string>
  /** What died that must not: commands of the application, or the program itself. */
  readonly defects: ReadonlyArray<string>
  readonly policyOf: (agent: string, tool: string) => Policy | undefined
  /** For how long the session asks again for what is refused for a reason that may pass. */
  readonly retryWithinMs: number
}

/**
 * What is known of a program before it runs.
 *
 * @since 0.1.0
 * @category observations
 */
export interface Scene extends Pick<Observation, "program" | "policyOf" | "retryWithinMs"> {}

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

export const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A field of what may be an object. */
export const field = (value: unknown, name: string): unknown => (isRecord(value) ? value[name] : undefined)

/** How the server tells the turns of the user apart, of a session as it shows it; nothing, in push-to-talk. */
export const turnDetectionOf = (session: unknown): { readonly [key: string]: unknown } | undefined => {
  const detection = field(field(field(session, "audio"), "input"), "turn_detection")
  return isRecord(detection) ? detection : undefined
}

/** The response that an event of the server names: also one that was never announced has begun with it. */
export const responseIdOf = (event: { readonly [key: string]: unknown }): string | undefined => {
  const { response, response_id } = event
  const id = isRecord(response) ? response["id"] : response_id
  return typeof id === "string" ? id : undefined
}

/** The event of the session's that the server says an error about. */
export const refusedEvent = (moment: Moment): string | undefined => {
  if (moment._tag !== "Answered" || moment.event["type"] !== "error") return undefined
  const error = moment.event["error"]
  const eventId = isRecord(error) ? error["event_id"] : undefined
  return typeof eventId === "string" ? eventId : undefined
}
