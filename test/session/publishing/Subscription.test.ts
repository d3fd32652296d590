import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Agent from "../../../src/Agent.js"
import { call, say } from "../../../src/ScriptedModel.js"
import { SubscriberLagged } from "../../../src/SessionError.js"
import { SessionEvent } from "../../../src/SessionEvent.js"
import * as Tool from "../../../src/Tool.js"
import { open } from "../harness.js"

const pay = Tool.make("pay", { description: "Pays.", approval: true, handler: () => Effect.succeed("paid") })
const agent = Agent.make("Desk", { instructions: "Be brief.", tools: [pay] })

/** Says something, and waits for the `n`th answer. */
const talk = (h: Effect.Effect.Success<ReturnType<typeof opened>>, n: number) =>
  Effect.zipRight(h.session.sendText(`Question ${n}.`), h.nth("ResponseDone", n))

const opened = (...more: ReadonlyArray<ReadonlyArray<ReturnType<typeof say>>>) =>
  open(agent, [...Array.from({ length: 8 }, (_, index) => [say(`Answer ${index + 1}.`)]), ...more])

/** The event that reports a gap, anywhere in a chunk. */
const untilMissed = Effect.fnUntraced(function* <Err>(
  pull: Effect.Effect<Chunk.Chunk<SessionEvent>, Option.Option<Err>>
) {
  for (;;) {
    const events = [...(yield* pull)]
    const missed = events.find((event) => event._tag === "EventsMissed")
    if (missed !== undefined) return { missed, after: events.slice(events.indexOf(missed) + 1) }
  }
})

describe("law 6, Boundedness: a subscriber that lags", () => {
  it.scoped("goes on from a snapshot, between which and the next event nothing is lost or doubled", () =>
    Effect.gen(function* () {
      const h = yield* opened()
      const pull = yield* Stream.toPull(h.session.subscribe({ capacity: 3, onLag: "snapshot" }))
      const first = yield* Effect.fork(pull)
      for (let turn = 1; turn <= 4; turn += 1) yield* talk(h, turn)
      expect([...(yield* first)].length).toBeGreaterThan(0)
      const { after, missed } = yield* untilMissed(pull)
      expect(after).toEqual([])
      expect(missed.count).toBeGreaterThan(10)
      expect(missed.snapshot).toMatchObject({ agent: "Desk", pendingApprovals: [] })
      const items = missed.snapshot?.conversation.items ?? []
      expect(items).toEqual((yield* h.session.conversation).items)
      expect(items).toHaveLength(8)
      const next = yield* Effect.fork(pull)
      yield* h.session.sendText("One more.")
      const [added] = [...(yield* next)]
      expect(added).toMatchObject({ _tag: "ItemAdded", item: { content: [{ text: "One more." }] } })
    })
  )

  it.scoped("finds the calls that wait for approval in the snapshot, and it can be encoded", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[call("pay", {}, { callId: "c1" })]])
      const pull = yield* Stream.toPull(h.session.subscribe({ capacity: 1, onLag: "snapshot" }))
      const first = yield* Effect.fork(pull)
      yield* h.session.sendText("Pay.")
      yield* h.first("ToolApprovalRequested")
      yield* first
      const { missed } = yield* untilMissed(pull)
      expect(missed.snapshot?.pendingApprovals).toMatchObject([{ call: { callId: "c1", tool: "pay" } }])
      const json = Schema.parseJson(SessionEvent)
      expect(yield* Schema.decode(json)(yield* Schema.encode(json)(missed))).toEqual(missed)
    })
  )

  it.scoped("gets its snapshot also after the session has ended, and then its end", () =>
    Effect.gen(function* () {
      const h = yield* opened()
      const pull = yield* Stream.toPull(h.session.subscribe({ capacity: 1, onLag: "snapshot" }))
      const first = yield* Effect.fork(pull)
      yield* talk(h, 1)
      yield* first
      yield* h.session.close
      const { missed } = yield* untilMissed(pull)
      expect(missed.snapshot?.conversation.items).toHaveLength(2)
      expect(yield* Effect.flip(pull)).toEqual(Option.none())
    })
  )

  it.scoped("is ended with an error that says how much it missed, and the session goes on", () =>
    Effect.gen(function* () {
      const h = yield* opened()
      const pull = yield* Stream.toPull(h.session.subscribe({ capacity: 2, onLag: "fail" }))
      const first = yield* Effect.fork(pull)
      yield* talk(h, 1)
      yield* first
      expect(Chunk.size(yield* pull)).toBeLessThanOrEqual(2)
      const lagged = Option.getOrUndefined(yield* Effect.flip(pull))
      expect(lagged).toBeInstanceOf(SubscriberLagged)
      expect(lagged?.missed).toBeGreaterThan(0)
      yield* talk(h, 2)
      expect(h.all("EventsMissed")).toEqual([])
    })
  )

  it.scoped("reads how much it missed and nothing else, by default", () =>
    Effect.gen(function* () {
      const h = yield* opened()
      const pull = yield* Stream.toPull(h.session.subscribe({ capacity: 2 }))
      const first = yield* Effect.fork(pull)
      yield* talk(h, 1)
      yield* first
      const { missed } = yield* untilMissed(pull)
      expect(missed).toEqual({ _tag: "EventsMissed", count: expect.any(Number) })
    })
  )
})

