import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Scheduler from "../../src/machine/ResponseScheduler.js"
import { numRuns } from "../runs.js"
import * as SimulatedServer from "./SimulatedServer.js"

const options: Scheduler.Options = { ...Scheduler.defaults, serverReplies: () => true, speaks: () => true }

/** A scheduler with a clock that the test sets. */
const make = (overrides: Partial<Scheduler.Options> = {}) => {
  const scheduler = new Scheduler.ResponseScheduler({ ...options, ...overrides })
  let now = 1_000_000
  return {
    scheduler,
    step: (input: Scheduler.Input) => scheduler.step(input, now),
    /** Passes this much time, and steps whenever the scheduler asked for it. */
    wait: (ms: number) => {
      const until = now + ms
      const commands: Array<Scheduler.Command> = []
      for (let due = scheduler.deadline(); due !== undefined && due <= until; due = scheduler.deadline()) {
        now = Math.max(now, due)
        commands.push(...scheduler.step({ _tag: "TimePassed", carriedOn: new Set() }, now))
      }
      now = until
      return commands
    }
  }
}

const ask = (id: string, ...awaiting: ReadonlyArray<string>) => ({ _tag: "Asked", id, awaiting }) as const
const created = (responseId: string, eventId?: string) =>
  ({ _tag: "ResponseCreated", responseId, eventId, outOfBand: false, presumed: false }) as const
const createdBeside = (responseId: string, eventId?: string) =>
  ({ ...created(responseId, eventId), outOfBand: true }) as const
const done = (responseId: string | undefined, retryable = false, carriedOn = false) =>
  ({
    _tag: "ResponseDone",
    responseId,
    whose: undefined,
    failed: retryable ? { after: undefined } : undefined,
    carriedOn
  }) as const
const lost = { _tag: "ConnectionLost", id: "lost", carriedOn: new Set<string>() } as const
const refusedFor = (eventId: string, after?: number) =>
  ({ _tag: "Refused", eventId, refusal: { _tag: "Passing", after } }) as const
const refused = (eventId: string) => ({ _tag: "Refused", eventId, refusal: { _tag: "Collision" } }) as const
const tags = (commands: ReadonlyArray<Scheduler.Command>) => commands.map(({ _tag }) => _tag)
const creates = (commands: ReadonlyArray<Scheduler.Command>) =>
  commands.flatMap((command) => (command._tag === "Create" ? [command.eventId] : []))

describe("Exclusivity", () => {
  it("takes what was never announced for the response that it collided with, and not for one beside it", () => {
    const { scheduler, step } = make()
    step({ _tag: "AskedExplicitly", id: "b1", outOfBand: true, params: { conversation: "none" } })
    expect(scheduler.presumed()).toEqual({ eventId: "b1", outOfBand: true })
    step(ask("q1"))
    step(refused("q1"))
    expect(scheduler.presumed()).toEqual({ eventId: undefined, outOfBand: false })
  })

  const speechStarted = { _tag: "SpeechStarted" } as const
  it.each<{ readonly since: string; readonly input: Scheduler.Input | undefined; readonly stops: boolean }>([
    { since: "nothing", input: undefined, stops: true },
    { since: "another reason to speak", input: ask("q2"), stops: false },
    { since: "a request", input: { _tag: "AskedExplicitly", id: "e1", params: {}, outOfBand: false }, stops: false },
    { since: "the user's speech", input: speechStarted, stops: false }
  ])("stops what it collided with where that was interrupted, and after $since: $stops", ({ input, stops }) => {
    const { step } = make()
    step(ask("q1"))
    step(refused("q1"))
    step({ _tag: "Interrupted" })
    if (input !== undefined) step(input)
    const cancel = { _tag: "Cancel", responseId: "r1" }
    expect(step(created("r1")).some((command) => JSON.stringify(command) === JSON.stringify(cancel))).toBe(stops)
  })

  it("stops it also after something new, where nobody saw it begin", () => {
    const { step } = make()
    step(ask("q1"))
    step(refused("q1"))
    step({ _tag: "Interrupted" })
    step(ask("q2"))
    expect(step({ ...created("r1"), unseen: true })).toContainEqual({ _tag: "Cancel", responseId: "r1" })
  })

  it("makes one request of all reasons to speak that come while a response is active", () => {
    const { step } = make()
    expect(creates(step(ask("q1")))).toEqual(["q1"])
    step(created("r1", "q1"))
    for (const id of ["q2", "q3", "q4"]) expect(step(ask(id))).toEqual([])
    expect(creates(step(done("r1")))).toEqual(["q2"])
    step(created("r2", "q2"))
    expect(step(done("r2"))).toEqual([])
  })

  it("asks again for what came after a request was sent, for that response does not see it", () => {
    const { step } = make()
    step(ask("q1", "a"))
    expect(step(ask("q2", "b"))).toEqual([])
    step(created("r1", "q1"))
    expect(creates(step(done("r1")))).toEqual(["q2"])
  })

  it("never merges requests with parameters, and keeps their order", () => {
    const { step } = make()
    step(ask("q1"))
    step(created("r1", "q1"))
    step({ _tag: "AskedExplicitly", id: "e1", params: { instructions: "1" }, outOfBand: false })
    step({ _tag: "AskedExplicitly", id: "e2", params: { instructions: "2" }, outOfBand: false })
    expect(step(done("r1"))).toEqual([{ _tag: "Create", eventId: "e1", params: { instructions: "1" } }])
    step(created("r2", "e1"))
    expect(creates(step(done("r2")))).toEqual(["e2"])
  })

  it("sends out-of-band requests at once, beside an active response", () => {
    const { step } = make()
    step(ask("q1"))
    step(created("r1", "q1"))
    const beside = step({ _tag: "AskedExplicitly", id: "e1", params: { conversation: "none" }, outOfBand: true })
    expect(creates(beside)).toEqual(["e1"])
    step(createdBeside("r2", "e1"))
    expect(step(done("r2"))).toEqual([])
  })
})

