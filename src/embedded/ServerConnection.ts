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
 * The server's end of one connection, for a test to look into and to push at.
 *
 * @since 0.1.0
 * @category connections
 */
export interface ServerConnection {
  /** From 1, or from `firstConnection`, in the order of the handshakes, with those that were refused. */
  readonly number: number
  /**
   * The client events so far, in their order, with those that were refused for what they ask: those that are among the
   * latest 32 MiB of all connections of the server (more than 50,000); of long ones, such as audio, among the latest 64 MiB.
   */
  readonly received: Effect.Effect<ReadonlyArray<ClientEvent>>
  /** What was answered with an `error`: empty, for a client that makes no mistakes. */
  readonly refused: Effect.Effect<ReadonlyArray<RefusedEvent>>
  /** The outputs that were accepted, in their order: a call that was answered twice is in it twice. */
  readonly outputs: Effect.Effect<ReadonlyArray<{ readonly callId: string; readonly output: string }>>
  /** The conversations of connections that have ended are kept to 32 MiB together: those that ended first are empty then. */
  readonly conversation: Effect.Effect<ReadonlyArray<ServerItem>>
  /** What the user said in this part of an item, as base64: among the latest 64 MiB of all connections of the server. */
  readonly userAudio: (itemId: string, contentIndex: number) => Effect.Effect<string | undefined>
  /** The effective session. */
  readonly session: Effect.Effect<JsonObject>
  /**
   * The next client event of a type, which may have come already: the first call gives the first one, the second call
   * the second one. Dies when the connection ends before.
   */
  readonly next: <Type extends ClientEvent["type"]>(
    type: Type
  ) => Effect.Effect<Extract<ClientEvent, { readonly type: Type }>>
  /** Sends an event of the test's own. */
  readonly push: (event: ServerEvent) => Effect.Effect<void>
  /** Sends a text frame that need not be JSON. */
  readonly pushText: (text: string) => Effect.Effect<void>
  /** What voice activity detection does when the user begins to speak. Gives the id of the item to come. */
  readonly speechStarts: Effect.Effect<string>
  /** What it does when the user has spoken: the item is committed, and a response begins if the session wants one. */
  readonly speechEnds: (itemId: string, transcript: string) => Effect.Effect<void>
  /** A whole turn of the user: `speechStarts`, then `speechEnds`. */
  readonly userSays: (transcript: string) => Effect.Effect<void>
  /**
   * What a server does that plays the audio itself: of the last thing that was said aloud, it keeps this share of the
   * audio, from 0 to 1, and says so. Nothing, while a response is active.
   */
  readonly truncates: (share: number) => Effect.Effect<void>
  /** A key of the telephone: `input_audio_buffer.dtmf_event_received`, which has no event id. */
  readonly pressKey: (key: string) => Effect.Effect<void>
  /** Ends the connection without a CLOSE frame, after what was sent before. A fault that holds that back is cut short. */
  readonly drop: Effect.Effect<void>
  /** Ends the connection with a CLOSE frame, otherwise like `drop`. */
  readonly close: (code: number, reason?: string) => Effect.Effect<void>
  /** Waits for the end. */
  readonly ended: Effect.Effect<Ending>
}
