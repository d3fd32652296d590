/**
 * A caller and the vendor of their phone, for tests of your own agents. It sends audio every 20 ms, plays what it is sent
 * in real time, and says which marks it has passed. It uses the clock of its caller: under `TestClock`, an hour on the
 * phone takes no time.
 *
 * @since 0.1.0
 */
import * as Socket from "@effect/platform/Socket"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { steadyClock } from "../common/steadyClock.js"
import { ByteQueue } from "./ByteQueue.js"
import { type Codec, type Command, type Frame, formatOf, type MediaFormat, type VendorEvent } from "./Codec.js"
import { bytesIn, frameMs, silence, swapped } from "./Line.js"
import { PlayBuffer } from "./PlayBuffer.js"
import { socketPair } from "./socketPair.js"
import { codec as twilio } from "./TwilioMediaStream.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** Default: that of Twilio. */
  readonly codec?: Codec
  /** Default: `CA1`. */
  readonly callId?: string
  /** Default: `MZ1`. */
  readonly streamId?: string
  /**
   * As the vendor names it, such as `audio/x-mulaw` (Twilio, Plivo), `PCMU`, `PCMA` or `L16` (Telnyx), or `audio/l16`
   * (Vonage). Default: that of the codec, µ-law at 8 kHz, or L16 at 16 kHz for Vonage.
   */
  readonly format?: MediaFormat
  /** Default: none. */
  readonly parameters?: { readonly [name: string]: string }
  /** Whether to say at once which call it is, and to send audio from then on. Default: true. */
  readonly starts?: boolean
}

/**
 * A caller on the phone.
 *
 * @since 0.1.0
 * @category models
 */
export interface FakeCaller {
  /** Says which call it is. With `starts: false`, it is not yet done; a second time is a mistake of the vendor's. */
  readonly start: Effect.Effect<void>
  /** Speaks: audio in the stream's format, 16-bit samples little-endian. Completes when it is said. */
  readonly say: (bytes: Uint8Array) => Effect.Effect<void>
  readonly press: (digit: string) => Effect.Effect<void>
  /** For so many milliseconds from now, no audio is sent, and the vendor's clock goes on. */
  readonly skip: (ms: number) => Effect.Effect<void>
  /** The next frame is sent after the one that follows it. */
  readonly swapNext: Effect.Effect<void>
  /** Hangs up as vendors do: says that the stream is over, and closes the socket. */
  readonly hangUp: Effect.Effect<void>
  /** Says that the stream is over, and leaves the socket open. */
  readonly stop: Effect.Effect<void>
  /** Closes the socket without a word. */
  readonly drop: Effect.Effect<void>
  /** Sends an event, or any frame. */
  readonly send: (event: VendorEvent | Frame) => Effect.Effect<void>
  /** All that the caller heard so far, silence included, in the stream's format: the last ten minutes. */
  readonly heard: Effect.Effect<Uint8Array>
  /** How much of what was sent was not played yet, in milliseconds. */
  readonly waitingMs: Effect.Effect<number>
  /** Waits until everything that was sent is played. */
  readonly quiet: Effect.Effect<void>
  /** The commands so far: the last 10,000. */
  readonly commands: Effect.Effect<ReadonlyArray<Command>>
  /** What a vendor would play as crackle, or not understand. */
  readonly problems: Effect.Effect<ReadonlyArray<string>>
  /** Waits until the socket is closed, with the code of the CLOSE frame. */
  readonly closed: Effect.Effect<{ readonly code: number; readonly reason: string }>
}

const maxCommands = 10_000
const maxHeardMs = 600_000
const mulaw: MediaFormat = { encoding: "audio/x-mulaw", sampleRate: 8_000, channels: 1 }