describe("Liveness", () => {
  it("keeps a request that lost the race, when the other response is known before the refusal", () => {
    const { step } = make()
    step(ask("q1", "a"))
    step(created("vad"))
    expect(step(refused("q1"))).toEqual([])
    expect(creates(step(done("vad")))).toEqual(["q1~2"])
  })

  it("keeps a request that lost the race, when the refusal comes before the other response", () => {
    const { step } = make()
    step(ask("q1", "a"))
    expect(step(refused("q1"))).toEqual([])
    expect(step(created("vad"))).toEqual([])
    expect(creates(step(done("vad")))).toEqual(["q1~2"])
  })

  it("lets the server's own response answer, if it saw every output", () => {
    const { step } = make()
    step(ask("q1", "a"))
    step({ _tag: "ItemAcknowledged", itemId: "a" })
    step(created("vad"))
    step(refused("q1"))
    expect(step(done("vad"))).toEqual([])
  })

  it("asks again if the server's own response, which would have answered, failed for a passing reason", () => {
    const { step, wait } = make()
    step(ask("q1", "a"))
    step({ _tag: "ItemAcknowledged", itemId: "a" })
    step(created("vad"))
    step(refused("q1"))
    step(done("vad", true))
    expect(creates(wait(options.retryBackoff))).toEqual(["q1~2"])
  })

  it("asks again for a response that fails, after ever longer pauses, for so long as the options say", () => {
    const { step, wait } = make()
    step(ask("q1"))
    for (const [index, pause] of [1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000, 8_000, 8_000].entries()) {
      const eventId = index === 0 ? "q1" : `q1~${index + 1}`
      step(created(`r${index}`, eventId))
      expect(step(done(`r${index}`, true))).toEqual([])
      expect(wait(pause - 1)).toEqual([])
      expect(creates(wait(1))).toEqual([`q1~${index + 2}`])
    }
    step(created("last", "q1~10"))
    expect(step(done("last", true))).toEqual([
      { _tag: "Lost", requestId: "q1", responseId: "last", interrupted: false }
    ])
    expect(wait(60_000)).toEqual([])
  })

  it("counts silence, and not how often the server said that it cannot answer now", () => {
    const { step, wait } = make()
    step(ask("q1"))
    for (const eventId of ["q1", "q1~2", "q1~3"]) {
      step(refusedFor(eventId))
      wait(8_000)
    }
    expect(tags(wait(options.createdWithin))).toEqual(["Stalled", "Create"])
    step(refusedFor("q1~5"))
    expect(creates(wait(8_000))).toEqual(["q1~6"])
  })

  it("believes a server once that names a time too short, and then leaves it alone for longer", () => {
    const { step, wait } = make()
    step(ask("q1"))
    const pauses = [1, 2, 3, 4, 5].map((n) => {
      const [command] = step(refusedFor(n === 1 ? "q1" : `q1~${n}`, 10))
      wait(8_000)
      return command?._tag === "RequestFailed" ? command.retryIn : undefined
    })
    expect(pauses).toEqual([10, 1_000, 2_000, 4_000, 8_000])
  })

  it("holds an automatic request while the user speaks, and drops it when the server has answered the turn", () => {
    const { step } = make()
    step({ _tag: "SpeechStarted" })
    expect(step(ask("q1", "a"))).toEqual([])
    step({ _tag: "ItemAcknowledged", itemId: "a" })
    step({ _tag: "SpeechStopped" })
    step(created("vad"))
    expect(step(done("vad"))).toEqual([])
  })

  it("sends a held request when the server does not answer the turn after all", () => {
    const { step, wait } = make()
    step({ _tag: "SpeechStarted" })
    step(ask("q1"))
    step({ _tag: "SpeechStopped" })
    expect(creates(wait(options.serverReplyWithin))).toEqual(["q1"])
  })

  it("does not hold anything where the server does not answer turns by itself", () => {
    const { step } = make({ serverReplies: () => false })
    step({ _tag: "SpeechStarted" })
    expect(creates(step(ask("q1")))).toEqual(["q1"])
  })

  it("tries a request that is never answered twice more, and then says that it is lost", () => {
    const { step, wait } = make()
    step(ask("q1"))
    const commands = wait(60_000)
    expect(tags(commands)).toEqual(["Stalled", "Create", "Stalled", "Create", "Stalled", "Lost"])
    expect(creates(commands)).toEqual(["q1~2", "q1~3"])
    // Nothing blocks for ever: the next request is sent.
    expect(creates(step(ask("q2")))).toEqual(["q2"])
  })

  it("gives up on a response that went silent, cancels it, and asks again", () => {
    const { step, wait } = make()
    step(ask("q1"))
    step(created("r1", "q1"))
    wait(20_000)
    step({ _tag: "ResponseProgressed", responseId: "r1" })
    expect(wait(20_000)).toEqual([])
    expect(tags(wait(10_000))).toEqual(["Cancel", "Stalled", "Create"])
  })

  it("does not collide forever with a response that it never hears of", () => {
    const { step, wait } = make()
    step(ask("q1"))
    const seen: Array<string> = []
    for (let event: string | undefined = "q1"; event !== undefined; ) {
      seen.push(...tags(step(refused(event))))
      const commands = wait(options.eventWithin)
      seen.push(...tags(commands))
      event = creates(commands)[0]
    }
    expect(seen.filter((tag) => tag === "Create")).toHaveLength(2)
    expect(seen.at(-1)).toBe("Lost")
  })

  it("takes a late answer to an earlier try, and cancels the second answer", () => {
    const { step, wait } = make()
    step(ask("q1"))
    wait(options.createdWithin)
    step(created("r1", "q1"))
    expect(step(done("r1"))).toEqual([])
    expect(step(created("r2", "q1~2"))).toEqual([{ _tag: "Cancel", responseId: "r2" }])
  })

  it("does not take a late answer for what was asked since", () => {
    const { step, wait } = make()
    step(created("vad"))
    step(ask("q1", "a"))
    step(done("vad"))
    step(refused("q1"))
    step(ask("q2", "b"))
    step(created("late", "q1"))
    expect(creates([...step(done("late")), ...wait(60_000)])).toContain("q1~2")
  })

  it("asks on a new connection for what the old one owed", () => {
    const { step } = make()
    step(ask("q1"))
    step(created("r1", "q1"))
    expect(step(lost)).toEqual([])
    expect(creates(step({ _tag: "Reconnected" }))).toEqual(["q1~2"])
  })

  it("asks for nothing while there is no connection, and for all of it once on the next", () => {
    const { scheduler, step, wait } = make()
    step(ask("q1", "a"))
    step(lost)
    expect([...step(ask("q2", "b")), ...step({ _tag: "SpeechStarted" }), ...wait(600_000)]).toEqual([])
    expect(creates(step({ _tag: "Reconnected" }))).toEqual(["q1~2"])
    step(created("r1", "q1~2"))
    step(done("r1"))
    expect(scheduler.isIdle()).toBe(true)
  })

  it("leaves the rest of a response to those who carry it on, also of one that the server began", () => {
    for (const eventId of ["q1", undefined]) {
      const { scheduler, step, wait } = make()
      if (eventId !== undefined) step(ask("q1"))
      step(created("r1", eventId))
      expect(scheduler.awaited()).toEqual(["r1"])
      step({ ...lost, carriedOn: new Set(["r1"]) })
      expect(creates([...step({ _tag: "Reconnected" }), ...wait(60_000)])).toEqual([])
    }
  })

  it("does not say that an interrupted response is awaited", () => {
    const { scheduler, step } = make()
    step(ask("q1"))
    step(created("r1", "q1"))
    step({ _tag: "Interrupted" })
    expect(scheduler.awaited()).toEqual([])
  })

  it("makes one request of the response that was cut off and of what was asked for since", () => {
    const { step, wait } = make()
    step(ask("q1", "a"))
    step(created("r1", "q1"))
    step(ask("q2", "b"))
    step(lost)
    expect(creates(step({ _tag: "Reconnected" }))).toEqual(["q1~2"])
    step(created("r2", "q1~2"))
    expect(creates([...step(done("r2")), ...wait(60_000)])).toEqual([])
  })

  it("asks once for a request with parameters that was tried again when the first try was answered after all", () => {
    const { step, wait } = make()
    step({ _tag: "AskedExplicitly", id: "q1", params: {}, outOfBand: false })
    expect(creates(wait(10_000))).toEqual(["q1~2"])
    step(created("r1", "q1"))
    step(lost)
    expect(creates(step({ _tag: "Reconnected" }))).toEqual(["q1~3"])
    step(created("r2", "q1~3"))
    expect(creates([...step(done("r2")), ...wait(60_000)])).toEqual([])
  })

  it("does not ask again for what a response of the server's own had answered to its end", () => {
    const { step } = make()
    step(ask("q1"))
    step(created("vad"))
    step(done("vad"))
    step(lost)
    expect(creates(step({ _tag: "Reconnected" }))).toEqual([])
  })

  it("makes one request of one that lost the race and of what was asked for since", () => {
    const { step, wait } = make()
    step(ask("q1", "a"))
    step(ask("q2"))
    step(created("foreign"))
    step(refused("q1"))
    expect(creates(step(done("foreign")))).toEqual(["q1~2"])
    step(created("r2", "q1~2"))
    expect(creates([...step(done("r2")), ...wait(60_000)])).toEqual([])
  })

  it("asks for the answer to the user that the server had begun, or was about to begin", () => {
    const begun = make()
    begun.step(created("vad"))
    begun.step(lost)
    expect(creates(begun.step({ _tag: "Reconnected" }))).toEqual(["lost"])
    const awaited = make({ serverReplies: () => true, speaks: () => true })
    awaited.step({ _tag: "SpeechStarted" })
    awaited.step({ _tag: "SpeechStopped" })
    awaited.step(lost)
    expect(creates(awaited.step({ _tag: "Reconnected" }))).toEqual(["lost"])
  })

  it("asks again beside the conversation for what was asked for there", () => {
    const { scheduler, step } = make()
    const params = { conversation: "none" } as const
    step({ _tag: "AskedExplicitly", id: "b1", params, outOfBand: true })
    step({ _tag: "AskedExplicitly", id: "b2", params, outOfBand: true })
    step(createdBeside("r1", "b1"))
    step(lost)
    expect(step({ _tag: "AskedExplicitly", id: "b3", params, outOfBand: true })).toEqual([])
    expect(creates(step({ _tag: "Reconnected" }))).toEqual(["b1~2", "b2~2", "b3"])
    for (const [index, id] of ["b1~2", "b2~2", "b3"].entries()) {
      step(createdBeside(`n${index}`, id))
      step(done(`n${index}`))
    }
    expect(scheduler.isIdle()).toBe(true)
  })

  it("asks beside the conversation, and not in it, again for what failed there for a passing reason", () => {
    const { scheduler, step, wait } = make()
    step({ _tag: "AskedExplicitly", id: "b1", params: { conversation: "none" }, outOfBand: true })
    step(createdBeside("r1", "b1"))
    expect(step(done("r1", true))).toEqual([])
    expect(creates(wait(1_000))).toEqual(["b1~2"])
    expect(creates(step(ask("q1"))), "it is in nobody's way").toEqual(["q1"])
    step(created("r2", "b1~2"))
    expect(scheduler.isOutOfBand("r2")).toBe(true)
  })

  it("knows of a silent response beside the conversation that it was", () => {
    const { scheduler, step, wait } = make()
    step({ _tag: "AskedExplicitly", id: "b1", params: { conversation: "none" }, outOfBand: true })
    step(createdBeside("r1", "b1"))
    expect(tags(wait(30_000))).toEqual(["Cancel", "Stalled", "Create"])
    expect(scheduler.isOutOfBand("r1"), "what its response.done lists belongs to no conversation").toBe(true)
  })

  it("knows of a response beside the conversation that it was, when the server says twice that it is over", () => {
    const { scheduler, step } = make()
    step({ _tag: "AskedExplicitly", id: "b1", params: { conversation: "none" }, outOfBand: true })
    step(createdBeside("r1", "b1"))
    step(done("r1"))
    expect(scheduler.isOutOfBand("r1"), "what its response.done lists belongs to no conversation").toBe(true)
  })

  it("waits for no item of the old connection when the server answers by itself on the new one", () => {
    const { step } = make()
    step(created("r0"))
    step(ask("q1", "a"))
    step(lost)
    const again = creates(step({ _tag: "Reconnected" }))
    expect(again).toEqual(["q1"])
    step(created("vad"))
    expect(step(refused("q1"))).toEqual([])
    expect(creates(step(done("vad")))).toEqual([])
  })

  it("goes on with the next request when one is refused for good", () => {
    const { step } = make()
    step({ _tag: "AskedExplicitly", id: "e1", params: { instructions: "1" }, outOfBand: false })
    step(ask("q1"))
    const commands = step({ _tag: "Refused", eventId: "e1", refusal: { _tag: "Final" } })
    expect(tags(commands)).toEqual(["RequestFailed", "Create"])
  })
})

