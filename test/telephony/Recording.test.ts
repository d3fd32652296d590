import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { describe, expect, it } from "vitest"
import * as Wav from "../../src/audio/Wav.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import { FakeCaller, MediaStream, PhoneCall, Recording, TwilioMediaStream } from "../../src/Telephony.js"
import { record } from "../../src/telephony/recorder.js"
import { adjust, call, inTime, plainAgent } from "./harness.js"

const { RecordingError } = Recording

/** Keeps what is written, and counts what was opened and closed. */
const inMemory = () => {
  const written: Array<Uint8Array> = []
  const log: Array<string> = []
  const recording: Recording.Recording = {
    open: ({ channels, sampleRate }) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          log.push(`opened ${sampleRate} ${channels}`)
          return { write: (bytes: Uint8Array) => Effect.sync(() => void written.push(bytes)) }
        }),
        () => Effect.sync(() => log.push("closed"))
      )
  }
  const samples = () => {
    const bytes = Uint8Array.from(written.flatMap((chunk) => [...chunk]))
    return new Int16Array(bytes.buffer)
  }
  return { recording, log, written, samples }
}

describe("A recording of a call", () => {
  it("has the caller on the left and the agent on the right, to the end of the call", async () => {
    const { log, recording, samples } = inMemory()
    await inTime(
      Effect.gen(function* () {
        const { phone } = yield* call(plainAgent, [[ScriptedModel.say("Hello, who is there?")]], { record: recording })
        yield* adjust("3 seconds")
        yield* Effect.fork(phone.say(new Uint8Array(8_000).fill(0x10)))
        yield* adjust("1 second")
      })
    )
    expect(log).toEqual(["opened 8000 2", "closed"])
    const frames = samples()
    expect(frames.length / 2).toBe(4 * 8_000)
    const left = (ms: number) => frames[2 * 8 * ms]
    expect([left(1_000), left(2_900)]).toEqual([0, 0])
    expect(Math.abs(left(3_500) ?? 0)).toBeGreaterThan(1_000)
  })

  it("is written while the call goes on, in small pieces", async () => {
    const { recording, written } = inMemory()
    await inTime(
      Effect.gen(function* () {
        yield* call(plainAgent, [], { record: recording, speaksFirst: false })
        yield* adjust("6 seconds")
        expect(written.length).toBe(10)
        expect(Math.max(...written.map(({ length }) => length))).toBeLessThanOrEqual(4 * 4_000)
      })
    )
  })

  it("that fails, or is too slow, costs nothing but itself", async () => {
    const broken: Recording.Recording = { open: () => new RecordingError({ message: "The disk is full." }) }
    const slow: Recording.Recording = { open: () => Effect.succeed({ write: () => Effect.sleep("1 minute") }) }
    await inTime(
      Effect.gen(function* () {
        for (const record of [broken, slow]) {
          const { live, phone, phoneEvents } = yield* call(plainAgent, [], { record, speaksFirst: false })
          yield* adjust("12 seconds")
          expect(phoneEvents).toMatchObject([{ _tag: "RecordingFailed" }])
          yield* phone.hangUp
          expect(yield* live.ended).toEqual({ _tag: "CallerHungUp" })
        }
      })
    )
  })
})

