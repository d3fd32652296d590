import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { SessionEvent } from "../../src/SessionEvent.js"
import { judge } from "../../src/testing/Law.js"
import { patience } from "../../src/testing/patience.js"
import type { Testing } from "../../src/testing.js"
import { observed } from "./observed.js"

const calm = await observed("Hello.", "text", [{ _tag: "UserWrites", text: "Hello." }])

const failed = (requestId: string | undefined): SessionEvent => ({
  _tag: "ResponseDone",
  responseId: "r1",
  requestId,
  outOfBand: false,
  status: "failed",
  reason: "server_error",
  usage: undefined,
  metadata: undefined
})
const lost: SessionEvent = { _tag: "ResponseLost", requestId: "req_1", responseId: "r2", interrupted: false }

/** With the other events, and the second of each. */
const broken = (...events: ReadonlyArray<readonly [second: number, event: SessionEvent]>) => {
  const moments = events.map(([second, event]): Testing.Moment => ({ _tag: "Published", atMs: second * 1_000, event }))
  const observation = { ...calm, timeline: [...calm.timeline, ...moments] }
  return Effect.runSync(judge(patience, observation)).map(({ message }) => message)
}

describe("Patience", () => {
  it("holds where what fails is tried for a minute", () => {
    expect(broken([1, failed("req_1")], [60, failed("req_1")], [61, lost])).toEqual([])
  })

  it("sees what is given up too soon", () => {
    expect(broken([1, failed("req_1")], [4, lost])).toEqual([
      "req_1 was given up 3 seconds after it was first refused."
    ])
  })

  it("counts from the answer that the server gave by itself, in whose place the request is", () => {
    expect(broken([1, failed(undefined)], [61, failed("req_1")], [61, lost])).toEqual([])
    expect(broken([1, failed(undefined)], [20, failed("req_1")], [20, lost])).toHaveLength(1)
  })

  it("lets what would answer a question be given up where a guardrail stops the question", () => {
    const tripped = {
      _tag: "GuardrailTripped",
      guardrail: "polite",
      agent: "Desk",
      subject: "Input",
      itemId: "i1",
      feedback: "Be good."
    } as const
    expect(broken([1, failed("req_1")], [4, tripped], [4, lost])).toEqual([])
    expect(broken([1, failed("req_1")], [4, { ...tripped, subject: "Output" }], [4, lost])).toHaveLength(1)
  })
})