describe("Interruption", () => {
  it("cancels an active response once", () => {
    const { step } = make()
    step(ask("q1"))
    step(created("r1", "q1"))
    expect(step({ _tag: "Interrupted" })).toEqual([{ _tag: "Cancel", responseId: "r1" }])
    expect(step({ _tag: "Interrupted" })).toEqual([])
  })

  it("cancels a response that was asked for and has not begun", () => {
    const { step } = make()
    step(ask("q1"))
    expect(step({ _tag: "Interrupted" })).toEqual([])
    expect(step(created("r1", "q1"))).toEqual([{ _tag: "Cancel", responseId: "r1" }])
  })

  it("does not speak after all when the server is slow to answer what was interrupted", () => {
    const { scheduler, step, wait } = make()
    step(ask("q1"))
    step({ _tag: "Interrupted" })
    expect(wait(60_000)).toEqual([{ _tag: "Stalled", requestId: "q1", responseId: undefined }])
    expect(scheduler.isIdle()).toBe(true)
    expect(step(created("late", "q1"))).toEqual([{ _tag: "Cancel", responseId: "late" }])
  })

  it("does not speak after all when what was interrupted collided, and the other response failed", () => {
    const { step, wait } = make()
    step(ask("q1", "a"))
    step({ _tag: "ItemAcknowledged", itemId: "a" })
    step({ _tag: "Interrupted" })
    step(created("vad"))
    step(refused("q1"))
    expect(step(done("vad", true))).toEqual([])
    expect(wait(60_000)).toEqual([])
  })

  it("cancels the answer to what was interrupted also when the response in between failed", () => {
    const { step } = make()
    step(ask("q1", "a"))
    step({ _tag: "ItemAcknowledged", itemId: "a" })
    step({ _tag: "Interrupted" })
    step(created("vad"))
    step(done("vad", true))
    expect(step(created("r1", "q1"))).toEqual([{ _tag: "Cancel", responseId: "r1" }])
  })

  it("does not ask again for what the connection cut off, when it is interrupted before there is another", () => {
    const { scheduler, step } = make()
    step(ask("q1"))
    step(created("r1", "q1"))
    step(lost)
    step({ _tag: "Interrupted" })
    expect(creates(step({ _tag: "Reconnected" }))).toEqual([])
    expect(scheduler.isIdle()).toBe(true)
    step(created("vad"))
    step(lost)
    step({ _tag: "Interrupted" })
    expect(creates(step({ _tag: "Reconnected" }))).toEqual([])
  })

  it("asks for what came since the connection was lost, or waited when it was, also when it is interrupted", () => {
    const since = make()
    since.step(ask("q1"))
    since.step(lost)
    since.step(ask("q2"))
    since.step({ _tag: "Interrupted" })
    expect(creates(since.step({ _tag: "Reconnected" }))).toEqual(["q1~2"])
    const before = make()
    before.step(ask("q1"))
    before.step(created("r1", "q1"))
    before.step(ask("q2"))
    before.step(lost)
    before.step({ _tag: "Interrupted" })
    expect(creates(before.step({ _tag: "Reconnected" }))).toEqual(["q1~2"])
    const after = make()
    after.step(ask("q1"))
    after.step(lost)
    after.step({ _tag: "Interrupted" })
    after.step(ask("q2"))
    expect(creates(after.step({ _tag: "Reconnected" }))).toEqual(["q2"])
  })

  for (const [when, isSent] of [
    ["was under way when the connection was lost", true],
    ["came since", false]
  ] as const) {
    it(`does not speak beside the conversation again once it is interrupted offline, if the request ${when}`, () => {
      const { scheduler, step } = make()
      const speaking = { _tag: "AskedExplicitly", id: "q1", params: {}, outOfBand: true } as const
      const writing = { ...speaking, id: "q2", params: { output_modalities: ["text" as const] } }
      if (!isSent) step(lost)
      step(speaking)
      step(writing)
      if (isSent) step(lost)
      expect(step({ _tag: "Interrupted" })).toEqual([
        { _tag: "Lost", requestId: "q1", responseId: undefined, interrupted: true }
      ])
      expect(scheduler.waiting()).toBe(1)
      expect(creates(step({ _tag: "Reconnected" }))).toEqual([isSent ? "q2~2" : "q2"])
    })
  }

  for (const input of [{ _tag: "Interrupted" }, { _tag: "BesideInterrupted" }] as const) {
    it(`asks no more for speech beside the conversation that was refused for the moment, and says so (${input._tag})`, () => {
      const { step, wait } = make()
      step({ _tag: "AskedExplicitly", id: "q1", params: {}, outOfBand: true })
      step(refusedFor("q1"))
      expect(step(input)).toEqual([{ _tag: "Lost", requestId: "q1", responseId: undefined, interrupted: true }])
      expect(wait(60_000)).toEqual([])
    })
  }

  it("tolerates a refusal for the full time on a new connection, however long ago an earlier one was overcome", () => {
    const { step, wait } = make()
    step(ask("q1"))
    step(refusedFor("q1"))
    step(lost)
    wait(70_000)
    expect(creates(step({ _tag: "Reconnected" }))).toEqual(["q1~2"])
    expect(step(refusedFor("q1~2"))).toMatchObject([{ _tag: "RequestFailed", requestId: "q1", retryIn: 1_000 }])
    expect(creates(wait(1_000))).toEqual(["q1~3"])
  })

  it("says that an application's request that the connection cut off will not be answered", () => {
    const { step } = make()
    step({ _tag: "AskedExplicitly", id: "q1", params: {}, outOfBand: false })
    step(created("r1", "q1"))
    step(lost)
    expect(step({ _tag: "Interrupted" })).toEqual([
      { _tag: "Lost", requestId: "q1", responseId: undefined, interrupted: true }
    ])
    expect(step({ _tag: "Reconnected" })).toEqual([])
  })

  for (const [what, meet, outOfBand] of [
    ["that the server never answers", ({ wait }) => wait(60_000), true],
    ["that is on its way when the connection is lost", ({ step }) => step(lost), true],
    ["that collides", ({ step }) => step(refused("q1")), false]
  ] satisfies ReadonlyArray<
    readonly [string, (made: ReturnType<typeof make>) => ReadonlyArray<Scheduler.Command>, boolean]
  >) {
    it(`says that an application's request that was interrupted will not be answered, and ${what}`, () => {
      const made = make()
      made.step({ _tag: "AskedExplicitly", id: "q1", params: {}, outOfBand })
      made.step({ _tag: "Interrupted" })
      expect(meet(made).at(-1)).toEqual({ _tag: "Lost", requestId: "q1", responseId: undefined, interrupted: true })
      expect(made.step({ _tag: "Reconnected" })).toEqual([])
      expect(made.scheduler.isIdle()).toBe(true)
    })
  }

  it("does not ask again for a response that was cancelled and went silent, nor on the next connection", () => {
    const { step, wait } = make()
    step(ask("q1"))
    step(created("r1", "q1"))
    step({ _tag: "Condemned", responseId: "r1" })
    expect(wait(60_000)).toEqual([{ _tag: "Stalled", requestId: "q1", responseId: "r1" }])
    step(ask("q2"))
    step({ _tag: "Interrupted" })
    expect([...step(lost), ...step({ _tag: "Reconnected" })]).toEqual([])
  })

  it("keeps a reason to speak that waits for its turn, for the model has outputs to speak of", () => {
    const { step } = make()
    step(created("r1"))
    step(ask("q1", "a"))
    step({ _tag: "Interrupted" })
    expect(creates(step(done("r1")))).toEqual(["q1"])
  })
})

