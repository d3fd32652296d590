import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { say } from "../../src/ScriptedModel.js"
import { open } from "./harness.js"

const { Faults } = EmbeddedRealtime
const desk = Agent.make("Desk", { instructions: "Be brief." })
const metadata = (pairs: number) =>
  Object.fromEntries(Array.from({ length: pairs }, (_, index) => [`key${index}`, "value"]))

describe("law 6, Boundedness: requests with parameters", () => {
  it.scoped("are sent with as much metadata as a server takes, the session's own included", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Good day!")]])
      yield* h.session.requestResponse({ metadata: metadata(15) })
      yield* h.first("ResponseDone")
      expect(h.all("ResponseRefused")).toEqual([])
      const request = (yield* h.model.sent).find(({ type }) => type === "response.create")
      expect(request).toMatchObject({
        response: { metadata: { ...metadata(15), effect_realtime_request: expect.any(String) } }
      })
    })
  )

  it.scoped("can be found again by their id, and by their metadata, beside the conversation and in it", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Beside.")], [say("In it.")]])
      const beside = yield* h.session.requestResponse({ conversation: "none", metadata: { topic: "mood" } })
      yield* h.first("ResponseDone")
      const within = yield* h.session.requestResponse({ instructions: "Go on." })
      yield* h.nth("ResponseDone", 2)
      const expected = [
        { requestId: beside, outOfBand: true, metadata: { topic: "mood" } },
        { requestId: within, outOfBand: false, metadata: {} }
      ]
      expect(h.all("ResponseStarted")).toMatchObject(expected)
      expect(h.all("ResponseDone")).toMatchObject(expected)
      const [aside] = h.all("ResponseStarted")
      expect(h.all("TextCompleted").find(({ responseId }) => responseId === aside?.responseId)?.text).toBe("Beside.")
    })
  )

  it.scoped("are refused before they are sent where they have more", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Good day!")]])
      const refusal = yield* Effect.flip(h.session.requestResponse({ metadata: metadata(17) }))
      expect(refusal).toMatchObject({ _tag: "RequestInvalid", param: "response.metadata" })
      expect(refusal.message).toBe(
        "The response was not asked for (response.metadata): a server takes at most 16 pairs, and the session uses one of them. Leave out 2."
      )
      expect(yield* h.requests).toBe(0)
      yield* h.session.requestResponse()
      yield* h.first("ResponseDone")
    })
  )

  it.scoped("beside the conversation are refused where too many have no answer", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], { maxWaitingRequests: 1 }, { faults: [Faults.ignoreResponseCreate()] })
      yield* h.session.requestResponse({ conversation: "none" })
      const refusal = yield* Effect.flip(h.session.requestResponse({ conversation: "none" }))
      expect(refusal).toMatchObject({ _tag: "RequestOverflow", limit: 1 })
      yield* TestClock.adjust("30 seconds")
      yield* h.first("ResponseLost")
      yield* h.session.requestResponse({ conversation: "none" })
    })
  )

  it.scoped("are refused where too many wait for their turn, and taken again after one had it", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [[say("One.")], [say("Two.")], [say("Three.")], [say("Four.")]],
        { maxWaitingRequests: 2 },
        { faults: [Faults.delay("response.created", "1 second", { nth: 1 })] }
      )
      const ask = (instructions: string) => h.session.requestResponse({ instructions })
      yield* ask("One")
      yield* ask("Two")
      yield* ask("Three")
      const refusal = yield* Effect.flip(ask("Too many"))
      expect(refusal).toMatchObject({ _tag: "RequestOverflow", limit: 2 })
      expect(refusal.message).toBe(
        "2 requests for a response are already waiting. Ask again after a ResponseDone, or raise `maxWaitingRequests`."
      )
      yield* TestClock.adjust("1 second")
      yield* h.nth("ResponseDone", 3)
      yield* ask("Four")
      yield* h.nth("ResponseDone", 4)
      expect(yield* h.requests).toBe(4)
    })
  )
})
