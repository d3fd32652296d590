/**
 * The media stream of a phone call, whoever the vendor is: the caller's audio and keys come in, and audio goes out.
 *
 * @since 0.1.0
 */
import * as Socket from "@effect/platform/Socket"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Mailbox from "effect/Mailbox"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { split } from "../audio/Format.js"
import { briefly } from "../serving/Close.js"
import { type Codec, type Command, type Frame, formatOf, type MediaFormat, type StreamFormat } from "./Codec.js"
import { bytesIn, swapped, wholeSamples } from "./Line.js"
import * as limits from "./limits.js"
import { type FormatUnsupported, type ProtocolBreach, StreamProtocol } from "./StreamError.js"

/**
 * Which call a stream belongs to.
 *
 * @since 0.1.0
 * @category models
 */
export interface Info {
  readonly vendor: string
  /** Empty if the vendor has none. */
  readonly streamId: string
  readonly callId: string
  readonly format: StreamFormat
  /** What the application passed to the stream, such as Twilio's `<Parameter>`. */
  readonly parameters: { readonly [name: string]: string }
}

/**
 * What comes from the vendor. `Audio`: in the stream's format, 16-bit samples whole and little-endian; `atMs`: on a clock
 * of the vendor's, if it says. `Marked`: a mark came back. `Ignored`: a frame, or the last byte of one, that means nothing
 * here, and why. `Missed`: the reader was too slow, and so many events before this one are lost.
 *
 * @since 0.1.0
 * @category models
 */
export type Event =
  | { readonly _tag: "Audio"; readonly bytes: Uint8Array; readonly atMs: number | undefined }
  | { readonly _tag: "Digit"; readonly digit: string }
  | { readonly _tag: "Marked"; readonly name: string }
  | { readonly _tag: "Ignored"; readonly reason: string }
  | { readonly _tag: "Missed"; readonly count: number }

/**
 * How a stream ended. `Stopped`: the vendor said so, as when the caller hangs up. `Closed`: the vendor closed the socket
 * without a word. `TooLong`: it sent a frame of more than 64 KiB. `Left`: this side closed it.
 *
 * @since 0.1.0
 * @category models
 */
export type End = "Stopped" | "Closed" | "TooLong" | "Left"

/**
 * A stream that has begun. It ends with its scope.
 *
 * @since 0.1.0
 * @category models
 */
export interface MediaStream {
  readonly info: Info
  /** In order, for one reader. Ends with the stream. */
  readonly events: Mailbox.ReadonlyMailbox<Event>
  /**
   * Plays audio after everything that was sent before. In the stream's format, 16-bit samples little-endian, and a whole
   * number of 20 ms: vendors play broken frames as crackle. This and what follows never waits, and does nothing once the
   * stream has ended.
   */
  readonly send: (bytes: Uint8Array) => Effect.Effect<void>
  /** Comes back as `Marked` when everything before it was played, and when it is cleared. */
  readonly mark: (name: string) => Effect.Effect<void>
  /** Drops what was sent and not played. */
  readonly clear: Effect.Effect<void>
  /** Closes the stream. What the vendor then does with the call depends on the vendor. */
  readonly close: Effect.Effect<void>
  /** Closes the stream because it may not go on: the CLOSE frame says why, with the code 1008. */
  readonly refuse: (reason: string) => Effect.Effect<void>
  readonly ended: Effect.Effect<End>
}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** How long the vendor may take to say which call it is. Default: 10 seconds. */
  readonly startTimeout?: Duration.DurationInput
}

/** The longest type of an unknown event that is repeated. */
const maxShown = 100