describe("What ends", () => {
  it("takes a response.done without an id for the active response of the conversation", () => {
    const { scheduler, step } = make()
    step(createdBeside("beside", undefined))
    step(created("r1"))
    expect(scheduler.endedBy(undefined)).toBe("r1")
    step(done(undefined))
    expect([scheduler.isLive("r1"), scheduler.isLive("beside")]).toEqual([false, true])
    expect(scheduler.endedBy(undefined)).toBeUndefined()
  })
})

const mostly = fc.integer({ min: 0, max: 5 }).map((n) => n > 0)

const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ _tag: fc.constant("ask" as const), items: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("explicit" as const), outOfBand: fc.boolean() }) },
  { weight: 8, arbitrary: fc.record({ _tag: fc.constant("serverReceives" as const), announces: mostly }) },
  { weight: 8, arbitrary: fc.constant({ _tag: "clientReceives" as const }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("foreign" as const), announces: mostly }) },
  {
    weight: 2,
    arbitrary: fc.record({ _tag: fc.constant("turn" as const), isAnswered: fc.boolean(), announces: mostly })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      _tag: fc.constant("end" as const),
      state: fc.constantFrom("completed" as const, "cancelled" as const),
      outOfBand: fc.boolean()
    })
  },
  { weight: 1, arbitrary: fc.constant({ _tag: "fail" as const }) },
  { weight: 1, arbitrary: fc.constant({ _tag: "silence" as const }) },
  { weight: 1, arbitrary: fc.constant({ _tag: "ignore" as const }) },
  { weight: 1, arbitrary: fc.constant({ _tag: "refuse" as const }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("speech" as const), started: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ _tag: "interrupt" as const }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 15_000 }) }) }
)
type Happening = typeof happening extends fc.Arbitrary<infer A> ? A : never

