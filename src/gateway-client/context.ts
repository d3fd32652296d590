/** What a browser offers to a microphone or a speaker: its devices and its audio graph. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { DeviceError, deviceError } from "./DeviceError.js"

/** A page that was not loaded securely has no `mediaDevices`, and neither has Node. */
export const mediaDevices = (): MediaDevices | undefined => globalThis.navigator?.mediaDevices

type Device = DeviceError["device"]

/** A blob is revoked with the scope. */
const blobOf = (source: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => URL.createObjectURL(new Blob([source], { type: "text/javascript" }))),
    (url) => Effect.sync(() => URL.revokeObjectURL(url))
  )

/**
 * A running audio context that knows a worklet. It is closed with the scope. A browser lets it run only after the user has
 * clicked or typed, and until then this waits.
 *
 * @param sampleRate in samples per second; by default, the device's
 * @param url where the worklet is served; by default, a `blob:` URL of its source
 */
export const openContext = (
  device: Device,
  worklet: string,
  url: string | undefined,
  sampleRate?: number
): Effect.Effect<AudioContext, DeviceError, Scope.Scope> =>
  Effect.gen(function* () {
    if (typeof globalThis.AudioContext !== "function") {
      return yield* new DeviceError({ device, reason: "Unsupported", detail: "" })
    }
    const context = yield* Effect.acquireRelease(
      Effect.try({
        try: () => new AudioContext(sampleRate === undefined ? {} : { sampleRate }),
        catch: deviceError(device)
      }),
      (context) => Effect.promise(() => context.close())
    )
    const address = url ?? (yield* blobOf(worklet))
    yield* Effect.tryPromise({ try: () => context.audioWorklet.addModule(address), catch: deviceError(device) })
    yield* Effect.tryPromise({ try: () => context.resume(), catch: deviceError(device) })
    return context
  })

/** A node of a worklet. Fails if the module at the worklet's address is another one. */
export const openNode = (
  device: Device,
  context: AudioContext,
  name: string,
  options: AudioWorkletNodeOptions
): Effect.Effect<AudioWorkletNode, DeviceError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({ try: () => new AudioWorkletNode(context, name, options), catch: deviceError(device) }),
    (node) => Effect.sync(() => node.disconnect())
  )
