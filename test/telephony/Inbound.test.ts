import { describe, expect, it } from "vitest"
import { Inbound } from "../../src/telephony/Inbound.js"

const format = { encoding: "pcmu", sampleRate: 8_000 } as const
const frame = new Uint8Array(160)

describe("The caller's audio", () => {
  it("is passed on as it comes, without timestamps too", () => {
    const inbound = new Inbound(format, 0)
    expect(inbound.take(frame, undefined, 20)).toMatchObject({ gapMs: 0, bytes: frame })
    expect(inbound.take(frame, undefined, 5_000)).toMatchObject({ gapMs: 0 })
  })

  it("has silence where frames are missing, but not where a vendor only rounds", () => {
    const inbound = new Inbound(format, 0)
    inbound.take(frame, 1_000, 20)
    expect(inbound.take(frame, 1_025, 40)).toMatchObject({ gapMs: 0 })
    const filled = inbound.take(frame, 1_100, 60)
    expect(filled?.gapMs).toBe(55)
    expect(filled?.silence).toEqual(new Uint8Array(440).fill(0xff))
  })

  it("is dropped when it is older, unless the vendor's clock was set back for good", () => {
    const inbound = new Inbound(format, 0)
    inbound.take(frame, 10_000, 20)
    const taken = Array.from({ length: 60 }, (_, index) => inbound.take(frame, 20 * index, 20 * index))
    expect(taken.findIndex((one) => one !== undefined)).toBe(49)
    expect(taken.slice(49).every((one) => one?.gapMs === 0)).toBe(true)
  })

  it("is replaced by silence while it does not come and the caller speaks, for a while", () => {
    const inbound = new Inbound(format, 0)
    inbound.take(frame, 0, 0)
    expect(inbound.fillAt()).toBeUndefined()
    inbound.speaks(true)
    let filled = 0
    for (let at = inbound.fillAt(); at !== undefined; at = inbound.fillAt()) {
      expect(inbound.fill(at - 1)).toBeUndefined()
      filled += inbound.fill(at)?.length ?? 0
    }
    expect(filled).toBe(10_500 * 8)
  })

  it("is not filled twice: silence that was added in the meantime counts", () => {
    const inbound = new Inbound(format, 0)
    inbound.take(frame, 0, 0)
    inbound.speaks(true)
    inbound.fill(750)
    expect(inbound.take(frame, 1_020, 1_000)?.gapMs).toBe(250)
    inbound.fill(1_750)
    expect(inbound.take(frame, 1_240, 1_760)?.gapMs).toBe(0)
    expect(inbound.take(frame, 1_260, 1_780)?.gapMs).toBe(0)
  })
})