/** Plays a session's scheduler against the simulated server, and asserts Exclusivity at each step. */
const play = (happenings: ReadonlyArray<Happening>) => {
  const server = SimulatedServer.make()
  const scheduler = new Scheduler.ResponseScheduler(options)
  let now = 0
  let count = 0
  const newId = (prefix: string): string => {
    count += 1
    return `${prefix}${count}`
  }
  /** Items of each request for a reply, by the first item's number. */
  const asks: Array<{ readonly id: string; readonly items: ReadonlyArray<string> }> = []
  const explicit: Array<string> = []
  /** Tries that were silent, failed or were refused: too few to give up. */
  let lost = 0
  let setbacks = 0
  let interruptions = 0
  /** What this side may know: the request that is not answered yet, and the responses that are active. */
  let outstanding: { readonly eventId: string; readonly since: number } | undefined
  const known = new Set<string>()
  /** Requests that were on their way when the application interrupted. */
  const interrupted = new Set<string>()

  const step = (input: Scheduler.Input): void => {
    if (input._tag === "ResponseCreated" && !input.outOfBand) known.add(input.responseId)
    if (input._tag === "ResponseDone") known.delete(input.responseId ?? "")
    const isAnswer = "eventId" in input && input.eventId === outstanding?.eventId
    const isOverdue = outstanding !== undefined && outstanding.since + options.createdWithin <= now
    if (isAnswer || (input._tag === "TimePassed" && isOverdue)) outstanding = undefined
    for (const command of scheduler.step(input, now)) {
      switch (command._tag) {
        case "Create": {
          const { eventId } = command
          expect(interrupted, "a request that was interrupted is sent again").not.toContain(
            Scheduler.requestOf(eventId)
          )
          const outOfBand = command.params?.conversation === "none"
          if (!outOfBand) {
            expect(outstanding, "two requests at a time").toBeUndefined()
            expect(known, "a request while a response is active").toEqual(new Set())
            outstanding = { eventId, since: now }
          }
          server.toServer.push({ _tag: "Create", eventId, outOfBand })
          break
        }
        case "Cancel":
          server.toServer.push({ _tag: "Cancel", responseId: command.responseId })
          break
        case "Stalled":
          setbacks += 1
          known.delete(command.responseId ?? "")
          break
        case "Lost":
          // A response that another client asked for is not owed here.
          if (command.requestId !== undefined) lost += 1
          break
      }
    }
  }

  const wait = (ms: number): void => {
    const until = now + ms
    for (let due = scheduler.deadline(); due !== undefined && due <= until; due = scheduler.deadline()) {
      expect(due, "an alarm for a time that is over").toBeGreaterThan(now - 1)
      now = Math.max(now, due)
      step({ _tag: "TimePassed", carriedOn: new Set() })
    }
    now = until
  }

  const clientReceives = (): void => {
    const event = server.toClient.shift()
    if (event === undefined) return
    const responseId =
      event._tag === "ResponseProgressed" || event._tag === "ResponseDone" ? event.responseId : undefined
    if (responseId !== undefined && !scheduler.isLive(responseId) && !scheduler.isPast(responseId)) {
      // As the session does with a response that was never announced.
      step({ _tag: "ResponseCreated", responseId, ...scheduler.presumed(), presumed: true })
    }
    if (event._tag === "Refused" && event.refusal._tag === "Passing") setbacks += 1
    if (event._tag === "ResponseDone" && event.failed !== undefined) setbacks += 1
    step(event)
  }

  for (const event of happenings) {
    switch (event._tag) {
      case "ask": {
        const items = Array.from({ length: event.items }, () => newId("item_"))
        for (const itemId of items) server.toServer.push({ _tag: "Item", itemId })
        const id = newId("q")
        asks.push({ id, items })
        step(ask(id, ...items))
        break
      }
      case "explicit": {
        const id = newId("e")
        explicit.push(id)
        const { outOfBand } = event
        step({
          _tag: "AskedExplicitly",
          id,
          params: outOfBand ? { conversation: "none" } : { instructions: id },
          outOfBand
        })
        break
      }
      case "serverReceives":
        server.receive("answer", event.announces)
        break
      case "ignore":
      case "refuse":
        server.receive(event._tag)
        break
      case "clientReceives":
        clientReceives()
        break
      case "foreign":
        server.beginByItself(event.announces)
        break
      case "turn": {
        const itemId = newId("turn_")
        asks.push({ id: itemId, items: [itemId] })
        server.userSays(itemId, newId("t"), event.isAnswered, event.announces)
        break
      }
      case "end":
        server.endResponse(event.state, event.outOfBand)
        break
      case "fail":
        server.endResponse("failed")
        break
      case "silence":
        server.fallSilent()
        break
      case "speech":
        step({ _tag: event.started ? "SpeechStarted" : "SpeechStopped" })
        break
      case "interrupt":
        interruptions += 1
        if (outstanding !== undefined) interrupted.add(Scheduler.requestOf(outstanding.eventId))
        step({ _tag: "Interrupted" })
        break
      case "wait":
        wait(event.ms)
        break
    }
  }

  // The end: both directions are drained, responses complete, and time passes until nothing is pending.
  for (let round = 0; round < 200; round += 1) {
    while (server.toServer.length > 0) server.receive()
    while (server.toClient.length > 0) clientReceives()
    server.endResponse("completed")
    server.endResponse("completed", true)
    while (server.toClient.length > 0) clientReceives()
    if (scheduler.isIdle() && server.toServer.length === 0) break
    const due = scheduler.deadline()
    if (due !== undefined) wait(Math.max(0, due - now))
  }
  return { asks, explicit, server, scheduler, lost, setbacks, interruptions }
}

