import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import { encodePcma, encodePcmu } from "../../src/audio/G711.js"
import { encodePcm16 } from "../../src/audio/Pcm16.js"
import * as Wav from "../../src/audio/Wav.js"
import { numRuns } from "../runs.js"

const le = (width: 2 | 4, value: number): ReadonlyArray<number> =>
  Array.from({ length: width }, (_, index) => (value >>> (8 * index)) & 255)

const id = (text: string): ReadonlyArray<number> => Array.from(text, (char) => char.charCodeAt(0))

const chunk = (name: string, body: Iterable<number>, size?: number): ReadonlyArray<number> => {
  const bytes = [...body]
  return [...id(name), ...le(4, size ?? bytes.length), ...bytes, ...(bytes.length % 2 === 1 ? [0] : [])]
}

const format = (tag: number, bits: number, channels = 1, rate = 24000) =>
  chunk("fmt ", [
    ...le(2, tag),
    ...le(2, channels),
    ...le(4, rate),
    ...le(4, (rate * channels * bits) >> 3),
    ...le(2, (channels * bits) >> 3),
    ...le(2, bits)
  ])

const riff = (...chunks: ReadonlyArray<ReadonlyArray<number>>): Uint8Array => {
  const body = chunks.flat()
  return Uint8Array.from([...id("RIFF"), ...le(4, body.length + 4), ...id("WAVE"), ...body])
}

const samplesOf = (file: Uint8Array) => Array.from(Either.getOrThrow(Wav.decode(file)).samples)
const messageOf = (file: Uint8Array) => Either.getOrThrow(Either.flip(Wav.decode(file))).message

const samples = Int16Array.of(0, 1, -1, 32_767, -32_768, 258)
const data = encodePcm16(samples)
const floats = (values: ReadonlyArray<number>) => new Uint8Array(Float32Array.from(values).buffer)