/** The keys that a phone can have. */
const keys = /^[0-9A-D*#]$/

/** Close codes (RFC 6455, section 7.4.1). */
const codes = { normal: 1_000, policyViolation: 1_008, tooLong: 1_009 }

/**
 * Opens a stream over a socket: waits until the vendor says which call it is. Whatever comes before that, and is not of
 * the protocol, closes the socket. Afterwards it is ignored and counted, so that a call does not end because of it.
 *
 * It does not ask who is at the other end. Check that before (`TwilioSignature.verify`) and after (`CallTokens`).
 *
 * @since 0.1.0
 * @category constructors
 */
export const open = (
  socket: Socket.Socket,
  codec: Codec,
  { startTimeout = "10 seconds" }: Options = {}
): Effect.Effect<MediaStream, StreamProtocol | FormatUnsupported, Scope.Scope> =>
  Effect.gen(function* () {
    const { vendor } = codec
    const write = yield* socket.writer
    const fork = Runtime.runFork(yield* Effect.runtime<never>())
    const started = yield* Deferred.make<Started, StreamProtocol | FormatUnsupported>()
    const ended = yield* Deferred.make<End>()
    const events = yield* Mailbox.make<Event>({ capacity: limits.maxWaitingEvents, strategy: "dropping" })
    const readEvent = Schema.decodeEither(codec.event)
    const writeCommand = Schema.encodeSync(codec.command)
    let state: "Opening" | "Open" | "Ended" = "Opening"
    let missed = 0
    let isSwapped = false
    let sampled: StreamFormat | undefined
    let ownId = ""

    /** At once: a socket that is open takes a frame without waiting. */
    const transmit = (frame: Frame | Socket.CloseEvent): void => {
      if (state !== "Ended") fork(Effect.ignore(write(frame)))
    }
    /** Nothing more is read or written. */
    const end = (how: End, code?: number, reason = ""): void => {
      if (state === "Ended") return
      if (code !== undefined) transmit(new Socket.CloseEvent(code, briefly(reason)))
      state = "Ended"
      events.unsafeDone(Exit.void)
      Deferred.unsafeDone(ended, Exit.succeed(how))
    }
    const refuse = (error: StreamProtocol | FormatUnsupported, code = codes.policyViolation): void => {
      Deferred.unsafeDone(started, Exit.fail(error))
      end("Left", code, error.message)
    }
    const breach = (kind: ProtocolBreach, message: string, code?: number): void =>
      refuse(new StreamProtocol({ vendor, breach: kind, message }), code)
    const offer = (event: Event): void => {
      if (missed > 0 && events.unsafeOffer({ _tag: "Missed", count: missed })) missed = 0
      if (!events.unsafeOffer(event)) missed += 1
    }

    const begin = (frame: Frame) => {
      const read = readEvent(frame)
      if (Either.isLeft(read)) return breach("Junk", `The first frames should be events of ${vendor}.`)
      const event = read.right
      // What vendors add, they may also add before the start.
      if (event._tag === "Greeted" || event._tag === "Unknown") return
      if (event._tag !== "Started") return breach("BeforeStart", "The stream should begin with its start event.")
      const format = formatOf(codec, event.format)
      if (Either.isLeft(format)) return refuse(format.left)
      state = "Open"
      sampled = format.right
      isSwapped = codec.byteOrder === "big" && format.right.encoding === "pcm16"
      const { callId, format: named, parameters, streamId } = event
      ownId = streamId
      Deferred.unsafeDone(
        started,
        Exit.succeed({ named, info: { vendor, streamId, callId, format: format.right, parameters } })
      )
    }
    const receive = (frame: Frame) => {
      const isTooLong = frame.length > limits.maxFrameBytes
      switch (state) {
        case "Ended":
          return
        case "Opening":
          return isTooLong ? breach("TooLong", longFrame, codes.tooLong) : begin(frame)
        case "Open":
          return isTooLong ? end("TooLong", codes.tooLong, longFrame) : take(frame)
      }
    }
    const ignore = (reason: string): void => offer({ _tag: "Ignored", reason })
    /** Some vendors do not name the stream in each event. */
    const isForeign = (id: string): boolean => id !== "" && ownId !== "" && id !== ownId
    const hear = (received: Uint8Array, atMs: number | undefined): void => {
      const bytes = sampled === undefined ? received : wholeSamples(sampled, received)
      offer({ _tag: "Audio", bytes: isSwapped ? swapped(bytes) : bytes, atMs })
      if (bytes.length < received.length) ignore("Its last byte is half a sample. The rest of it is heard.")
    }
    const take = (frame: Frame) => {
      const read = readEvent(frame)
      if (Either.isLeft(read)) return ignore("It is no event of the vendor.")
      const event = read.right
      if ("streamId" in event && isForeign(event.streamId)) return ignore("It is of another stream.")
      switch (event._tag) {
        case "Media":
          return hear(event.bytes, event.atMs)
        case "Digit":
          return keys.test(event.digit)
            ? offer({ _tag: "Digit", digit: event.digit })
            : ignore("It is no key of a phone.")
        case "Marked":
          return offer({ _tag: "Marked", name: event.name })
        case "Stopped":
          return end("Stopped", codes.normal)
        case "Started":
          return ignore("The stream has already started.")
        case "Outbound":
          return ignore("It is audio of the agent. Configure the stream for the inbound track alone.")
        case "Unknown":
          return ignore(`Its type is not known: ${event.type.slice(0, maxShown)}`)
        case "Greeted":
        case "Cleared":
          return
      }
    }

    yield* socket.runRaw(receive).pipe(
      Effect.ignore,
      // If the vendor has already gone, the platform never finishes the handshake. Do not wait for it.
      Effect.disconnect,
      Effect.zipRight(
        Effect.sync(() => {
          if (state === "Opening") breach("Closed", "The vendor closed the socket before it said which call it is.")
          end("Closed")
        })
      ),
      Effect.forkScoped
    )
    yield* Effect.addFinalizer(() => Effect.sync(() => end("Left", codes.normal)))
    const { info, named } = yield* Effect.timeoutFail(Deferred.await(started), {
      duration: startTimeout,
      onTimeout: () => {
        const message = "The vendor did not say in time which call it is."
        end("Left", codes.policyViolation, message)
        return new StreamProtocol({ vendor, breach: "NoStart", message })
      }
    })
    const { streamId } = info
    const command = (value: Command) => Effect.sync(() => transmit(writeCommand(value)))
    const frameBytes = codec.frameMs === undefined ? undefined : bytesIn(info.format, codec.frameMs)
    return {
      info,
      events,
      send: (bytes) =>
        Effect.forEach(
          split(isSwapped ? swapped(bytes) : bytes, frameBytes),
          (piece) => command({ _tag: "Play", streamId, bytes: piece, format: named }),
          { discard: true }
        ),
      mark: (name) => command({ _tag: "Mark", streamId, name }),
      clear: command({ _tag: "Clear", streamId }),
      close: Effect.sync(() => end("Left", codes.normal)),
      refuse: (reason) => Effect.sync(() => end("Left", codes.policyViolation, reason)),
      ended: Deferred.await(ended)
    }
  })

interface Started {
  readonly info: Info
  /** As the vendor names it. */
  readonly named: MediaFormat
}

const longFrame = `A frame may have at most ${limits.maxFrameBytes} bytes.`