/**
 * A caller with the other end of its socket in memory. Pass that to `MediaStream.open`. The caller is gone when the scope
 * closes. Dies if the format cannot be decoded here.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Agent, ScriptedModel } from "effect-realtime"
 * import { FakeCaller, MediaStream, PhoneCall, TwilioMediaStream } from "effect-realtime/Telephony"
 *
 * const agent = Agent.make("Receptionist", { instructions: "Answer the phone." })
 *
 * export const test = Effect.gen(function* () {
 *   const model = yield* ScriptedModel.make([[ScriptedModel.say("Hello.")]])
 *   const [caller, socket] = yield* FakeCaller.make()
 *   const stream = yield* MediaStream.open(socket, TwilioMediaStream.codec)
 *   const call = yield* Effect.provide(PhoneCall.make(agent, stream), model.layer)
 *   yield* caller.quiet
 *   yield* caller.hangUp
 *   return yield* call.ended // { _tag: "CallerHungUp" }
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<readonly [caller: FakeCaller, socket: Socket.Socket], never, Scope.Scope> =>
  Effect.suspend(() => {
    const [here, there] = socketPair()
    return Effect.map(connect(here, options), (caller) => [caller, there] as const)
  })

/**
 * A caller over a socket of your own, such as one to your server.
 *
 * @since 0.1.0
 * @category constructors
 */
