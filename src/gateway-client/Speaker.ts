/**
 * A speaker in a browser that reports what was heard of each content part, to the sample.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Mailbox from "effect/Mailbox"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { decode, defaultFormat, sampleRate } from "../audio/Format.js"
import { toFloat32 } from "../audio/Pcm16.js"
import type { AudioFormat } from "../protocol/SessionConfig.js"
import type { News } from "./Client.js"
import { openContext, openNode } from "./context.js"
import { type DeviceError, deviceError } from "./DeviceError.js"
import { Parts, type PlayedReport } from "./Parts.js"
import { speakerName, speakerWorklet } from "./worklets.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** From `Devices.list`. Default, and if the browser offers no choice: the one that the user chose in the browser. */
  readonly deviceId?: string
  /** The format of the audio: `client.welcome.output`. Default: PCM16 at 24 kHz. */
  readonly format?: AudioFormat
  /** Where you serve `speakerWorklet`. Default: a `blob:` URL. */
  readonly workletUrl?: string
}

/**
 * An open speaker. It is closed with its scope.
 *
 * @since 0.1.0
 * @category models
 */
export interface Speaker {
  /**
   * Plays audio, and drops what was interrupted. Pass it all of `client.news`, in order. At most ten minutes may wait to be
   * played; the rest of a longer part is not played, and does not count as heard.
   */
  readonly take: (news: News) => Effect.Effect<void>
  /** What was heard: every 100 ms while something plays, and at the end of each part. Pass it to `client.reportPlayback`. */
  readonly played: Stream.Stream<PlayedReport>
}

export type { PlayedReport } from "./Parts.js"

/** If nobody reads them, the oldest are dropped. */
const maxReports = 256

/**
 * Opens a speaker, in response to a click or a key: browsers play nothing before the user has done something, and until then
 * this waits.
 *
 * @since 0.1.0
 * @category constructors
 */
export const open = (options: Options = {}): Effect.Effect<Speaker, DeviceError, Scope.Scope> =>
  Effect.gen(function* () {
    const { deviceId, format = defaultFormat, workletUrl } = options
    const rate = sampleRate(format)
    const context = yield* openContext("speaker", speakerWorklet, workletUrl, rate)
    if (deviceId !== undefined) yield* choose(context, deviceId)
    const node = yield* openNode("speaker", context, speakerName, { numberOfInputs: 0, outputChannelCount: [1] })
    node.connect(context.destination)
    const reports = yield* Mailbox.make<PlayedReport>({ capacity: maxReports, strategy: "sliding" })
    yield* Effect.addFinalizer(() => reports.end)
    const parts = new Parts(rate, (bytes) =>
      Either.getOrElse(Either.map(decode(format, bytes), toFloat32), () => new Float32Array())
    )
    node.port.onmessage = ({ data }) => {
      // A sample is heard only when it has passed through the device.
      const delayMs = 1_000 * (context.baseLatency + (context.outputLatency ?? 0))
      const report = parts.reported(data, delayMs)
      if (report !== undefined) reports.unsafeOffer(report)
    }
    return {
      take: (news) =>
        Effect.sync(() => {
          const order = parts.take(news)
          if (order === undefined) return
          // The samples move to the audio thread, without a copy.
          node.port.postMessage(order, "samples" in order ? [order.samples.buffer] : [])
        }),
      played: Mailbox.toStream(reports)
    }
  })

/** Not every browser has `setSinkId`. */
const choose = (context: AudioContext, deviceId: string): Effect.Effect<void, DeviceError> => {
  const setSinkId: unknown = Reflect.get(context, "setSinkId")
  return typeof setSinkId === "function"
    ? Effect.tryPromise({
        try: () => Promise.resolve(Reflect.apply(setSinkId, context, [deviceId])),
        catch: deviceError("speaker")
      })
    : Effect.void
}
