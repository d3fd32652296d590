import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Agent from "../../../src/Agent.js"
import { call, say } from "../../../src/ScriptedModel.js"
import { truncated } from "../../../src/session/calls/OutputLimit.js"
import * as Tool from "../../../src/Tool.js"
import { numRuns } from "../../runs.js"
import { errorText, open, outputFrame } from "../harness.js"

const long = "0123456789".repeat(5)
const read = Tool.make("read", { description: "Reads.", handler: () => Effect.succeed(long) })
const agent = Agent.make("Desk", { instructions: "Be brief.", tools: [read] })
const turns = [[call("read", {}, { callId: "c1" })], [say("Done.")]]
const cut = "01234567890123456789\n[Cut: the last 30 of 50 characters are left out.]"

describe("law 6, Boundedness: what the model reads of a call", () => {
  it.scoped("is cut if it is too long, with a note, and the application is told", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, turns, { maxOutputLength: 20 })
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.outputs).toEqual([outputFrame("c1", cut)])
      expect(h.all("OutputTruncated")).toMatchObject([{ call: { callId: "c1" }, length: 50, limit: 20 }])
      expect(h.all("ToolSucceeded")).toMatchObject([{ output: cut }])
      const tags = h.events.map(({ _tag }) => _tag)
      expect(tags.indexOf("OutputTruncated")).toBe(tags.indexOf("ToolSucceeded") - 1)
    })
  )

  it.scoped("is whole if its length is exactly the limit", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, turns, { maxOutputLength: 50 })
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.outputs).toEqual([outputFrame("c1", long)])
      expect(h.all("OutputTruncated")).toEqual([])
    })
  )

  it.scoped("is a failure if it is too long and the application wants that", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, turns, { maxOutputLength: 49, onLongOutput: "fail" })
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      const issue = "It has 50 characters, and 49 are allowed. Return less, or raise `maxOutputLength`."
      expect(h.all("ToolFailed")).toMatchObject([{ call: { callId: "c1" }, error: { _tag: "InvalidOutput", issue } }])
      const [output] = yield* h.model.outputs
      expect(output?.output).toMatch(/^\{"error":\{"type":"InvalidOutput"/)
    })
  )

  it.scoped("is cut as the text of a failure too, whatever becomes of long results", () =>
    Effect.gen(function* () {
      const Long = Schema.Struct({ log: Schema.String })
      const fails = Tool.make("read", { description: "", failure: Long, handler: () => Effect.fail({ log: long }) })
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [fails] }), turns, {
        maxOutputLength: 30,
        onLongOutput: "fail"
      })
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      const whole = errorText("ToolFailure", "read failed.", { log: long })
      const text = `${whole.slice(0, 30)}\n[Cut: the last ${whole.length - 30} of ${whole.length} characters are left out.]`
      expect(yield* h.outputs).toEqual([outputFrame("c1", text)])
      expect(h.all("OutputTruncated")).toMatchObject([{ length: whole.length, limit: 30 }])
      expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolFailure" }, output: text }])
    })
  )

  it.scoped("is cut as the result of a deferred call", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<string>()
      const slow = Tool.make("read", { description: "", handler: () => Deferred.await(gate) })
      const deferred = Agent.make("Desk", { instructions: "", tools: [Tool.deferred(slow, "It takes a while.")] })
      const h = yield* open(deferred, [...turns, [say("There it is.")]], { maxOutputLength: 20 })
      yield* h.session.sendText("Go.")
      yield* h.first("ToolDeferred")
      yield* Deferred.succeed(gate, long)
      expect(yield* h.first("ToolSucceeded")).toMatchObject({ output: cut })
      expect(h.all("OutputTruncated")).toHaveLength(1)
      const sent = JSON.stringify(yield* h.model.sent)
      expect(sent).toContain("[Cut: the last 30 of 50 characters are left out.]")
      expect(sent).not.toContain(long)
    })
  )

  it.scoped("is cut as the acknowledgement of a deferred call, whatever becomes of long results", () =>
    Effect.gen(function* () {
      const slow = Tool.make("read", { description: "", handler: () => Effect.never })
      const deferred = Agent.make("Desk", { instructions: "", tools: [Tool.deferred(slow, long)] })
      const h = yield* open(deferred, turns, { maxOutputLength: 20, onLongOutput: "fail" })
      yield* h.session.sendText("Go.")
      expect(yield* h.first("ToolDeferred")).toMatchObject({ call: { callId: "c1" }, output: cut })
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.outputs).toEqual([outputFrame("c1", cut)])
      expect(h.all("OutputTruncated")).toMatchObject([{ call: { callId: "c1" }, length: 50, limit: 20 }])
      const tags = h.events.map(({ _tag }) => _tag)
      expect(tags.indexOf("OutputTruncated")).toBe(tags.indexOf("ToolDeferred") - 1)
    })
  )

  it("never exceeds the limit, is the beginning of the text, and does not split a character", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.string({ unit: "binary", maxLength: 200 }),
        FastCheck.nat({ max: 200 }),
        (text, maxLength) => {
          const [kept = ""] = truncated(text, maxLength).split(
            /\n\[Cut: the last \d+ of \d+ characters are left out\.\]$/
          )
          expect(text.startsWith(kept)).toBe(true)
          expect(kept.length).toBeLessThanOrEqual(Math.max(maxLength, 0))
          expect(kept.length).toBeGreaterThanOrEqual(Math.min(text.length, maxLength - 1))
          // It throws for half a character.
          expect(() => encodeURIComponent(kept)).not.toThrow()
          if (text.length <= maxLength) expect(truncated(text, maxLength)).toBe(text)
        }
      ),
      { numRuns: numRuns(1000) }
    )
  })
})
