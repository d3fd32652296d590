/**
 * The microphone of a browser, in the format of a session.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Mailbox from "effect/Mailbox"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { encode, sampleRate } from "../audio/Format.js"
import { fromFloat32 } from "../audio/Pcm16.js"
import * as Resampler from "../audio/Resampler.js"
import type { AudioFormat } from "../protocol/SessionConfig.js"
import { maxChunks } from "./bounds.js"
import { mediaDevices, openContext, openNode } from "./context.js"
import { DeviceError, deviceError } from "./DeviceError.js"
import { microphoneName, microphoneWorklet } from "./worklets.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** From `Devices.list`. Default: the one that the user chose in the browser. */
  readonly deviceId?: string
  /** Removes the sound of the speaker. Without it, the agent hears itself and interrupts itself. Default: true. */
  readonly echoCancellation?: boolean
  /** Default: true. */
  readonly noiseSuppression?: boolean
  /** Default: true. */
  readonly autoGainControl?: boolean
  /** Where you serve `microphoneWorklet`. Default: a `blob:` URL. */
  readonly workletUrl?: string
}

/**
 * An open microphone. It is closed with its scope.
 *
 * @since 0.1.0
 * @category models
 */
export interface Microphone {
  /**
   * What it hears, in chunks of 20 ms, in the format `client.welcome.input`. For one reader. A reader that falls behind by
   * more than a second misses the oldest chunks. Ends if the device is disconnected.
   */
  readonly audio: (format: AudioFormat) => Stream.Stream<Uint8Array>
  /** Mutes it, or ends that. A muted microphone gives silence, and stays open. */
  readonly mute: (isMuted: boolean) => Effect.Effect<void>
  /** Completes if the device is disconnected. */
  readonly gone: Effect.Effect<void>
}

const stop = (stream: MediaStream | undefined): void => {
  for (const track of stream?.getTracks() ?? []) track.stop()
}

/** The user may take long to answer. If the scope closes first, and the user allows it then, the microphone is released. */
const openStream = (
  media: MediaDevices,
  audio: MediaTrackConstraints
): Effect.Effect<MediaStream, DeviceError, Scope.Scope> =>
  Effect.gen(function* () {
    let isOpen = true
    let opened: MediaStream | undefined
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        isOpen = false
        stop(opened)
      })
    )
    return yield* Effect.tryPromise({
      try: async () => {
        opened = await media.getUserMedia({ audio })
        if (!isOpen) stop(opened)
        return opened
      },
      catch: deviceError("microphone")
    })
  })

/**
 * Opens a microphone. The browser may ask the user to allow it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const open = (options: Options = {}): Effect.Effect<Microphone, DeviceError, Scope.Scope> =>
  Effect.gen(function* () {
    const { autoGainControl = true, deviceId, echoCancellation = true, noiseSuppression = true } = options
    const media = mediaDevices()
    if (media === undefined) return yield* new DeviceError({ device: "microphone", reason: "Unsupported", detail: "" })
    const stream = yield* openStream(media, {
      ...{ autoGainControl, echoCancellation, noiseSuppression, channelCount: 1 },
      ...(deviceId === undefined ? {} : { deviceId: { exact: deviceId } })
    })
    const context = yield* openContext("microphone", microphoneWorklet, options.workletUrl)
    const from = yield* Effect.mapError(
      Resampler.toSampleRate(context.sampleRate),
      ({ message }) => new DeviceError({ device: "microphone", reason: "Failed", detail: message })
    )
    const node = yield* openNode("microphone", context, microphoneName, { numberOfOutputs: 0 })
    const chunks = yield* Mailbox.make<Float32Array>({ capacity: maxChunks, strategy: "sliding" })
    const gone = yield* Deferred.make<void>()
    node.port.onmessage = ({ data }) => {
      if (data instanceof Float32Array) chunks.unsafeOffer(data)
    }
    const disconnected = () => {
      chunks.unsafeDone(Exit.void)
      Deferred.unsafeDone(gone, Exit.void)
    }
    for (const track of stream.getAudioTracks()) {
      track.addEventListener("ended", disconnected)
      if (track.readyState === "ended") disconnected()
    }
    const source = context.createMediaStreamSource(stream)
    source.connect(node)
    yield* Effect.addFinalizer(() => Effect.sync(() => source.disconnect()))
    return {
      audio: (format) =>
        Stream.suspend(() => {
          const resampler = Resampler.make({ from, to: sampleRate(format) })
          return Stream.map(Mailbox.toStream(chunks), (samples) => encode(format, resampler.push(fromFloat32(samples))))
        }),
      mute: (isMuted) =>
        Effect.sync(() => {
          for (const track of stream.getAudioTracks()) track.enabled = !isMuted
        }),
      gone: Deferred.await(gone)
    }
  })
