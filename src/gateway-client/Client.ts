/** The options of a client, and what it offers. */
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Schedule from "effect/Schedule"
import type * as Stream from "effect/Stream"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import type { Audio, Turns, Welcome } from "../gateway/Protocol.js"
import type { SessionEvent } from "../SessionEvent.js"
import type { CallEnded, CallLost, CommandFailed, CommandNotSent } from "./ClientError.js"
import type { Closed, WebSocketConstructor } from "./Socket.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** The address of the gateway, such as `wss://app.example.com/call`. */
  readonly url: string
  /**
   * The token that the gateway's `authenticate` checks. An effect runs again for each socket, so that a token may expire.
   * Without a token, the gateway can only check cookies.
   */
  readonly token?: Redacted.Redacted<string> | Effect.Effect<Redacted.Redacted<string>>
  /**
   * `"reported"`: only what is reported with `reportPlayback` counts as heard; `talk` reports it. `"estimated"`: the session
   * estimates it by the clock. Default: `"reported"`.
   */
  readonly playback?: "reported" | "estimated"
  /** Who decides when a turn of the user ends. Default: as in the agent's settings. */
  readonly turns?: Turns
  /**
   * When to try again after the socket broke. The client stops when the schedule does, or when the gateway no longer keeps
   * the call (`Welcome.resumeWithinMs`). Default: `defaultReconnect`.
   */
  readonly reconnect?: Schedule.Schedule<unknown, Closed>
  /** The class to make sockets with. Default: the platform's. Node before version 22 has none: pass that of the package `ws`. */
  readonly webSocket?: WebSocketConstructor
  /** How many events and chunks of audio a reader may be behind before it misses some. Default: 4,096. */
  readonly capacity?: number
}

/**
 * An event of the session, or a chunk of the model's audio.
 *
 * @since 0.1.0
 * @category models
 */
export type News =
  | { readonly _tag: "Event"; readonly event: SessionEvent }
  | { readonly _tag: "Audio"; readonly chunk: Audio }

/**
 * The state of the connection. Times are in milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export type Status =
  | { readonly _tag: "Connected" }
  /** Connected, but the gateway is about to stop. The call may go on for this long. */
  | { readonly _tag: "Draining"; readonly withinMs: number }
  /**
   * The socket broke, with this code and reason. Commands wait; audio from the microphone is dropped. `attempt` counts the
   * attempts to connect again, from 1.
   */
  | { readonly _tag: "Reconnecting"; readonly attempt: number; readonly code: number; readonly reason: string }
  /** The call is over; without an error after `hangUp`. */
  | { readonly _tag: "Ended"; readonly error: CallEnded | CallLost | undefined }

/**
 * @since 0.1.0
 * @category errors
 */
export type CommandError = CommandFailed | CommandNotSent

/**
 * A call. It is hung up when its scope closes.
 *
 * Commands are carried out in order, each once, and complete when the gateway has answered. While the socket is broken,
 * they wait for the next one. If the call ends first, they fail with `CommandNotSent`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Client {
  /** The gateway's answer to the first socket. */
  readonly welcome: Welcome
  /** The current state of the connection, and its changes. */
  readonly status: SubscriptionRef.SubscriptionRef<Status>
  /**
   * Events and audio, in the order in which the session published them. The first reader gets everything since the call
   * began, at most 256; later readers get what arrives after they subscribed. A reader that falls behind by more than
   * `capacity` gets `EventsMissed`, with the number of events and chunks that it missed.
   */
  readonly news: Stream.Stream<News>
  /** The events of `news`. */
  readonly events: Stream.Stream<SessionEvent>
  /** The audio of `news`, in the format `welcome.output`. */
  readonly audio: Stream.Stream<Audio>
  /** Says something as the user, and asks the model to answer. Returns the id of the item. */
  readonly sendText: (text: string) => Effect.Effect<string, CommandError>
  /**
   * Sends audio of the user, in the format `welcome.input`, in chunks of any size. It never waits: audio is dropped while
   * there is no socket, or while the network is more than 1 MiB behind. When some is sent again, the event
   * `InputAudioDropped` tells how much was lost.
   */
  readonly sendAudio: (bytes: Uint8Array) => Effect.Effect<void>
  /** Ends the user's turn (push-to-talk). Without turn detection, the model is asked to answer. */
  readonly commitAudio: Effect.Effect<void, CommandError>
  /** Discards the audio that was sent but not committed. */
  readonly clearAudio: Effect.Effect<void, CommandError>
  /** Chooses who decides when a turn of the user ends. */
  readonly setTurns: (turns: Turns) => Effect.Effect<void, CommandError>
  /** Asks the model to speak. */
  readonly requestResponse: Effect.Effect<void, CommandError>
  /** Stops what the model is saying. */
  readonly interrupt: Effect.Effect<void, CommandError>
  /** Approves a tool call that waits. `always`: also later calls of this tool by the same agent. */
  readonly approve: (callId: string, options?: { readonly always?: boolean }) => Effect.Effect<void, CommandError>
  /** Rejects a tool call that waits. The model reads `reason`. */
  readonly reject: (
    callId: string,
    reason?: string,
    options?: { readonly always?: boolean }
  ) => Effect.Effect<void, CommandError>
  /** Reports how much of a content part was heard, in milliseconds from its beginning. */
  readonly reportPlayback: (itemId: string, contentIndex: number, heardMs: number | "finished") => Effect.Effect<void>
  /** Ends the call. */
  readonly hangUp: Effect.Effect<void, CommandError>
  /** Completes when the call is over: successfully after `hangUp`, otherwise with the reason. */
  readonly await: Effect.Effect<void, CallEnded | CallLost>
}
