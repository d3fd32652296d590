import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { expectTypeOf } from "vitest"
import * as Agent from "../../../src/Agent.js"
import * as Guardrail from "../../../src/Guardrail.js"
import { call, pause, say } from "../../../src/ScriptedModel.js"
import * as Tool from "../../../src/Tool.js"
import { errorText, open, outputFrame } from "../harness.js"
import { begin, beginItem, handled, speak, systemMessages, words, wordsDone } from "../speaking.js"

class Policy extends Context.Tag("test/Policy")<Policy, { readonly word: string }>() {}

const no = (word: string, feedback = `Do not say ${word}.`) => ({
  check: (text: string) => Effect.succeed(text.includes(word) ? Guardrail.trip(feedback) : Guardrail.pass)
})

const guardedBy = (...guardrails: ReadonlyArray<Guardrail.Guardrail<never>>) =>
  Agent.make("Desk", { instructions: "", guardrails })

/** A check that passes, and the texts that it has read. */
const reader = () => {
  const seen: Array<string> = []
  const check = (text: string) =>
    Effect.sync(() => {
      seen.push(text)
      return Guardrail.pass
    })
  return { seen, check }
}

describe("§5 Output guardrails", () => {
  it.scoped("stops a response in the middle: cancelled, published, the model told why, and asked to go on", () =>
    Effect.gen(function* () {
      const h = yield* open(guardedBy(Guardrail.output("no_prices", { ...no("euros"), debounce: 5 })), [
        [say("It costs ten euros."), pause("1 hour"), say("And more.")],
        [say("I can not say.")]
      ])
      yield* h.session.sendText("How much?")
      expect(yield* h.first("GuardrailTripped")).toEqual({
        _tag: "GuardrailTripped",
        guardrail: "no_prices",
        agent: "Desk",
        subject: "Output",
        itemId: expect.any(String),
        feedback: "Do not say euros."
      })
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "cancelled" })
      expect(yield* h.nth("ResponseDone", 2)).toMatchObject({ status: "completed" })
      expect(yield* systemMessages(h)).toEqual(["Do not say euros."])
      expect(yield* h.requests).toBe(2)
      expect(h.all("GuardrailTripped")).toHaveLength(1)
    })
  )

  it.scoped("checks a short answer, and the tail of a long one, at its end", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const watch = Guardrail.output("watch", {
        check: (text) =>
          Effect.as(
            Effect.sync(() => seen.push(text)),
            Guardrail.pass
          )
      })
      const long = `${"word ".repeat(50)}end`
      const h = yield* open(guardedBy(watch), [[say("No.")], [say(long)]])
      yield* h.session.sendText("1")
      yield* h.first("ResponseDone")
      yield* h.session.sendText("2")
      yield* h.nth("ResponseDone", 2)
      yield* TestClock.adjust("1 second")
      expect(seen[0]).toBe("No.")
      expect(seen.at(-1)).toBe(long)
      expect(seen.length).toBeLessThan(8)
    })
  )

  it.scoped("runs one check at a time for an item, and reads the newest text when that is over", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const seen: Array<string> = []
      const slow = Guardrail.output("slow", {
        debounce: 1,
        check: (text) =>
          Effect.as(
            Effect.zipRight(
              Effect.sync(() => seen.push(text)),
              Deferred.await(gate)
            ),
            Guardrail.pass
          )
      })
      const text = "one two three four five six seven"
      const h = yield* open(guardedBy(slow), [[say(text)]])
      yield* h.session.sendText("Count.")
      yield* h.first("ResponseDone")
      expect(seen).toHaveLength(1)
      yield* Deferred.succeed(gate, undefined)
      yield* TestClock.adjust("1 second")
      expect(seen).toHaveLength(2)
      expect(seen[1]).toBe(text)
    })
  )

  it.scoped(
    "publishes a check that fails, which passes, or trips where it is to fail closed; it masks no other's trip",
    () =>
      Effect.gen(function* () {
        const broken = Guardrail.output("broken", { check: () => Effect.die("boom") })
        const closed = Guardrail.output("closed", { check: () => Effect.fail("down"), onFailure: "closed" })
        const h = yield* open(guardedBy(broken), [[say("Fine.")]])
        yield* h.session.sendText("1")
        expect(yield* h.first("GuardrailFailed")).toMatchObject({ guardrail: "broken", subject: "Output" })
        expect(yield* h.first("ResponseDone")).toMatchObject({ status: "completed" })
        expect(h.all("GuardrailTripped")).toEqual([])

        const strict = yield* open(guardedBy(broken, closed, Guardrail.output("no", no("euros"))), [
          [say("Ten euros."), pause("1 hour")],
          [say("Sorry.")]
        ])
        yield* strict.session.sendText("1")
        yield* strict.nth("GuardrailTripped", 2)
        expect(strict.all("GuardrailFailed").map(({ guardrail }) => guardrail)).toEqual(["broken", "closed"])
        yield* strict.nth("ResponseDone", 2)
        // One item is stopped once, whatever else its checks find.
        expect(yield* systemMessages(strict)).toHaveLength(1)
      })
  )

  it.scoped("does not wait forever for a check that does not end", () =>
    Effect.gen(function* () {
      const stuck = Guardrail.output("stuck", { check: () => Effect.never, onFailure: "closed" })
      const h = yield* open(guardedBy(stuck), [[say("Well."), pause("20 seconds"), say("So.")], [say("Sorry.")]])
      yield* h.session.sendText("1")
      yield* h.first("TextCompleted")
      yield* TestClock.adjust("10 seconds")
      expect(yield* h.first("GuardrailFailed")).toMatchObject({ guardrail: "stuck" })
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "cancelled" })
    })
  )

  it.scoped("touches no newer response with a verdict about one that is over", () =>
    Effect.gen(function* () {
      const late = Guardrail.output("late", {
        check: (text) =>
          text === "Bad."
            ? Effect.as(Effect.sleep("9 seconds"), Guardrail.trip("Too late."))
            : Effect.succeed(Guardrail.pass)
      })
      const h = yield* open(guardedBy(late), [[say("Bad.")], [say("Good"), pause("25 seconds"), say("morning.")]])
      yield* h.session.sendText("1")
      yield* h.first("ResponseDone")
      yield* h.session.sendText("2")
      yield* h.nth("ResponseStarted", 2)
      yield* TestClock.adjust("9 seconds")
      yield* h.first("GuardrailTripped")
      yield* TestClock.adjust("16 seconds")
      expect(yield* h.nth("ResponseDone", 2)).toMatchObject({ status: "completed" })
      expect(yield* systemMessages(h)).toEqual([])
      expect(yield* h.requests).toBe(2)
    })
  )
})

