/**
 * One connection of the embedded server, as a test sees it.
 */
import type * as Effect from "effect/Effect"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { ServerEvent } from "../protocol/ServerEvent.js"
import type { RefusedEvent } from "./Recorder.js"
import type { ServerItem } from "./ServerItem.js"
import type { JsonObject } from "./Shape.js"

/**
 * How a connection ended: closed by one of the two, or dropped without a CLOSE frame.
 *
 * @since 0.1.0
 * @category connections
 */
export type Ending =
  | { readonly _tag: "ClosedByServer"; readonly code: number; readonly reason: string }
  | { readonly _tag: "ClosedByClient"; readonly code: number; readonly reason: string }
  | { readonly _tag: "Dropped" }

/**
 * What happens on a connection, for a log.
 *
 * @since 0.1.0
 * @category connections
 */
export type Activity =
  | { readonly _tag: "Connected"; readonly connection: number; readonly model: string }
  | { readonly _tag: "Received"; readonly connection: number; readonly event: JsonObject }
  | { readonly _tag: "Sent"; readonly connection: number; readonly event: JsonObject }
  | { readonly _tag: "Ended"; readonly connection: number; readonly ending: Ending }

/**
 * The server's end of one connection, for tests: it can be inspected, and can send events.
 *
 * @since 0.1.0
 * @category connections
 */
export interface ServerConnection {
  /** From 1, or from `firstConnection`, in the order of the handshakes, including refused ones. */
  readonly number: number
  /**
   * The client events so far, in order, including well-formed events that were refused. Of all connections of the
   * server, the latest 32 MiB are kept (more than 50,000 events), and for long events, such as audio, the latest 64
   * MiB.
   */
  readonly received: Effect.Effect<ReadonlyArray<ClientEvent>>
  /** The events that were answered with an `error`. Empty if the client makes no mistakes. */
  readonly refused: Effect.Effect<ReadonlyArray<RefusedEvent>>
  /** The accepted outputs, in order. A call that was answered twice appears twice. */
  readonly outputs: Effect.Effect<ReadonlyArray<{ readonly callId: string; readonly output: string }>>
  /**
   * The conversation. For connections that have ended, 32 MiB are kept in total: beyond that, those that ended first
   * are empty.
   */
  readonly conversation: Effect.Effect<ReadonlyArray<ServerItem>>
  /** The user's audio in this part of an item, as base64. The latest 64 MiB of all connections are kept. */
  readonly userAudio: (itemId: string, contentIndex: number) => Effect.Effect<string | undefined>
  /** The effective session. */
  readonly session: Effect.Effect<JsonObject>
  /**
   * The next client event of a type: the first call gives the first one, the second call the second one. Events that
   * have already arrived count. Dies if the connection ends first.
   */
  readonly next: <Type extends ClientEvent["type"]>(
    type: Type
  ) => Effect.Effect<Extract<ClientEvent, { readonly type: Type }>>
  /** Sends a server event of your own. */
  readonly push: (event: ServerEvent) => Effect.Effect<void>
  /** Sends a text frame that need not be JSON. */
  readonly pushText: (text: string) => Effect.Effect<void>
  /** Simulates that voice activity detection finds the beginning of speech. Returns the id of the item to come. */
  readonly speechStarts: Effect.Effect<string>
  /** Simulates the end of speech: the item is committed, and a response begins if the session wants one. */
  readonly speechEnds: (itemId: string, transcript: string) => Effect.Effect<void>
  /** A whole turn of the user: `speechStarts`, then `speechEnds`. */
  readonly userSays: (transcript: string) => Effect.Effect<void>
  /**
   * Simulates a server that plays the audio itself and was interrupted: it keeps this fraction (0 to 1) of the latest
   * audio, and announces that. Does nothing while a response is active.
   */
  readonly truncates: (share: number) => Effect.Effect<void>
  /** Simulates a key of the telephone: `input_audio_buffer.dtmf_event_received`, which has no event id. */
  readonly pressKey: (key: string) => Effect.Effect<void>
  /** Ends the connection without a CLOSE frame, after everything sent before. A fault that delays this is cut short. */
  readonly drop: Effect.Effect<void>
  /** Ends the connection with a CLOSE frame, otherwise like `drop`. */
  readonly close: (code: number, reason?: string) => Effect.Effect<void>
  /** Waits for the end of the connection. */
  readonly ended: Effect.Effect<Ending>
}