describe("Exclusivity and Liveness, over random interleavings", () => {
  const runs = { numRuns: numRuns(3000) }

  it("never has two requests outstanding or sends one while a response is active, and always comes to rest", () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
        expect(play(happenings).scheduler.isIdle()).toBe(true)
      }),
      runs
    )
  })

  it("answers every turn and every reason to speak with a response that saw its items, unless that is said to be lost", () => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
        const { asks, explicit, interruptions, lost, server, setbacks } = play(happenings)
        if (interruptions > 0) return
        if (setbacks <= options.maxRetries) expect(lost, "given up too early").toBe(0)
        if (lost > 0) return
        for (const { id, items } of asks) {
          const answer = server.responses.find(
            ({ outOfBand, saw, state }) =>
              !outOfBand && (state === "completed" || state === "cancelled") && items.every((item) => saw.has(item))
          )
          expect(answer, `${id} (${items.join(", ")}) was not answered`).toBeDefined()
        }
        for (const id of explicit) {
          const answers = server.responses.filter(
            ({ eventId }) => eventId !== undefined && Scheduler.requestOf(eventId) === id
          )
          expect(answers.length, `${id} was not answered`).toBeGreaterThan(0)
        }
      }),
      runs
    )
  })
})

describe("What answers a question that a guardrail stops", () => {
  const withdraw = (itemId: string, ...responseIds: ReadonlyArray<string>) =>
    ({ _tag: "Withdrawn", itemId, responseIds: new Set(responseIds), blockedBy: "polite" }) as const

  it("is cancelled, and no other response", () => {
    const { step } = make()
    step(created("r1"))
    step(created("r2"))
    expect(step(withdraw("q", "r2"))).toEqual([{ _tag: "Cancel", responseId: "r2" }])
  })

  it("is cancelled when it begins, if it was on its way, and bears the guardrail's name", () => {
    const { scheduler, step } = make()
    step(ask("req"))
    expect(step(withdraw("q"))).toEqual([])
    expect(step(created("r1", "req"))).toEqual([{ _tag: "Cancel", responseId: "r1" }])
    expect(scheduler.answers("r1")?.blockedBy).toBe("polite")
    // The feedback is a request of its own.
    step(ask("feedback"))
    expect(step(done("r1"))).toMatchObject([{ _tag: "Create", eventId: "feedback" }])
    step(created("r2", "feedback"))
    expect(scheduler.answers("r2")?.blockedBy).toBeUndefined()
  })

  it("is not asked for by the application's own request for it, which waits, and is said to be lost", () => {
    const { step } = make()
    step(created("r1"))
    const asked = (id: string, itemId: string) =>
      ({ _tag: "AskedExplicitly", id, params: {}, outOfBand: false, cause: { itemIds: [itemId] } }) as const
    step(asked("other", "p"))
    step(asked("question", "q"))
    expect(step(withdraw("q"))).toMatchObject([{ _tag: "Lost", requestId: "question", interrupted: true }])
    expect(step(done("r1"))).toMatchObject([{ _tag: "Create", eventId: "other" }])
  })
})