describe("A recording that hangs, and cannot be interrupted,", () => {
  const hangs = Effect.uninterruptible(Effect.never)
  const writer: Recording.Writer = { write: () => Effect.void }
  const hanging: ReadonlyArray<readonly [when: string, recording: Recording.Recording, seconds: number]> = [
    ["when it opens", { open: () => hangs }, 1],
    ["when it is written", { open: () => Effect.succeed({ write: () => hangs }) }, 11],
    ["when it is closed", { open: () => Effect.acquireRelease(Effect.succeed(writer), () => hangs) }, 11]
  ]
  it.each(hanging)("does not hold a call whose caller hangs up, %s, and says so", (_, record, seconds) =>
    inTime(
      Effect.gen(function* () {
        const model = yield* ScriptedModel.make([])
        const [phone, socket] = yield* FakeCaller.make()
        const stream = yield* MediaStream.open(socket, TwilioMediaStream.codec)
        const told: Array<string> = []
        const onPhoneEvent = ({ _tag }: PhoneCall.PhoneEvent) => told.push(_tag)
        const running = yield* PhoneCall.run(plainAgent, stream, { record, onPhoneEvent, speaksFirst: false }).pipe(
          Effect.provide(model.layer),
          Effect.forkDaemon
        )
        // The second piece is the last one.
        yield* adjust("400 millis")
        yield* phone.hangUp
        yield* adjust(`${seconds} seconds`)
        expect(yield* Fiber.poll(running)).toEqual(Option.some(Exit.succeed({ _tag: "CallerHungUp" })))
        expect(told).toEqual(["RecordingFailed"])
      })
    )
  )

  it("when it opens, is given up after 10 seconds, and nothing more is kept for it", () =>
    inTime(
      Effect.gen(function* () {
        const failures: Array<string> = []
        let now = 0
        let kept = 0
        const recorder = yield* record(
          { open: () => hangs },
          { encoding: "pcmu", sampleRate: 8_000 },
          () => {
            // It is only asked for the time of what is kept.
            kept += 1
            return now
          },
          ({ message }) => failures.push(message)
        )
        const hear = () => {
          const before = kept
          recorder.heard(new Uint8Array(160))
          recorder.played(new Uint8Array(160))
          return kept - before
        }
        yield* adjust("9 seconds")
        now = 9_000
        expect(hear()).toBe(2)
        expect(failures).toEqual([])
        yield* adjust("1 second")
        now = 10_000
        expect(failures).toEqual([expect.stringContaining("did not open within 10 seconds")])
        expect(hear()).toBe(0)
        yield* adjust("1 hour")
        expect(failures.length).toBe(1)
      })
    ))

  it("but opens after all, is closed", () =>
    inTime(
      Effect.gen(function* () {
        const log: Array<string> = []
        const open = () =>
          Effect.acquireRelease(Effect.as(Effect.sleep("30 seconds"), writer), () =>
            Effect.sync(() => log.push("closed"))
          )
        const { phoneEvents } = yield* call(plainAgent, [], { record: { open }, speaksFirst: false })
        yield* adjust("29 seconds")
        expect(phoneEvents).toMatchObject([{ _tag: "RecordingFailed" }])
        expect(log).toEqual([])
        yield* adjust("1 second")
        expect(log).toEqual(["closed"])
      })
    ))
})

describe("A recording in a file", () => {
  it("is a WAV file at any moment, and says how long it is at the end", async () => {
    const folder = mkdtempSync(join(tmpdir(), "recording-"))
    const path = join(folder, "call.wav")
    const read = () => Either.getOrThrow(Wav.decode(new Uint8Array(readFileSync(path))))
    await Effect.gen(function* () {
      const { open } = Recording.toFile(path)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const writer = yield* open({ sampleRate: 8_000, channels: 2 })
          yield* writer.write(new Uint8Array([1, 0, 2, 0, 3, 0, 4, 0]))
          expect(read().samples).toEqual(Int16Array.of(1, 2, 3, 4))
          yield* writer.write(new Uint8Array([5, 0, 6, 0]))
        })
      )
      expect(read()).toEqual({ sampleRate: 8_000, channels: 2, samples: Int16Array.of(1, 2, 3, 4, 5, 6) })
      expect(readFileSync(path).readUInt32LE(40)).toBe(12)
      const nowhere = Recording.toFile(join(folder, "no", "such", "folder.wav"))
      const error = yield* Effect.flip(Effect.scoped(nowhere.open({ sampleRate: 8_000, channels: 2 })))
      expect(error._tag).toBe("RecordingError")
    }).pipe(Effect.provide(NodeFileSystem.layer), Effect.runPromise)
    rmSync(folder, { recursive: true })
  })
})
