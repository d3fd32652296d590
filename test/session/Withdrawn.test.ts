import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as Guardrail from "../../src/Guardrail.js"
import { call, pause, say, stall } from "../../src/ScriptedModel.js"
import * as Session from "../../src/Session.js"
import * as Tool from "../../src/Tool.js"
import { type Harness, open, outputFrame } from "./harness.js"
import { crashed, journals, processOf } from "./processes.js"
import { handled, sentOf, systemMessages } from "./speaking.js"

const aloud = { settings: { output_modalities: ["audio"] } } as const
/** A character takes 60 ms. */
const server = { voice: EmbeddedRealtime.silentVoice() }

/** What the user writes is judged as long after it came. */
const polite = (after: `${number} millis`) =>
  Guardrail.input("polite", {
    check: (text) =>
      text.includes("BAD") ? Effect.as(Effect.sleep(after), Guardrail.trip("Be good.")) : Effect.succeed(Guardrail.pass)
  })

/** A tool that takes two seconds. */
const find = Tool.make("find", { description: "", handler: () => Effect.as(Effect.sleep("2 seconds"), "found") })
const later = Tool.deferred(
  Tool.make("later", { description: "", handler: () => Effect.as(Effect.sleep("2 seconds"), "found") }),
  "It takes a moment."
)
const filled = Tool.make("filled", {
  description: "",
  filler: { after: "1 second", text: "One moment." },
  handler: () => Effect.as(Effect.sleep("2 seconds"), "found")
})

const desk = (after: `${number} millis` = "500 millis") =>
  Agent.make("Desk", { instructions: "", guardrails: [polite(after)], tools: [find, later, filled] })

const blockedOf = <E>(h: Harness<E>) =>
  Effect.map(Effect.zipRight(handled(h), h.session.conversation), ({ items }) =>
    items.flatMap((item) =>
      item._tag === "Message" && item.blockedBy !== undefined
        ? [
            item.content
              .map((part) => ("transcript" in part ? part.transcript : "text" in part ? part.text : ""))
              .join()
          ]
        : []
    )
  )

/** What the server that the session has now was told. */
const onServer = <E>(h: Harness<E>) =>
  Effect.map(
    Effect.flatMap(h.model.connection, ({ conversation }) => conversation),
    (items) =>
      items.map((item) =>
        item.type === "message" ? item.content.map((part) => ("text" in part ? part.text : "?")).join(" ") : item.type
      )
  )

const reconnect = <E>(h: Harness<E>) =>
  Effect.gen(function* () {
    yield* h.model.drop()
    yield* h.first("Reconnecting")
    yield* TestClock.adjust("301 millis")
    yield* h.first("Reconnected")
  })

