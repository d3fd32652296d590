import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { bytesOf, pcm16, pcmu } from "../../src/audio/Format.js"
import * as Recordings from "../../src/machine/Recordings.js"
import type { AudioFormat } from "../../src/protocol/SessionConfig.js"
import { numRuns } from "../runs.js"

const bytes = (...values: ReadonlyArray<number>) => Uint8Array.from(values)
const make = (maxBytes = 1000) => {
  const changes: Array<string> = []
  return { recordings: new Recordings.Recordings(maxBytes, (itemId) => changes.push(itemId)), changes }
}
const heardMs = (ms: number) => (format: AudioFormat) => bytesOf(format, ms)
const kept = (...values: ReadonlyArray<number>) => ({ _tag: "Kept", format: pcmu, bytes: bytes(...values) })

describe("Recordings", () => {
  it("put the chunks of a part together, each part by itself", () => {
    const { recordings } = make()
    recordings.add("a", 0, bytes(1, 2), pcmu)
    recordings.add("b", 0, bytes(9), pcmu)
    recordings.add("a", 1, bytes(7), pcmu)
    recordings.add("a", 0, bytes(3), pcmu)
    expect(recordings.get("a", 0)).toEqual(kept(1, 2, 3))
    expect(recordings.get("a", 1)).toEqual(kept(7))
    expect(recordings.get("b", 0)).toEqual(kept(9))
    expect(recordings.get("b", 1)).toBeUndefined()
    expect(recordings.size()).toBe(5)
  })

  it("are cut to what was heard, to the sample, in the format of their first bytes", () => {
    const { changes, recordings } = make()
    recordings.add("a", 0, new Uint8Array(480).fill(1), pcm16)
    recordings.add("a", 0, new Uint8Array(480).fill(2), pcmu)
    changes.length = 0
    recordings.cut("a", 0, heardMs(20))
    expect(changes).toEqual([])
    recordings.cut("a", 0, heardMs(11))
    expect(changes).toEqual(["a"])
    const recording = recordings.get("a", 0)
    expect(recording).toMatchObject({ _tag: "Kept", format: pcm16 })
    // 11 ms at 48 bytes a millisecond.
    expect(recording?._tag === "Kept" ? Array.from(recording.bytes).filter((byte) => byte === 2) : []).toHaveLength(48)
    expect(recordings.size()).toBe(528)
    recordings.cut("a", 0, heardMs(0))
    expect(recordings.get("a", 0)).toEqual({ _tag: "Kept", format: pcm16, bytes: bytes() })
    expect(recordings.size()).toBe(0)
  })

  it("never change once handed out, whatever happens to the chunks", () => {
    const { recordings } = make()
    const chunk = bytes(1, 2, 3)
    recordings.add("a", 0, chunk, pcmu)
    chunk.fill(9)
    const before = recordings.get("a", 0)
    expect(recordings.get("a", 0)).toBe(before)
    recordings.add("a", 0, bytes(4), pcmu)
    recordings.cut("a", 0, () => 2)
    recordings.add("a", 0, bytes(5), pcmu)
    expect(before).toEqual(kept(1, 2, 3))
    expect(recordings.get("a", 0)).toEqual(kept(1, 2, 5))
  })

  it("take no more memory than they need once they are complete", () => {
    const { recordings } = make()
    for (const byte of [1, 2, 3]) recordings.add("a", 0, bytes(byte), pcmu)
    recordings.complete("a", 0)
    const recording = recordings.get("a", 0)
    expect(recording).toEqual(kept(1, 2, 3))
    expect(recording?._tag === "Kept" ? recording.bytes.buffer.byteLength : undefined).toBe(3)
  })

  it("drop the oldest beyond the bound, mark it, and keep no more of it", () => {
    const { changes, recordings } = make(5)
    recordings.add("a", 0, bytes(1, 2), pcmu)
    recordings.add("b", 0, bytes(3, 4), pcmu)
    changes.length = 0
    recordings.add("b", 0, bytes(5, 6), pcmu)
    expect(changes).toEqual(["b", "a"])
    recordings.add("a", 0, bytes(9), pcmu)
    expect(recordings.get("a", 0)).toEqual({ _tag: "Dropped" })
    expect(recordings.get("b", 0)).toEqual(kept(3, 4, 5, 6))
    recordings.add("b", 0, bytes(7, 8), pcmu)
    expect(recordings.get("b", 0)).toEqual({ _tag: "Dropped" })
    expect(recordings.size()).toBe(0)
  })

  it("are forgotten with their item", () => {
    const { recordings } = make(4)
    recordings.add("a", 0, bytes(1, 2), pcmu)
    recordings.add("a", 1, bytes(3, 4), pcmu)
    recordings.forget("a")
    expect(recordings.get("a", 0)).toBeUndefined()
    recordings.add("b", 0, bytes(5, 6, 7, 8), pcmu)
    expect(recordings.get("b", 0)).toEqual(kept(5, 6, 7, 8))
  })

  it("are the same as plain lists, and never more than the bound, over random steps", () => {
    const id = fc.constantFrom("a", "b", "c")
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ add: id, count: fc.nat(6) }) },
      fc.record({ cut: id, samples: fc.nat(12) }),
      fc.record({ complete: id }),
      fc.record({ forget: id })
    )
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20 }), fc.array(step, { maxLength: 40 }), (maxBytes, steps) => {
        const { recordings } = make(maxBytes)
        let model: ReadonlyArray<{ readonly id: string; readonly bytes: ReadonlyArray<number> | "Dropped" }> = []
        const sizeOf = (list: typeof model) =>
          list.reduce((sum, part) => sum + (part.bytes === "Dropped" ? 0 : part.bytes.length), 0)
        let next = 0
        for (const one of steps) {
          if ("add" in one) {
            const values = Array.from({ length: one.count }, () => (next += 1))
            recordings.add(one.add, 0, bytes(...values), pcmu)
            if (!model.some((part) => part.id === one.add)) model = [...model, { id: one.add, bytes: [] }]
            model = model.map((part) =>
              part.id === one.add && part.bytes !== "Dropped" ? { ...part, bytes: [...part.bytes, ...values] } : part
            )
            while (sizeOf(model) > maxBytes) {
              const oldest = model.find((part) => part.bytes !== "Dropped")?.id
              model = model.map((part) => (part.id === oldest ? { ...part, bytes: "Dropped" } : part))
            }
          } else if ("cut" in one) {
            recordings.cut(one.cut, 0, () => one.samples)
            model = model.map((part) =>
              part.id === one.cut && part.bytes !== "Dropped"
                ? { ...part, bytes: part.bytes.slice(0, one.samples) }
                : part
            )
          } else if ("complete" in one) recordings.complete(one.complete, 0)
          else {
            recordings.forget(one.forget)
            model = model.filter((part) => part.id !== one.forget)
          }
          expect(recordings.size()).toBe(sizeOf(model))
          for (const itemId of ["a", "b", "c"]) {
            const part = model.find((other) => other.id === itemId)
            const expected =
              part === undefined ? undefined : part.bytes === "Dropped" ? { _tag: "Dropped" } : kept(...part.bytes)
            expect(recordings.get(itemId, 0)).toEqual(expected)
          }
        }
      }),
      { numRuns: numRuns(500) }
    )
  })
})