describe("§5 Output guardrails read", () => {
  it.scoped("the transcript of audio, while it is said", () =>
    Effect.gen(function* () {
      const h = yield* open(guardedBy(Guardrail.output("no", { ...no("BAD"), debounce: 1 })), [], {
        settings: { output_modalities: ["audio"] }
      })
      yield* speak(h, 1)
      yield* words(h, "Audio", "Something BAD")
      expect(yield* h.first("GuardrailTripped")).toMatchObject({ itemId: "i1", subject: "Output" })
      expect(yield* h.model.next("response.cancel")).toMatchObject({ response_id: "r1" })
    })
  )

  it.scoped("the transcript of audio at its end, however short it is", () =>
    Effect.gen(function* () {
      const h = yield* open(guardedBy(Guardrail.output("no", no("BAD"))), [], {
        settings: { output_modalities: ["audio"] }
      })
      yield* speak(h, 1)
      yield* words(h, "Audio", "BAD")
      yield* handled(h)
      expect(h.all("GuardrailTripped")).toEqual([])
      yield* wordsDone(h, "Audio", "BAD")
      expect(yield* h.first("GuardrailTripped")).toMatchObject({ itemId: "i1" })
    })
  )

  it.scoped("every 100 characters by default, and once more at the end", () =>
    Effect.gen(function* () {
      const { check, seen } = reader()
      const h = yield* open(guardedBy(Guardrail.output("reader", { check })), [])
      yield* begin(h)
      yield* beginItem(h)
      const lengths: Array<number> = []
      for (const length of [99, 1, 99, 1, 30]) {
        yield* words(h, "Text", "x".repeat(length))
        yield* handled(h)
        yield* TestClock.adjust("1 millis")
        lengths.push(seen.length)
      }
      expect(lengths).toEqual([0, 1, 1, 2, 2])
      yield* wordsDone(h, "Text", "x".repeat(230))
      yield* handled(h)
      yield* TestClock.adjust("1 millis")
      expect(seen.map((text) => text.length)).toEqual([100, 200, 230])
    })
  )

  it.scoped("as often as they ask for", () =>
    Effect.gen(function* () {
      const { check, seen } = reader()
      const h = yield* open(guardedBy(Guardrail.output("reader", { check, debounce: 3 })), [])
      yield* begin(h)
      yield* beginItem(h)
      for (const letter of "abcdefg") {
        yield* words(h, "Text", letter)
        yield* handled(h)
        yield* TestClock.adjust("1 millis")
      }
      expect(seen).toEqual(["abc", "abcdef"])
    })
  )

  it.scoped("each item by itself: a check of one that takes its time holds up none of another", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const slow = Guardrail.output("slow", {
        debounce: 1,
        check: (text) =>
          Effect.zipRight(
            Effect.sync(() => seen.push(text)),
            Effect.never
          )
      })
      const h = yield* open(guardedBy(slow), [])
      yield* begin(h)
      for (const item_id of ["i1", "i2"]) {
        yield* beginItem(h, { item_id })
        yield* words(h, "Text", `${item_id} first`, { item_id })
        yield* words(h, "Text", ", and more", { item_id })
      }
      yield* handled(h)
      yield* TestClock.adjust("1 millis")
      expect(seen).toEqual(["i1 first", "i2 first"])
    })
  )
})

