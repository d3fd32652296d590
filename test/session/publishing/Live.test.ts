import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Subscribable from "effect/Subscribable"
import * as Agent from "../../../src/Agent.js"
import { say } from "../../../src/ScriptedModel.js"
import * as Live from "../../../src/session/publishing/Live.js"
import { numRuns } from "../../runs.js"
import { open } from "../harness.js"

/** A value that counts how often it was made. */
const counter = () => {
  const source = new Live.Source()
  let version = 0
  let made = 0
  const live = source.make(
    () => {
      made += 1
      return `value ${version}`
    },
    () => version
  )
  return {
    live,
    change: () => {
      version += 1
      source.mayHaveChanged()
    },
    touch: () => source.mayHaveChanged(),
    end: () => source.end(),
    made: () => made
  }
}

/** Reads one value at a time, when it is told to. */
const reader = <A>(stream: Stream.Stream<A>) =>
  Effect.map(Stream.toPull(stream), (pull) => Effect.map(pull, Chunk.unsafeHead))

describe("A live value", () => {
  it.effect("is an Effect that gives what is now, and a Subscribable", () =>
    Effect.gen(function* () {
      const { change, end, live } = counter()
      expect(yield* live).toBe("value 0")
      change()
      expect(yield* live).toBe("value 1")
      expect(yield* live.get).toBe("value 1")
      expect(yield* live.pipe(Effect.map((text) => text.length))).toBe(7)
      expect(Effect.isEffect(live) && Subscribable.isSubscribable(live)).toBe(true)
      end()
      expect(yield* live).toBe("value 1")
    })
  )

  it.scoped("gives the current value first, then each newer one, and ends with its owner", () =>
    Effect.gen(function* () {
      const { change, end, live } = counter()
      const next = yield* reader(live.changes)
      expect(yield* next).toBe("value 0")
      for (let step = 1; step <= 3; step++) {
        const fiber = yield* Effect.forkScoped(next)
        yield* Effect.yieldNow()
        change()
        expect(yield* Fiber.join(fiber)).toBe(`value ${step}`)
      }
      const last = yield* Effect.forkScoped(Effect.flip(next))
      yield* Effect.yieldNow()
      end()
      expect(yield* Fiber.join(last)).toEqual(Option.none())
    })
  )

  it.scoped("gives a slow reader only the newest value, and computes none that is not read", () =>
    Effect.gen(function* () {
      const { change, live, made } = counter()
      const next = yield* reader(live.changes)
      expect(yield* next).toBe("value 0")
      for (let step = 0; step < 1000; step++) change()
      expect(made()).toBe(1)
      expect(yield* next).toBe("value 1000")
      expect(made()).toBe(2)
    })
  )

  it.scoped("wakes no reader for a step that changed nothing", () =>
    Effect.gen(function* () {
      const { change, live, made, touch } = counter()
      const next = yield* reader(live.changes)
      yield* next
      const fiber = yield* Effect.forkScoped(next)
      yield* Effect.yieldNow()
      touch()
      yield* Effect.yieldNow()
      expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
      expect(made()).toBe(1)
      change()
      expect(yield* Fiber.join(fiber)).toBe("value 1")
    })
  )

  it.scoped("does not repeat a value that went and came back before the reader looked", () =>
    Effect.gen(function* () {
      const source = new Live.Source()
      let name = "Desk"
      const next = yield* reader(source.make(() => name).changes)
      expect(yield* next).toBe("Desk")
      const fiber = yield* Effect.forkScoped(next)
      yield* Effect.yieldNow()
      name = "Billing"
      source.mayHaveChanged()
      name = "Desk"
      yield* Effect.yieldNow()
      expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
      name = "Support"
      source.mayHaveChanged()
      expect(yield* Fiber.join(fiber)).toBe("Support")
    })
  )

  it.effect("gives the last value also to a reader that comes after the end, and to one that is behind", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { change, end, live } = counter()
        const next = yield* reader(live.changes)
        yield* next
        change()
        end()
        expect(yield* next).toBe("value 1")
        expect(yield* Effect.flip(next)).toEqual(Option.none())
        expect(Chunk.toArray(yield* Stream.runCollect(live.changes))).toEqual(["value 1"])
      })
    )
  )

  it.effect("ends on the newest value, in order, over random steps and readers of any pace", () =>
    Effect.sync(() =>
      fc.assert(
        fc.property(
          fc.array(fc.constantFrom("change", "touch", "let read"), { maxLength: 30 }),
          fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
          (steps, paces) => {
            const run = Effect.gen(function* () {
              const source = new Live.Source()
              let version = 0
              const live = source.make(() => version)
              const fibers = yield* Effect.forEach(paces, (pace) =>
                live.changes.pipe(
                  Stream.tap(() => Effect.repeatN(Effect.yieldNow(), pace)),
                  Stream.runCollect,
                  Effect.fork
                )
              )
              for (const step of steps) {
                if (step === "change") version += 1
                if (step === "let read") yield* Effect.yieldNow()
                else source.mayHaveChanged()
              }
              source.end()
              return { version, seen: yield* Effect.forEach(fibers, Fiber.join) }
            })
            const { seen, version } = Effect.runSync(run)
            for (const values of seen) {
              const list = Chunk.toArray(values)
              expect(list).toEqual(Array.from(new Set(list)).sort((one, other) => one - other))
              expect(list.at(-1)).toBe(version)
            }
          }
        ),
        { numRuns: numRuns(300) }
      )
    )
  )
})

describe("A session's live values", () => {
  const desk = Agent.make("Desk", { instructions: "", handoffs: [Agent.make("Billing", { instructions: "" })] })

  it.scoped("tell the conversation, the agent and the usage as they change, and end with the session", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Hello.")]])
      const { agent, conversation, usage } = h.session
      const agents = yield* Effect.forkScoped(Stream.runCollect(agent.changes))
      const sizes = yield* Effect.forkScoped(
        Stream.runCollect(Stream.map(conversation.changes, ({ items }) => items.length))
      )
      const responses = yield* Effect.forkScoped(Stream.runCollect(Stream.map(usage.changes, (sum) => sum.responses)))
      yield* h.session.sendText("Hi.")
      yield* h.first("ResponseDone")
      yield* h.session.updateAgent("Billing")
      yield* h.session.close
      expect(Chunk.toArray(yield* Fiber.join(agents))).toEqual(["Desk", "Billing"])
      expect(Chunk.toArray(yield* Fiber.join(responses))).toEqual([0, 1])
      const seen = Chunk.toArray(yield* Fiber.join(sizes))
      expect([seen[0], seen.at(-1)]).toEqual([0, 2])
      expect(seen).toContain(1)
    })
  )

  it.scoped("give the same conversation until something changes", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Hello.")]])
      yield* h.session.sendText("Hi.")
      yield* h.first("ResponseDone")
      const before = yield* h.session.conversation
      expect(yield* h.session.conversation).toBe(before)
      yield* h.session.editConversation(({ items }) => ({ items: items.slice(1) }))
      yield* h.first("ItemDeleted")
      expect(yield* h.session.conversation).not.toBe(before)
      expect(before.items).toHaveLength(2)
    })
  )
})