export const connect = (
  socket: Socket.Socket,
  {
    callId = "CA1",
    codec = twilio,
    format: named = codec.format ?? mulaw,
    parameters = {},
    starts = true,
    streamId = "MZ1"
  }: Options = {}
): Effect.Effect<FakeCaller, never, Scope.Scope> =>
  Effect.gen(function* () {
    const format = yield* Effect.orDie(formatOf(codec, named))
    const isSwapped = codec.byteOrder === "big" && format.encoding === "pcm16"
    const ordered = (bytes: Uint8Array): Uint8Array => (isSwapped ? swapped(bytes) : bytes)
    const clock = steadyClock(yield* Effect.clock)
    const fork = Runtime.runFork(yield* Effect.runtime<never>())
    const write = yield* socket.writer
    const writeEvent = Schema.encodeEither(codec.event)
    const readCommand = Schema.decodeEither(codec.command)
    const frameBytes = bytesIn(format, frameMs)
    const closed = yield* Deferred.make<{ readonly code: number; readonly reason: string }>()
    const started = yield* Effect.makeLatch()
    const quiet = yield* Effect.makeLatch(true)
    const speech = new ByteQueue()
    const said = yield* Effect.makeLatch(true)
    const buffer = new PlayBuffer()
    const heard: Array<Uint8Array> = []
    const commands: Array<Command> = []
    const problems: Array<string> = []
    let sequence = 0
    let skippedMs = 0
    let held: VendorEvent | undefined
    let isSwapping = false
    let isOpen = true

    const transmit = (data: Frame | Socket.CloseEvent): void => {
      if (isOpen) fork(Effect.ignore(write(data)))
    }
    /** Events that the vendor does not have are left out. */
    const emit = (event: VendorEvent): void => {
      const written = writeEvent(event)
      if (Either.isRight(written)) transmit(written.right)
    }
    const next = () => {
      sequence += 1
      return { streamId, sequence }
    }
    const passed = (marks: ReadonlyArray<string>): void => {
      for (const name of marks) emit({ _tag: "Marked", ...next(), name })
    }
    const obey = (command: Command) => {
      if (command.streamId !== "" && command.streamId !== streamId) problems.push(`Another stream: ${command.streamId}`)
      switch (command._tag) {
        case "Play": {
          const { length } = command.bytes
          const whole = codec.frameMs === undefined ? frameBytes : bytesIn(format, codec.frameMs)
          if (length === 0 || length % frameBytes > 0 || (codec.frameMs !== undefined && length !== whole)) {
            problems.push(`${length} bytes are not whole frames.`)
          }
          buffer.add(ordered(command.bytes))
          return quiet.unsafeClose()
        }
        case "Mark":
          return passed(buffer.mark(command.name))
        case "Clear": {
          const marks = buffer.clear()
          if (codec.returnsClearedMarks ?? true) passed(marks)
          emit({ _tag: "Cleared", ...next() })
          return quiet.unsafeOpen()
        }
      }
    }
    const take = (frame: Frame) => {
      const read = readCommand(frame)
      if (Either.isLeft(read)) return void problems.push(`Not understood: ${String(frame).slice(0, 100)}`)
      commands.push(read.right)
      if (commands.length > maxCommands) commands.shift()
      obey(read.right)
    }

    const speak = (atMs: number): void => {
      const bytes = speech.length > 0 ? padded(speech.take(frameBytes)) : silence(format, frameMs)
      if (speech.length === 0) said.unsafeOpen()
      if (skippedMs > 0) {
        skippedMs -= frameMs
        return
      }
      const media: VendorEvent = { _tag: "Media", ...next(), bytes: ordered(bytes), atMs }
      if (isSwapping) {
        isSwapping = false
        held = media
        return
      }
      emit(media)
      if (held !== undefined) emit(held)
      held = undefined
    }
    const padded = (bytes: Uint8Array): Uint8Array => {
      const frame = silence(format, frameMs)
      frame.set(bytes)
      return frame
    }
    const listen = (): void => {
      const { bytes, marks } = buffer.play(frameBytes)
      heard.push(padded(bytes))
      if (heard.length * frameMs > maxHeardMs) heard.shift()
      passed(marks)
      if (buffer.length === 0) quiet.unsafeOpen()
    }
    const start = Effect.sync(() => {
      if (sequence === 0) emit({ _tag: "Greeted" })
      emit({ _tag: "Started", ...next(), callId, format: named, parameters })
      started.unsafeOpen()
    })
    /** The moments are absolute: a pause of this process is made up for. */
    const live = Effect.gen(function* () {
      yield* started.await
      const began = clock.unsafeCurrentTimeMillis()
      for (let atMs = 0; isOpen; atMs += frameMs) {
        yield* Effect.sleep(Math.max(0, began + atMs + frameMs - clock.unsafeCurrentTimeMillis()))
        speak(atMs)
        listen()
      }
    })
    const stop = Effect.sync(() => emit({ _tag: "Stopped", ...next(), callId }))
    const hang = (code: number) => Effect.sync(() => transmit(new Socket.CloseEvent(code)))

    yield* socket.runRaw(take).pipe(
      Effect.as({ code: 1_000, reason: "" }),
      Effect.catchAll((error) =>
        Effect.succeed({
          code: error.reason === "Close" ? error.code : 1_006,
          reason: error.reason === "Close" ? (error.closeReason ?? "") : error.message
        })
      ),
      Effect.tap((how) =>
        Effect.sync(() => {
          isOpen = false
          Deferred.unsafeDone(closed, Exit.succeed(how))
          // Nobody waits for a caller that is gone.
          quiet.unsafeOpen()
          said.unsafeOpen()
        })
      ),
      Effect.forkScoped
    )
    yield* Effect.forkScoped(live)
    yield* Effect.addFinalizer(() => hang(1_000))
    if (starts) yield* start
    return {
      start,
      say: (bytes) =>
        Effect.suspend(() => {
          speech.push(bytes)
          if (isOpen) said.unsafeClose()
          return said.await
        }),
      press: (digit) => Effect.sync(() => emit({ _tag: "Digit", ...next(), digit })),
      skip: (ms) =>
        Effect.sync(() => {
          skippedMs += ms
        }),
      swapNext: Effect.sync(() => {
        isSwapping = true
      }),
      hangUp: Effect.zipRight(stop, hang(1_000)),
      stop,
      drop: hang(1_000),
      send: (event) =>
        Effect.sync(() => (typeof event === "object" && "_tag" in event ? emit(event) : transmit(event))),
      heard: Effect.sync(() => joined(heard)),
      waitingMs: Effect.sync(() => (buffer.length / frameBytes) * frameMs),
      quiet: quiet.await,
      commands: Effect.sync(() => [...commands]),
      problems: Effect.sync(() => [...problems]),
      closed: Deferred.await(closed)
    }
  })

const joined = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}