describe("§5 Input guardrails", () => {
  it.scoped("stops what the model is about to say to words that must not stand", () =>
    Effect.gen(function* () {
      const h = yield* open(guardedBy(Guardrail.input("polite", no("stupid", "Ask for polite words."))), [
        [pause("1 hour"), say("Well.")],
        [say("Please be polite.")]
      ])
      yield* h.session.sendText("You stupid thing.")
      expect(yield* h.first("GuardrailTripped")).toMatchObject({ guardrail: "polite", subject: "Input" })
      yield* h.nth("ResponseDone", 2)
      expect(h.all("TextCompleted").map(({ text }) => text)).toEqual(["Please be polite."])
      expect(yield* systemMessages(h)).toHaveLength(1)
    })
  )
})

describe("§1 Tool guardrails", () => {
  const turns = [[call("pay", { amount: 500 }, { callId: "c1" })], [say("All right.")]]
  const agentWith = (ran: Array<string>, ...guardrails: ReadonlyArray<Guardrail.Guardrail<never>>) =>
    Agent.make("Desk", {
      instructions: "",
      guardrails,
      tools: [
        Tool.make("pay", {
          description: "",
          parameters: { amount: Schema.Number },
          handler: ({ amount }) =>
            Effect.as(
              Effect.sync(() => ran.push("pay")),
              `paid ${amount} with card 4242`
            )
        })
      ]
    })

  for (const [what, check] of [
    ["blocks", () => Effect.succeed(Guardrail.trip("that is too much."))],
    ["fails", () => Effect.fail("unreachable")]
  ] as const) {
    it.scoped(`answers a call whose arguments a guardrail ${what}, and does not run it`, () =>
      Effect.gen(function* () {
        const ran: Array<string> = []
        const h = yield* open(agentWith(ran, Guardrail.toolInput("limit", { check })), turns)
        yield* h.session.sendText("Go.")
        yield* h.nth("ResponseDone", 2)
        const feedback = what === "blocks" ? "that is too much." : "It could not be checked."
        const message = `pay was not allowed: ${feedback}`
        expect(yield* h.outputs).toEqual([outputFrame("c1", errorText("ToolBlocked", message))])
        expect(h.all("ToolFailed")).toMatchObject([
          { error: { _tag: "ToolBlocked", guardrail: "limit", stage: "input" } }
        ])
        expect(h.all("GuardrailFailed")).toHaveLength(what === "fails" ? 1 : 0)
        expect(ran).toEqual([])
      })
    )
  }

  it.scoped("puts its own words in place of an output that must not reach the model", () =>
    Effect.gen(function* () {
      const ran: Array<string> = []
      const h = yield* open(agentWith(ran, Guardrail.toolOutput("no_cards", no("4242", "paid 500"))), turns)
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.outputs).toEqual([outputFrame("c1", "paid 500")])
      expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolBlocked", stage: "output" } }])
      expect(JSON.stringify(yield* h.model.sent)).not.toContain("4242")
    })
  )

  it("requires what its guardrails require", () => {
    const agent = Agent.make("Desk", {
      instructions: "",
      guardrails: [
        Guardrail.output("policy", {
          check: (text) =>
            Effect.map(Policy, ({ word }) => (text.includes(word) ? Guardrail.trip("No.") : Guardrail.pass))
        })
      ]
    })
    expectTypeOf(agent).toEqualTypeOf<Agent.Agent<never, Policy, never, "Desk">>()
  })
})
