import { describe, expect, it } from "vitest"
import * as Audio from "../../../../src/Audio.js"
import { Levels } from "../../../../src/console/page/model/Levels.js"

const tone = (samples: number, peak: number): Uint8Array =>
  Audio.encodePcm16(Int16Array.from({ length: samples }, (_, index) => (index % 2 === 0 ? peak : -peak)))

describe("Levels", () => {
  it("are the loudest sample of each 50 ms, however the audio was cut", () => {
    const whole = new Levels(Audio.pcm16)
    const audio = new Uint8Array([...tone(1_200, 16_384), ...tone(1_200, 0)])
    expect(whole.push(audio)).toEqual([0.5, 0])
    const pieces = new Levels(Audio.pcm16)
    const levels = Array.from({ length: 5 }, (_, index) => pieces.push(audio.subarray(index * 960, (index + 1) * 960)))
    expect(levels.flat()).toEqual([0.5, 0])
  })

  it("read the audio of telephones", () => {
    const levels = new Levels(Audio.pcmu)
    const [level] = levels.push(
      Audio.encode(
        Audio.pcmu,
        Int16Array.from({ length: 400 }, () => -16_384)
      )
    )
    expect(level).toBeCloseTo(0.5, 1)
  })
})
