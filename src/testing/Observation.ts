import type * as Exit from "effect/Exit"
import type { Conversation } from "../Conversation.js"
import type { RefusedEvent } from "../embedded/Recorder.js"
import type { Ending } from "../embedded/ServerConnection.js"
import type { ServerItem } from "../embedded/ServerItem.js"
import type { JournalRecord } from "../journal/Record.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { Traits } from "../RealtimeModel.js"
import type { SessionError, SubscriberLagged } from "../SessionError.js"
import type { AudioChunk, SessionEvent } from "../SessionEvent.js"
import type { Policy } from "../Tool.js"
import type { ToolError } from "../ToolError.js"
import type { Program } from "./Program.js"

/**
 * A moment of a program. Moments are in order. `atMs` counts from the beginning of the program. Connections are
 * numbered from 1, including refused handshakes.
 *
 * @since 0.1.0
 * @category observations
 */
export type Moment<E = unknown> = { readonly atMs: number } & (
  | { readonly _tag: "Step"; readonly index: number }
  /** All steps are done, and what is in progress comes to its end. */
  | { readonly _tag: "LeftAlone" }
  /** Sent by the session. */
  | { readonly _tag: "Sent"; readonly connection: number; readonly event: ClientEvent }
  /** Sent by the server. */
  | { readonly _tag: "Answered"; readonly connection: number; readonly event: { readonly [key: string]: unknown } }
  /** The session notices this later, with `ConnectionLost`. */
  | { readonly _tag: "Disconnected"; readonly connection: number; readonly ending: Ending }
  | { readonly _tag: "Published"; readonly event: SessionEvent<E> }
  /** Audio was passed to `session.audio`. */
  | { readonly _tag: "Played"; readonly chunk: AudioChunk }
  /** The reader of `session.audio` got the audio. */
  | { readonly _tag: "Heard"; readonly chunk: AudioChunk }
  /** Somebody reads a stream of events, from now on or from the session's start. */
  | {
      readonly _tag: "Subscribed"
      readonly reader: number
      readonly of: "events" | "errors"
      readonly from: "start" | "now"
    }
  | { readonly _tag: "Read"; readonly reader: number; readonly event: SessionEvent<E> }
  /** The stream of this reader ended, with an error if the reader was too slow. */
  | { readonly _tag: "ReadingEnded"; readonly reader: number; readonly error: SubscriberLagged | undefined }
  /** Nothing more happens until time passes: the conversation on both sides, for the server on this connection. */
  | {
      readonly _tag: "AtRest"
      readonly connection: number
      readonly mirror: Conversation
      readonly conversation: ReadonlyArray<ServerItem>
    }
  /** The journal has these records now: appended, or instead of the previous ones. */
  | { readonly _tag: "Written"; readonly records: ReadonlyArray<JournalRecord>; readonly place: "behind" | "instead" }
  /** A command of the application failed with a typed error. */
  | { readonly _tag: "CommandFailed"; readonly error: { readonly _tag: string; readonly message: string } }
)

/** A moment that is about to be recorded. */
export type NewMoment<E> = WithoutTime<Moment<E>>
type WithoutTime<M> = M extends unknown ? Omit<M, "atMs"> : never

/**
 * A connection as the server has it at the end.
 *
 * @since 0.1.0
 * @category observations
 */
export interface ConnectionRecord {
  readonly number: number
  readonly conversation: ReadonlyArray<ServerItem>
  /** The audio that it heard of the user, by item, in base64. */
  readonly userAudio: ReadonlyMap<string, string>
  /** The outputs that it accepted. */
  readonly outputs: ReadonlyArray<{ readonly callId: string; readonly output: string }>
  readonly refused: ReadonlyArray<RefusedEvent>
}

/**
 * A program after its run, from the session's start to its end.
 *
 * @since 0.1.0
 * @category observations
 */
export interface Observation<E = unknown> {
  readonly program: Program
  readonly timeline: ReadonlyArray<Moment<E>>
  /** The connections that were opened, the oldest first. */
  readonly connections: ReadonlyArray<ConnectionRecord>
  /** The result of `session.await`; absent if it did not end. */
  readonly exit: Exit.Exit<void, SessionError | ToolError<E>> | undefined
  /** Whether the session was still running at the end, and connected to the server. */
  readonly survived: boolean
  /** Streams of the session that did not end with it, although their readers would have gone on. */
  readonly openStreams: ReadonlyArray<string>
  /** Defects: of commands of the application, or of the program itself. */
  readonly defects: ReadonlyArray<string>
  readonly policyOf: (agent: string, tool: string) => Policy | undefined
  /** For how long the session retries what is refused for a temporary reason. */
  readonly retryWithinMs: number
  /** The session's option. */
  readonly parallelReply: "all" | "each"
  /** How long a turn waits for the tools of hosted servers. */
  readonly hostedImportTimeoutMs: number
  /** What the connections are. */
  readonly traits: Required<Traits>
}

/**
 * What is known of a program before it runs.
 *
 * @since 0.1.0
 * @category observations
 */
export interface Scene
  extends Pick<
    Observation,
    "program" | "policyOf" | "retryWithinMs" | "parallelReply" | "hostedImportTimeoutMs" | "traits"
  > {}

/**
 * The events that the session published, in order.
 *
 * @since 0.1.0
 * @category observations
 */
export const events = <E>({ timeline }: Observation<E>): ReadonlyArray<SessionEvent<E>> =>
  timeline.flatMap((moment) => (moment._tag === "Published" ? [moment.event] : []))

/** The type of what a stage says that the server sent, where the model took back the calls `call_ids`. */
export const callsCancelled = "calls_cancelled"

/** The item of an event that adds an item to the conversation. */
export const createdItem = (event: ClientEvent) => (event.type === "conversation.item.create" ? event.item : undefined)

/** The output of a call in this event. */
export const outputOf = (event: ClientEvent): { readonly callId: string; readonly output: string } | undefined => {
  const item = createdItem(event)
  return item?.type === "function_call_output" ? { callId: item.call_id, output: item.output } : undefined
}

export const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A field of a value that may be an object. */
export const field = (value: unknown, name: string): unknown => (isRecord(value) ? value[name] : undefined)

/** The turn detection in a session object from the server; absent with push-to-talk. */
export const turnDetectionOf = (session: unknown): { readonly [key: string]: unknown } | undefined => {
  const detection = field(field(field(session, "audio"), "input"), "turn_detection")
  return isRecord(detection) ? detection : undefined
}

/** The response that an event from the server names: a response that was never announced begins with it. */
export const responseIdOf = (event: { readonly [key: string]: unknown }): string | undefined => {
  const { response, response_id } = event
  const id = isRecord(response) ? response["id"] : response_id
  return typeof id === "string" ? id : undefined
}

/** The session's event that an error from the server is about. */
export const refusedEvent = (moment: Moment): string | undefined => {
  if (moment._tag !== "Answered" || moment.event["type"] !== "error") return undefined
  const error = moment.event["error"]
  const eventId = isRecord(error) ? error["event_id"] : undefined
  return typeof eventId === "string" ? eventId : undefined
}
