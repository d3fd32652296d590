import { describe, expect, it } from "@effect/vitest"
import * as MetricLabel from "effect/MetricLabel"
import { Instrument, type Labels } from "../../../src/session/telemetry/Instrument.js"

const recording = () => {
  const seen: Array<Labels> = []
  const metric = {
    unsafeUpdate: (_: number, labels: Labels) => {
      seen.push(labels)
    },
    unsafeModify: (_: number, labels: Labels) => {
      seen.push(labels)
    }
  }
  return { seen, instrument: new Instrument("calls", metric, "{call}", ["tool", "outcome"]) }
}

const shown = (labels: Labels | undefined) => labels?.map(({ key, value }) => `${key}=${value}`)

describe("An instrument", () => {
  it("gives the same labels for the same values, by which Effect finds the metric at once", () => {
    const { instrument, seen } = recording()
    const base = [MetricLabel.make("tenant", "acme")]
    instrument.update(base, 1, "pay", "Succeeded")
    instrument.update(base, 1, "pay", "Succeeded")
    instrument.update(base, 1, undefined, "Succeeded")
    expect(seen[1]).toBe(seen[0])
    expect(shown(seen[0])).toEqual(["unit={call}", "tool=pay", "outcome=Succeeded", "tenant=acme"])
    expect(shown(seen[2])).toEqual(["unit={call}", "outcome=Succeeded", "tenant=acme"])
  })

  it("counts what is beyond 2,000 sets of values together, so that a server's words fill no memory", () => {
    const { instrument, seen } = recording()
    const base: Labels = []
    for (let n = 0; n < 2_100; n += 1) instrument.update(base, 1, `tool ${n}`, "Succeeded")
    instrument.update(base, 1, "tool 7", "Succeeded")
    expect(shown(seen[1_999])).toEqual(["unit={call}", "tool=tool 1999", "outcome=Succeeded"])
    expect(shown(seen[2_000])).toEqual(["unit={call}", "otel.metric.overflow=true"])
    expect(seen[2_099]).toBe(seen[2_000])
    expect(seen[2_100], "what was there before goes on").toBe(seen[7])
    expect(new Set(seen).size).toBe(2_001)
  })
})