describe("§5 A question that a guardrail stops", () => {
  it.scoped("leaves the answers before it as they were heard, and another server is told them", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk(),
        [[say("At nine.")], [say("Well, then"), pause("1 hour"), say("and so on.")], [say("Please be polite.")]],
        aloud,
        server
      )
      yield* h.session.sendText("When do you open?")
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("10 seconds")
      yield* h.session.sendText("You BAD thing.")
      yield* h.nth("TextCompleted", 2)
      yield* handled(h)
      yield* TestClock.adjust("500 millis")
      yield* h.first("GuardrailTripped")
      yield* h.nth("ResponseDone", 3)
      expect(yield* blockedOf(h)).toEqual(["Well,"])
      yield* TestClock.adjust("10 seconds")
      yield* reconnect(h)
      expect(yield* onServer(h)).toEqual([
        "When do you open?",
        "At nine.",
        "You BAD thing.",
        "Be good.",
        "Please be polite."
      ])
    })
  )

  it.scoped("leaves an earlier answer that is still heard alone", () =>
    Effect.gen(function* () {
      const hours = "From nine in the morning until six in the evening, but not on Sundays."
      const h = yield* open(desk(), [[say(hours)], [say("Well, then")], [say("Please be polite.")]], aloud, server)
      yield* h.session.sendText("When do you open?")
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("1 second")
      yield* h.session.sendText("You BAD thing.")
      const { responseId } = yield* h.nth("ResponseDone", 2)
      yield* handled(h)
      yield* TestClock.adjust("500 millis")
      yield* h.nth("ResponseDone", 3)
      expect(h.all("AudioInterrupted")).toMatchObject([{ responseId, heardMs: 0 }])
      expect(yield* blockedOf(h)).toEqual([""])
    })
  )

  it.scoped("takes its answer back also where that was written to its end, or the application stopped it before", () =>
    Effect.gen(function* () {
      const written = yield* open(desk(), [[say("Of course.")], [say("Please be polite.")]])
      yield* written.session.sendText("You BAD thing.")
      yield* written.first("ResponseDone")
      yield* handled(written)
      yield* TestClock.adjust("500 millis")
      yield* written.nth("ResponseDone", 2)
      expect(yield* blockedOf(written)).toEqual(["Of course."])

      const stopped = yield* open(desk(), [[say("Of course, and more."), pause("1 hour")], [say("No.")]], aloud, server)
      yield* stopped.session.sendText("You BAD thing.")
      yield* stopped.first("TextCompleted")
      yield* handled(stopped)
      yield* TestClock.adjust("490 millis")
      yield* stopped.session.interrupt
      yield* handled(stopped)
      yield* TestClock.adjust("10 millis")
      yield* stopped.nth("ResponseDone", 2)
      expect(yield* blockedOf(stopped)).toEqual(["Of"])
    })
  )

  it.scoped("takes back what is left of its answer also where the user has gone on", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk(),
        [[say("Well, then, and so on.")], [say("At nine.")], [say("Sorry.")]],
        aloud,
        server
      )
      yield* h.session.sendText("You BAD thing.")
      const { responseId } = yield* h.first("ResponseDone")
      yield* h.session.sendText("When do you open?")
      yield* h.nth("ResponseDone", 2)
      yield* handled(h)
      yield* TestClock.adjust("500 millis")
      yield* h.nth("ResponseDone", 3)
      expect(h.all("AudioInterrupted")).toMatchObject([{ responseId, heardMs: 500 }])
      expect(yield* sentOf(h, "response.cancel")).toEqual([])
      expect(yield* blockedOf(h)).toEqual(["Well,"])
      expect(yield* systemMessages(h)).toEqual(["Be good."])
    })
  )

  for (const [tool, output, requests] of [
    ["find", "found", 2],
    // One was for the acknowledgement, before anybody knew.
    ["later", "It takes a moment.", 3],
    ["filled", "found", 2]
  ] as const) {
    it.scoped(`has the call of ${tool} that it caused answered, and one response, which is about the feedback`, () =>
      Effect.gen(function* () {
        const h = yield* open(desk(), [[call(tool, {}, { callId: "c1" })]], aloud, server)
        yield* h.session.sendText("You BAD thing.")
        yield* h.first("ToolStarted")
        yield* handled(h)
        yield* TestClock.adjust("500 millis")
        yield* h.first("GuardrailTripped")
        yield* TestClock.adjust("2 seconds")
        yield* h.first("ToolSucceeded")
        yield* handled(h)
        yield* TestClock.adjust("1 minute")
        yield* handled(h)
        expect(yield* h.outputs).toEqual([outputFrame("c1", output)])
        expect((yield* systemMessages(h))[0]).toBe("Be good.")
        expect(yield* h.requests).toBe(requests)
        const feedback = (yield* sentOf(h, "conversation.item.create")).find(
          ({ item }) => "role" in item && item.role === "system"
        )
        expect(h.all("ResponseStarted").at(-1)?.cause?.itemIds).toEqual([feedback?.item.id])
      })
    )
  }

  it.scoped("has one response where the model already speaks of what its call found", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk("2500 millis"),
        [
          [call("find", {}, { callId: "c1" })],
          [say("I found"), pause("1 hour"), say("it.")],
          [say("Please be polite.")]
        ],
        aloud,
        server
      )
      yield* h.session.sendText("You BAD thing.")
      yield* h.first("ToolStarted")
      yield* handled(h)
      yield* TestClock.adjust("2 seconds")
      yield* h.first("TextCompleted")
      yield* handled(h)
      yield* TestClock.adjust("500 millis")
      expect(yield* h.nth("ResponseDone", 2)).toMatchObject({ status: "cancelled" })
      expect(yield* h.nth("ResponseDone", 3)).toMatchObject({ status: "completed" })
      expect(yield* blockedOf(h)).toEqual(["I found"])
      expect(yield* h.requests).toBe(3)
      expect(yield* h.outputs).toEqual([outputFrame("c1", "found")])
    })
  )

  it.scoped("is not answered by a request of the application's own that waits for its turn", () =>
    Effect.gen(function* () {
      const h = yield* open(desk(), [[say("At nine."), pause("10 seconds"), say("Or later.")], [say("No.")]])
      yield* h.session.sendText("When do you open?")
      yield* h.first("TextCompleted")
      const response = { instructions: "Be short." }
      const asked = yield* Effect.fork(Effect.flip(h.session.ask("You BAD thing.", { response })))
      yield* Effect.yieldNow()
      yield* handled(h)
      yield* TestClock.adjust("500 millis")
      expect(yield* asked).toMatchObject({ _tag: "AnswerBlocked", guardrail: "polite", subject: "Input" })
      yield* TestClock.adjust("10 seconds")
      yield* h.nth("ResponseDone", 2)
      yield* handled(h)
      expect((yield* sentOf(h, "response.create")).map((event) => event.response?.instructions)).toEqual([
        undefined,
        undefined
      ])
      expect(h.all("TextCompleted").map(({ text }) => text)).toEqual(["At nine.", "Or later.", "No."])
      expect(yield* blockedOf(h)).toEqual([])
    })
  )

  it.scoped("is not spoken of in another process either, which takes up the call that answered it", () =>
    Effect.gen(function* () {
      const { second } = yield* crashed(
        desk(),
        [[call("find", {}, { callId: "c1" })], [say("Please be polite.")]],
        ({ session, until }) =>
          Effect.gen(function* () {
            yield* session.sendText("You BAD thing.")
            yield* until("ToolStarted")
            yield* TestClock.adjust("500 millis")
            yield* until("ResponseDone", 2)
          }),
        [[say("I found it.")]]
      )
      expect(yield* second.until("ToolFailed")).toMatchObject({ error: { _tag: "ToolInterrupted", by: "restart" } })
      yield* TestClock.adjust("1 minute")
      expect(second.events.filter(({ _tag }) => _tag === "ResponseStarted")).toEqual([])
      expect(yield* sentOf(second, "response.create")).toEqual([])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("is not answered by the process that takes it up where the one before died before the verdict", () =>
    Effect.gen(function* () {
      const { second } = yield* crashed(
        desk(),
        [[stall]],
        ({ session, until }) => Effect.zipRight(session.sendText("You BAD thing."), until("ResponseStarted")),
        [[stall], [say("Please be polite.")]]
      )
      yield* second.until("ResponseStarted")
      yield* TestClock.adjust("500 millis")
      expect(yield* second.until("GuardrailTripped")).toMatchObject({ guardrail: "polite", subject: "Input" })
      expect(yield* second.until("TextCompleted")).toMatchObject({ text: "Please be polite." })
      expect(second.events.filter(({ _tag }) => _tag === "TextCompleted")).toHaveLength(1)
    }).pipe(Effect.provide(journals))
  )

  it.scoped("is not spoken of by that process either, once a call that answers it is done", () =>
    Effect.gen(function* () {
      const { second } = yield* crashed(
        desk(),
        [[call("later", {}, { callId: "c1" })], [stall]],
        ({ session, until }) => Effect.zipRight(session.sendText("You BAD thing."), until("ToolStarted")),
        [[stall], [say("Please be polite.")]]
      )
      yield* second.until("ToolFailed")
      yield* second.until("ResponseStarted")
      yield* TestClock.adjust("500 millis")
      yield* second.until("TextCompleted")
      yield* TestClock.adjust("1 minute")
      expect(second.events.filter(({ _tag }) => _tag === "TextCompleted")).toMatchObject([
        { text: "Please be polite." }
      ])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("is checked by that process also where the model has said a word before its call", () =>
    Effect.gen(function* () {
      const { second } = yield* crashed(
        desk(),
        [[say("One moment."), call("find", {}, { callId: "c1" })], [stall]],
        ({ session, until }) => Effect.zipRight(session.sendText("You BAD thing."), until("ToolStarted")),
        [[stall], [say("Please be polite.")]]
      )
      yield* second.until("ToolFailed")
      yield* TestClock.adjust("500 millis")
      yield* second.until("TextCompleted")
      yield* TestClock.adjust("1 minute")
      expect(second.events.filter(({ _tag }) => _tag === "TextCompleted")).toMatchObject([
        { text: "Please be polite." }
      ])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("is checked by that process also where the application has added something after it", () =>
    Effect.gen(function* () {
      const { second } = yield* crashed(
        desk(),
        [[stall]],
        ({ session, until }) =>
          Effect.gen(function* () {
            yield* session.sendText("You BAD thing.")
            yield* until("ResponseStarted")
            yield* session.sendMessage({
              type: "message",
              role: "system",
              content: [{ type: "input_text", text: "The caller is Ann." }]
            })
            yield* until("ItemAdded", 2)
          }),
        [[stall], [say("Please be polite.")]]
      )
      yield* second.until("ResponseStarted")
      yield* TestClock.adjust("500 millis")
      expect(yield* second.until("GuardrailTripped")).toMatchObject({ guardrail: "polite", subject: "Input" })
      expect(yield* second.until("TextCompleted")).toMatchObject({ text: "Please be polite." })
    }).pipe(Effect.provide(journals))
  )

  it.scoped("is checked by the process that takes it up also where the one before closed the session", () =>
    Effect.gen(function* () {
      const options = { settings: { output_modalities: ["text"] } } as const
      const first = yield* processOf(Session.make(desk(), options), [[stall]])
      yield* first.session.sendText("You BAD thing.")
      yield* first.until("ItemAdded")
      yield* first.session.close
      const resumed = Session.resume(desk(), first.session.id, options)
      const second = yield* processOf(resumed, [[stall], [say("Please be polite.")]])
      yield* Effect.addFinalizer(() => second.end)
      yield* second.until("ResponseStarted")
      yield* TestClock.adjust("500 millis")
      expect(yield* second.until("GuardrailTripped")).toMatchObject({ guardrail: "polite", subject: "Input" })
      expect(yield* second.until("TextCompleted")).toMatchObject({ text: "Please be polite." })
    }).pipe(Effect.provide(journals))
  )

  it.scoped("is not checked again by another process that has the verdict", () =>
    Effect.gen(function* () {
      const { first, second } = yield* crashed(
        desk(),
        [[stall], [stall]],
        ({ session, until }) =>
          Effect.gen(function* () {
            yield* session.sendText("You BAD thing.")
            yield* until("ResponseStarted")
            yield* TestClock.adjust("500 millis")
            yield* until("ResponseStarted", 2)
          }),
        [[say("Please be polite.")]]
      )
      expect(first.events.filter(({ _tag }) => _tag === "GuardrailTripped")).toHaveLength(1)
      yield* second.until("ResponseDone")
      yield* TestClock.adjust("1 minute")
      expect(second.events.filter(({ _tag }) => _tag === "GuardrailTripped")).toEqual([])
    }).pipe(Effect.provide(journals))
  )
})

describe("A call of an answer that was withdrawn", () => {
  const pay = Tool.make("pay", { description: "", approval: true, handler: () => Effect.succeed("paid") })
  const shop = (after: `${number} millis`) =>
    Agent.make("Shop", { instructions: "", guardrails: [polite(after)], tools: [pay] })

  for (const [what, part] of [
    ["tool", call("pay")],
    ["hosted tool", EmbeddedRealtime.mcpApprovalRequest("shop", "pay", {}, { output: "paid" })]
  ] as const) {
    it.scoped(`does not wait for approval any more, of a ${what}, and nothing is said of it`, () =>
      Effect.gen(function* () {
        const h = yield* open(shop("500 millis"), [[part], [say("Pardon?")]])
        yield* h.session.sendText("BAD")
        yield* h.first("ToolApprovalRequested")
        yield* TestClock.adjust("500 millis")
        yield* h.first("GuardrailTripped")
        expect(yield* h.first("ToolFailed")).toMatchObject({ error: { _tag: "ToolRejected", by: "withdrawn" } })
        expect(yield* h.session.pendingApprovals).toEqual([])
        yield* h.first("TextCompleted")
        expect(yield* h.requests).toBe(2)
      })
    )
  }
})
