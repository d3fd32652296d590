/**
 * The audio of a browser, without sound: devices that a test connects, and an audio thread that runs a worklet's source one
 * block at a time.
 */
import { resolveObjectURL } from "node:buffer"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { vi } from "vitest"
import { microphoneName, speakerName } from "../../src/gateway-client/worklets.js"

type Channels = ReadonlyArray<Float32Array>

/** One side of a message channel. Messages arrive at once. */
export interface Port {
  onmessage: ((message: { readonly data: unknown }) => void) | undefined
  postMessage(data: unknown): void
}

/** What a worklet registers. */
export interface Processor {
  readonly port: Port
  process(inputs: ReadonlyArray<Channels>, outputs: ReadonlyArray<Channels>): boolean
}

const channel = (): readonly [Port, Port] => {
  const one: Port = { onmessage: undefined, postMessage: (data) => two.onmessage?.({ data }) }
  const two: Port = { onmessage: undefined, postMessage: (data) => one.onmessage?.({ data }) }
  return [one, two]
}

/** Runs a worklet's source, with what the audio thread offers. Returns the processor, and the node's side of its port. */
export const loadWorklet = (
  source: string,
  sampleRate: number
): { readonly processor: Processor; readonly port: Port } => {
  const [port, own] = channel()
  let registered: (new () => Processor) | undefined
  class AudioWorkletProcessor {
    readonly port = own
  }
  const register = (_: string, processor: new () => Processor) => {
    registered = processor
  }
  new Function("AudioWorkletProcessor", "registerProcessor", "sampleRate", source)(
    AudioWorkletProcessor,
    register,
    sampleRate
  )
  if (registered === undefined) throw new Error("Nothing was registered.")
  return { processor: new registered(), port }
}

export const samples = (length: number, value: number): Float32Array => new Float32Array(length).fill(value)

/** The browser throws such as these. */
export const exception = (name: string, message: string): Error => Object.assign(new Error(message), { name })

class Track extends EventTarget {
  readyState: "live" | "ended" = "live"
  enabled = true
  stop() {
    this.readyState = "ended"
  }
  /** As when the plug is pulled. */
  unplug() {
    this.readyState = "ended"
    this.dispatchEvent(new Event("ended"))
  }
}

interface Settings {
  /** Of the device. Default: 48,000. */
  readonly sampleRate?: number
  readonly baseLatency?: number
  readonly outputLatency?: number
  /** What the user answers. Default: allows it. */
  readonly ask?: () => Promise<void>
}

/** Installs such a browser until the scope closes. */
export const browser = ({
  ask = () => Promise.resolve(),
  baseLatency = 0,
  outputLatency,
  sampleRate = 48_000
}: Settings = {}) =>
  Effect.gen(function* () {
    const tracks: Array<Track> = []
    const devices: Array<{ deviceId: string; label: string; kind: string }> = []
    const constraints: Array<unknown> = []
    const sinks: Array<unknown> = []
    const media = Object.assign(new EventTarget(), {
      enumerateDevices: () => Promise.resolve([...devices]),
      getUserMedia: async (wanted: unknown) => {
        constraints.push(wanted)
        const track = new Track()
        tracks.push(track)
        await ask()
        return { getTracks: () => [track], getAudioTracks: () => [track] }
      }
    })
    const contexts: Array<Context> = []
    const nodes: Array<Node> = []

    class Context {
      state = "suspended"
      readonly destination = {}
      readonly baseLatency = baseLatency
      readonly outputLatency = outputLatency
      readonly sampleRate: number
      source = ""
      readonly audioWorklet = {
        addModule: async (url: string) => {
          const blob = resolveObjectURL(url)
          if (blob === undefined) throw exception("AbortError", `There is nothing at ${url}.`)
          this.source = await blob.text()
        }
      }
      constructor(options: { readonly sampleRate?: number } = {}) {
        this.sampleRate = options.sampleRate ?? sampleRate
        contexts.push(this)
      }
      async resume() {
        this.state = "running"
      }
      async close() {
        this.state = "closed"
      }
      async setSinkId(id: unknown) {
        sinks.push(id)
      }
      createMediaStreamSource() {
        return { connect: () => undefined, disconnect: () => undefined }
      }
    }

    class Node {
      readonly processor: Processor
      readonly port: Port
      constructor(
        context: Context,
        readonly name: string
      ) {
        const { port, processor } = loadWorklet(context.source, context.sampleRate)
        this.port = port
        this.processor = processor
        nodes.push(this)
      }
      connect() {}
      disconnect() {}
    }

    yield* Effect.acquireRelease(
      Effect.sync(() => {
        vi.stubGlobal("navigator", { mediaDevices: media })
        vi.stubGlobal("AudioContext", Context)
        vi.stubGlobal("AudioWorkletNode", Node)
      }),
      () => Effect.sync(() => vi.unstubAllGlobals())
    )
    return {
      /** Of the microphones that were asked for. */
      tracks,
      constraints,
      sinks,
      contexts,
      plugIn: (kind: string, deviceId: string, label: string) => {
        devices.push({ kind, deviceId, label })
        media.dispatchEvent(new Event("devicechange"))
      },
      /** The microphone hears this for one block. */
      hear: (block: Float32Array) => {
        for (const { name, processor } of nodes) if (name === microphoneName) processor.process([[block]], [])
      },
      /** What the speaker plays in one block of 128 samples. */
      play: (): ReadonlyArray<number> => {
        const output = new Float32Array(128)
        for (const { name, processor } of nodes) if (name === speakerName) processor.process([], [[output]])
        return [...output]
      }
    }
  }) satisfies Effect.Effect<unknown, never, Scope.Scope>
