import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../../src/Agent.js"
import { call, fail, pause, say } from "../../../src/ScriptedModel.js"
import { SubscriberLagged } from "../../../src/SessionError.js"
import * as Tool from "../../../src/Tool.js"
import { open } from "../harness.js"

const echo = Tool.make("echo", { description: "", handler: () => Effect.succeed("echo") })
const agent = Agent.make("Desk", { instructions: "Desk.", tools: [echo] })
const speaking = { settings: { output_modalities: ["audio"] as const } }

describe("An answer as it comes", () => {
  it.scoped("is its words, its calls and its audio in their order, and at last the whole", () =>
    Effect.gen(function* () {
      const turns = [[say("Let me see."), call("echo", {}, { callId: "c1" })], [say("Here it is.")]]
      const h = yield* open(agent, turns, speaking)
      const parts = [...(yield* Stream.runCollect(h.session.askStream("Do it.")))]
      const whole = parts.at(-1)
      if (whole?._tag !== "Answered") return expect.unreachable()
      const words = parts.flatMap((part) => (part._tag === "TextDelta" ? [part.delta] : []))
      expect(words.join("")).toBe("Let me see.Here it is.")
      const chunks = parts.flatMap((part) => (part._tag === "AudioReceived" ? [part.chunk] : []))
      expect(chunks).toEqual(whole.answer.audio)
      expect(chunks.length).toBeGreaterThan(1)
      const calls = parts.flatMap((part) => ("call" in part ? [[part._tag, part.call.callId]] : []))
      expect(calls).toEqual([
        ["ToolStarted", "c1"],
        ["ToolSucceeded", "c1"]
      ])
      expect(whole.answer.text).toBe("Let me see.\nHere it is.")
      expect(parts.filter(({ _tag }) => _tag === "Answered")).toHaveLength(1)
    })
  )

  it.scoped("begins before it is complete", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("One."), pause("1 minute"), say("Two.")]])
      const first = yield* Stream.runHead(h.session.askStream("Count."))
      expect(Option.map(first, ({ _tag }) => _tag)).toEqual(Option.some("TextDelta"))
      expect(h.all("ResponseDone")).toEqual([])
    })
  )

  it.scoped("ends with its error, after the parts that had arrived", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Well"), fail("content_policy")]])
      const words: Array<string> = []
      const error = yield* h.session.askStream("Hello?").pipe(
        Stream.runForEach((part) =>
          Effect.sync(() => {
            if (part._tag === "TextDelta") words.push(part.delta)
          })
        ),
        Effect.flip
      )
      expect(error).toMatchObject({ _tag: "AnswerRefused", text: "Well" })
      expect(words.join("")).toBe("Well")
    })
  )

  it.scoped("asks each time that it is run, and not before", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("One.")], [say("Two.")]])
      const asked = h.session.askStream("Next?")
      yield* TestClock.adjust("1 minute")
      expect(yield* h.requests).toBe(0)
      for (const text of ["One.", "Two."]) {
        expect(yield* Stream.runLast(asked)).toMatchObject(Option.some({ answer: { text } }))
      }
    })
  )

  it.scoped("fails for a reader that is too slow, which would have missed something", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("One."), pause("1 second"), say("Two three four five six seven.")]])
      const read = yield* h.session.askStream("Count.", { capacity: 1 }).pipe(
        Stream.runForEach(() => Effect.sleep("1 minute")),
        Effect.flip,
        Effect.fork
      )
      yield* h.first("ResponseStarted")
      yield* TestClock.adjust("1 second")
      yield* h.first("ResponseDone")
      const error = yield* Effect.raceFirst(Fiber.join(read), Effect.forever(TestClock.adjust("1 minute")))
      expect(error).toBeInstanceOf(SubscriberLagged)
    })
  )

  it.scoped("goes on, and keeps nothing, when its reader leaves", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("One."), pause("10 seconds"), say("Two.")], [say("Yes?")]])
      yield* Stream.runHead(h.session.askStream("Count."))
      yield* TestClock.adjust("10 seconds")
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "completed" })
      expect(yield* h.session.ask("And?")).toMatchObject({ text: "Yes?" })
    })
  )
})