describe("Wav", () => {
  it("writes the usual header", () => {
    expect(Wav.encode({ sampleRate: 24000, samples: Int16Array.of(1, -2) })).toEqual(
      riff(format(1, 16), chunk("data", [1, 0, 0xfe, 0xff]))
    )
  })

  it("reads back what it wrote, from samples or bytes, at any offset", () => {
    fc.assert(
      fc.property(
        fc.int16Array({ maxLength: 60 }),
        fc.integer({ min: 1, max: 192_000 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(5),
        (input, sampleRate, channels, offset) => {
          const file = Wav.encode({ sampleRate, channels, samples: input })
          expect(Wav.encode({ sampleRate, channels, bytes: encodePcm16(input) })).toEqual(file)
          const space = new Uint8Array(offset + file.length)
          space.set(file, offset)
          const whole = input.slice(0, input.length - (input.length % channels))
          expect(Wav.decode(space.subarray(offset))).toEqual(Either.right({ sampleRate, channels, samples: whole }))
        }
      ),
      { numRuns: numRuns(200) }
    )
  })

  it("leaves out an odd last byte", () => {
    expect(Wav.encode({ sampleRate: 8000, bytes: Uint8Array.of(1, 2, 3) })).toHaveLength(46)
  })

  it.each([
    ["PCM of 8 bits", 1, 8, [0, 128, 255], [-32_768, 0, 32_512]],
    ["PCM of 12 bits in 16", 1, 12, [0xf0, 0x7f], [0x7ff0]],
    ["PCM of 24 bits", 1, 24, [9, 1, 0, 0, 0, 0x80, 0xff, 0xff, 0x7f], [1, -32_768, 32_767]],
    ["PCM of 32 bits", 1, 32, [9, 9, 1, 0, 0, 0, 0, 0x80], [1, -32_768]],
    ["floats of 32 bits", 3, 32, floats([0, 0.5, -1, 1, Number.NaN]), [0, 16_384, -32_768, 32_767, 0]],
    ["floats of 64 bits", 3, 64, new Uint8Array(Float64Array.of(0.25, -2).buffer), [8192, -32_768]],
    ["A-law", 6, 8, encodePcma(Int16Array.of(8, -8, 5504)), [8, -8, 5504]],
    ["µ-law", 7, 8, encodePcmu(Int16Array.of(0, -876, 32_124)), [0, -876, 32_124]]
  ] as const)("reads %s", (_, tag, bits, body, expected) => {
    expect(samplesOf(riff(format(tag, bits), chunk("data", body)))).toEqual(expected)
  })

  it("reads the extensible form", () => {
    const fields = [...le(2, 0xfffe), ...le(2, 2), ...le(4, 48_000), ...le(4, 192_000), ...le(2, 4), ...le(2, 16)]
    const extension = [...le(2, 22), ...le(2, 16), ...le(4, 3), ...le(2, 1), ...new Array<number>(14).fill(0)]
    const file = riff(chunk("fmt ", [...fields, ...extension]), chunk("data", data))
    expect(Wav.decode(file)).toEqual(Either.right({ sampleRate: 48_000, channels: 2, samples }))
  })

  it("skips other chunks, of odd length too, with and without the byte that makes it even", () => {
    expect(samplesOf(riff(chunk("JUNK", [1, 2, 3]), format(1, 16), chunk("LIST", [7]), chunk("data", data)))).toEqual([
      ...samples
    ])
    const unpadded = [...id("note"), ...le(4, 3), 1, 2, 3]
    expect(samplesOf(riff(unpadded, format(1, 16), chunk("data", data), chunk("id3 ", [1])))).toEqual([...samples])
  })

  it("finds the data even if it comes before the format", () => {
    expect(samplesOf(riff(chunk("data", data), format(1, 16)))).toEqual([...samples])
  })

  it("reads the data that is there when a size is wrong", () => {
    const streamed = riff(format(1, 16), chunk("data", data, 0xffffffff))
    streamed.fill(0xff, 4, 8)
    expect(samplesOf(streamed)).toEqual([...samples])

    const unfinished = riff(format(1, 16), chunk("data", data, 0))
    unfinished.fill(0, 4, 8)
    expect(samplesOf(unfinished)).toEqual([...samples])

    const file = Wav.encode({ sampleRate: 24000, samples })
    expect(samplesOf(file.subarray(0, 44 + 7))).toEqual([0, 1, -1])
    expect(samplesOf(file.subarray(0, 44))).toEqual([])
  })

  it.each([0, 8, 36, 0xffffffff])(
    "finds what was recorded before its writer was killed: the file says %i bytes, the data 0",
    (size) => {
      const killed = riff(format(1, 16), chunk("data", data, 0))
      new DataView(killed.buffer).setUint32(4, size, true)
      expect(samplesOf(killed)).toEqual([...samples])
      expect(samplesOf(killed.subarray(0, -3)), "an odd tail").toEqual([...samples.slice(0, -2)])
      const later = riff(chunk("JUNK", new Array(28).fill(0)), format(1, 16), chunk("data", data, 0))
      new DataView(later.buffer).setUint32(4, size, true)
      expect(samplesOf(later), "with a chunk before").toEqual([...samples])
    }
  )

  it("reads the 64-bit form, and does not read a chunk after the data as samples", () => {
    const long = (form: string, size: number) => {
      const sizes = chunk("ds64", [...le(4, 0), ...le(4, 0), ...le(4, size), ...le(4, 0), ...new Array(12).fill(0)])
      const file = riff(sizes, format(1, 16), chunk("data", data, 0xffffffff), chunk("LIST", [1, 2, 3, 4]))
      file.set(id(form), 0)
      file.fill(0xff, 4, 8)
      return file
    }
    expect(samplesOf(long("RF64", data.length))).toEqual([...samples])
    expect(samplesOf(long("BW64", data.length))).toEqual([...samples])
    expect(samplesOf(long("RF64", 0)).slice(0, samples.length), "killed before it knew").toEqual([...samples])
  })

  it("reads all whole frames from a file that is cut off anywhere", () => {
    const sizes = fc.constantFrom("as they are", "of a pipe", "of a writer that was killed")
    const chunks = fc.array(fc.tuple(fc.constantFrom("JUNK", "fact", "LIST"), fc.uint8Array({ maxLength: 9 })), {
      maxLength: 2
    })
    fc.assert(
      fc.property(
        fc.int16Array({ maxLength: 40 }),
        fc.integer({ min: 1, max: 3 }),
        chunks,
        sizes,
        fc.nat(90),
        (input, channels, before, known, length) => {
          const head = riff(...before.map(([name, body]) => chunk(name, body)), format(1, 16, channels)).length + 8
          const body = encodePcm16(input)
          const size = { "as they are": body.length, "of a pipe": 0xffffffff, "of a writer that was killed": 0 }[known]
          const file = riff(
            ...before.map(([name, body]) => chunk(name, body)),
            format(1, 16, channels),
            chunk("data", body, size)
          )
          if (known !== "as they are")
            new DataView(file.buffer).setUint32(4, known === "of a pipe" ? 0xffffffff : head - 8, true)
          const there = input.slice(0, Math.floor(Math.min(length, body.length) / 2 / channels) * channels)
          expect(samplesOf(file.subarray(0, head + length))).toEqual([...there])
        }
      ),
      { numRuns: numRuns(500) }
    )
  })

  it("reads an empty recording as empty, whatever follows it", () => {
    expect(samplesOf(riff(format(1, 16), chunk("data", []), chunk("LIST", [1, 2, 3, 4])))).toEqual([])
  })

  it.each([
    [new Uint8Array(0), "not a WAV file"],
    [Uint8Array.from(id("ID3 MP3 and so on")), "Convert it to WAV first"],
    [riff(), "no format chunk"],
    [riff(format(1, 16)), "no data chunk"],
    [riff(chunk("fmt ", [1, 0, 1, 0]), chunk("data", data)), "no format chunk"],
    [riff(format(1, 16, 0), chunk("data", data)), "no channels or no sample rate"],
    [riff(format(1, 16, 1, 0), chunk("data", data)), "no channels or no sample rate"],
    [riff(format(85, 0), chunk("data", data)), "encoding 85 with 0 bits"],
    [riff(format(1, 64), chunk("data", data)), "encoding 1 with 64 bits"],
    [riff(format(3, 16), chunk("data", data)), "encoding 3 with 16 bits"]
  ])("says what is wrong with a file (%#)", (file, message) => {
    expect(messageOf(file)).toContain(message)
  })

  it("never throws, and never gives half a frame, whatever the bytes are", () => {
    const tags = fc.constantFrom(0, 1, 3, 6, 7, 85, 0xfffe)
    const bits = fc.constantFrom(0, 1, 8, 12, 16, 24, 32, 64, 65_535)
    const valid = fc
      .tuple(
        tags,
        bits,
        fc.integer({ min: 0, max: 5 }),
        fc.uint8Array({ maxLength: 40 }),
        fc.uint8Array({ maxLength: 5 })
      )
      .map(([tag, width, channels, body, extra]) =>
        riff(chunk("LIST", extra), format(tag, width, channels), chunk("data", body))
      )
    const damaged = fc
      .tuple(valid, fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 4 }), fc.nat(140))
      .map(([file, changes, length]) => {
        for (const [at, byte] of changes) if (at < file.length) file[at] = byte
        return file.subarray(0, length)
      })
    const verdicts = new Set<string>()
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), valid, damaged), (file) => {
        const decoded = Wav.decode(file)
        verdicts.add(decoded._tag)
        if (Either.isRight(decoded)) {
          expect(decoded.right.samples.length % decoded.right.channels).toBe(0)
          expect(decoded.right.samples.length).toBeLessThanOrEqual(file.length)
        } else {
          expect(decoded.left._tag).toBe("InvalidAudio")
        }
      }),
      { numRuns: numRuns(3000) }
    )
    expect(verdicts.size).toBe(2)
  })
})
