/** The microphone and the speaker of the page. Both are on only during a call. */
import { signal } from "@preact/signals"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type DeviceError, Devices, type GatewayClient, Microphone, Speaker } from "../../gateway-client.js"
import { worklets } from "../Protocol.js"
import type { Turns } from "./client/Call.js"

export type DeviceState =
  | { readonly _tag: "Off" }
  /** The browser may be asking the user. */
  | { readonly _tag: "Opening" }
  | { readonly _tag: "On" }
  | { readonly _tag: "Refused"; readonly message: string }

export const microphone = signal<DeviceState>({ _tag: "Off" })
/** Browsers play nothing before the first click or key: until then, the speaker is opening. */
export const speaker = signal<DeviceState>({ _tag: "Off" })
export const turns = signal<Turns>("detected")
/** Whether the user holds the button, where turns are committed. */
export const isHeld = signal(false)
export const devices = signal<ReadonlyArray<Devices.Device>>([])
/** The chosen devices; an empty id is the browser's default. */
export const chosen = signal<Readonly<Record<Devices.Device["kind"], string>>>({ microphone: "", speaker: "" })

/** A call, as the devices see it. */
interface Line {
  readonly client: GatewayClient.Client
  /** What the model gets to hear, in the format `client.welcome.input`. */
  readonly onHeard: (bytes: Uint8Array) => void
}

let line: Line | undefined
let listening: Fiber.RuntimeFiber<void> | undefined
let speaking: Fiber.RuntimeFiber<void> | undefined
let player: Speaker.Speaker | undefined

/** A call has begun: what it says is played. */
export const connect = (next: Line): void => {
  line = next
  play()
}

/** The call is over. */
export const disconnect = (): void => {
  line = undefined
  mute()
  stop(speaking)
  speaker.value = { _tag: "Off" }
}

/** All news of the call, in order. */
export const take = (news: GatewayClient.News): void => {
  if (player !== undefined) Effect.runSync(player.take(news))
}

/** Switches the microphone on. */
export const listen = (): void => {
  const current = line
  if (current === undefined) return
  stop(listening)
  microphone.value = { _tag: "Opening" }
  const { client, onHeard } = current
  const program = Effect.gen(function* () {
    const deviceId = chosen.value.microphone
    const device = yield* Microphone.open({
      workletUrl: worklets.microphone,
      ...(deviceId === "" ? {} : { deviceId })
    })
    microphone.value = { _tag: "On" }
    // The browser tells the names of devices from now on.
    devices.value = yield* Devices.list
    const send = Stream.runForEach(device.audio(client.welcome.input), (bytes) => {
      if (turns.value === "committed" && !isHeld.value) return Effect.void
      onHeard(bytes)
      return client.sendAudio(bytes)
    })
    yield* Effect.raceFirst(send, device.gone)
    microphone.value = { _tag: "Refused", message: "The microphone is gone. Connect it, or choose another one." }
  })
  listening = run(program, microphone)
}

/** Switches the microphone off. */
export const mute = (): void => {
  stop(listening)
  listening = undefined
  isHeld.value = false
  microphone.value = { _tag: "Off" }
}

const play = (): void => {
  const current = line
  if (current === undefined) return
  stop(speaking)
  speaker.value = { _tag: "Opening" }
  const { client } = current
  const program = Effect.gen(function* () {
    yield* gesture
    const deviceId = chosen.value.speaker
    const device = yield* Effect.acquireRelease(
      Speaker.open({
        format: client.welcome.output,
        workletUrl: worklets.speaker,
        ...(deviceId === "" ? {} : { deviceId })
      }),
      (device) =>
        Effect.sync(() => {
          if (player === device) player = undefined
        })
    )
    player = device
    speaker.value = { _tag: "On" }
    yield* Stream.runForEach(device.played, ({ contentIndex, heardMs, itemId }) =>
      client.reportPlayback(itemId, contentIndex, heardMs)
    )
  })
  speaking = run(program, speaker)
}

/** Uses another device, now and in later calls. */
export const choose = (kind: Devices.Device["kind"], id: string): void => {
  chosen.value = { ...chosen.value, [kind]: id }
  if (kind === "speaker") play()
  else if (microphone.value._tag !== "Off") listen()
}

/** The devices are listed again whenever one comes or goes. */
export const watchDevices = (): void => {
  Effect.runFork(
    Stream.runForEach(Devices.changes, (found) =>
      Effect.sync(() => {
        devices.value = found
      })
    )
  )
}

const run = (
  program: Effect.Effect<void, DeviceError, Scope.Scope>,
  state: typeof microphone
): Fiber.RuntimeFiber<void> =>
  program.pipe(
    Effect.scoped,
    Effect.catchTag("DeviceError", ({ message }) =>
      Effect.sync(() => {
        state.value = { _tag: "Refused", message }
      })
    ),
    Effect.runFork
  )

const stop = (fiber: Fiber.RuntimeFiber<void> | undefined): void => {
  if (fiber !== undefined) Effect.runFork(Fiber.interrupt(fiber))
}

/** Waits for the first click or key of the page. */
const gesture: Effect.Effect<void> = Effect.async((resume) => {
  if (navigator.userActivation.hasBeenActive) return resume(Effect.void)
  const listeners = new AbortController()
  const done = (): void => {
    if (!navigator.userActivation.hasBeenActive) return
    listeners.abort()
    resume(Effect.void)
  }
  for (const name of ["pointerup", "keyup"]) addEventListener(name, done, { signal: listeners.signal })
  return Effect.sync(() => listeners.abort())
})