describe("A scoped subscription", () => {
  it.scoped("has all that happens after it was made, whenever it is read", () =>
    Effect.gen(function* () {
      const h = yield* opened()
      yield* talk(h, 1)
      const events = yield* h.session.subscribeScoped()
      yield* talk(h, 2)
      const tags = yield* events.pipe(
        Stream.takeUntil(({ _tag }) => _tag === "ResponseDone"),
        Stream.map(({ _tag }) => _tag),
        Stream.runCollect
      )
      expect([...tags]).toEqual(h.events.slice(-tags.length).map(({ _tag }) => _tag))
      expect([...tags]).toContain("ItemAdded")
      expect(h.events.slice(-tags.length)[0]).toMatchObject({ item: { content: [{ text: "Question 2." }] } })
    })
  )

  it.scoped("differs from a stream that is only pulled, which gets nothing from before its first pull", () =>
    Effect.gen(function* () {
      const h = yield* opened()
      const pull = yield* Stream.toPull(h.session.events)
      yield* talk(h, 1)
      const first = yield* Effect.fork(pull)
      yield* talk(h, 2)
      expect([...(yield* first)][0]).toMatchObject({ item: { content: [{ text: "Question 2." }] } })
    })
  )

  it.scoped("ends with its scope, and with the session", () =>
    Effect.gen(function* () {
      const h = yield* opened()
      const scope = yield* Scope.make()
      const short = yield* Scope.extend(h.session.subscribeScoped(), scope)
      const read = yield* Effect.fork(Stream.runCollect(short))
      const long = yield* h.session.subscribeScoped()
      yield* talk(h, 1)
      yield* Scope.close(scope, Exit.void)
      expect([...(yield* read)].at(-1)).toMatchObject({ _tag: "ResponseDone" })
      yield* h.session.close
      expect([...(yield* Stream.runCollect(long))].at(-1)).toEqual({ _tag: "SessionEnded" })
    })
  )

  it.scoped("may either miss nothing or fail, and is refused with invalid options", () =>
    Effect.gen(function* () {
      const h = yield* opened()
      const events = yield* h.session.subscribeScoped({ capacity: 1, onLag: "fail" })
      yield* talk(h, 1)
      expect(yield* Effect.flip(Stream.runDrain(events))).toBeInstanceOf(SubscriberLagged)
      const exit = yield* Effect.exit(h.session.subscribeScoped({ capacity: 0 }))
      expect(Exit.isFailure(exit) && String(exit.cause)).toContain("session.subscribeScoped")
    })
  )
})
