import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { owe } from "../../src/machine/RequestLine.js"
import * as UserTurn from "../../src/machine/UserTurn.js"
import { numRuns } from "../runs.js"

const options: UserTurn.Options = { ...UserTurn.defaults, serverReplies: () => true }
const { createdWithin, serverReplyWithin, speechHoldsAtMost } = options
const answer = (id = "q1") => owe({ _tag: "Automatic", id, awaiting: new Set() })

describe("UserTurn", () => {
  it("holds from the start of the speech until the server has replied", () => {
    const turn = new UserTurn.UserTurn(options)
    expect(turn.isHolding()).toBe(false)
    turn.speechStarted(0)
    expect(turn.isHolding()).toBe(true)
    turn.speechStopped(100)
    expect(turn.isHolding()).toBe(true)
    turn.serverReplied()
    expect(turn.isHolding()).toBe(false)
    expect(turn.deadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it("goes on holding when a response begins while the user still speaks, for another will follow", () => {
    const turn = new UserTurn.UserTurn(options)
    turn.speechStarted(0)
    turn.serverReplied()
    expect(turn.isHolding()).toBe(true)
  })

  it("waits for the server's reply until a deadline", () => {
    const turn = new UserTurn.UserTurn(options)
    turn.speechStarted(0)
    turn.speechStopped(100)
    expect(turn.deadline()).toBe(100 + serverReplyWithin)
    turn.timePassed(100 + serverReplyWithin - 1)
    expect(turn.isHolding()).toBe(true)
    turn.timePassed(100 + serverReplyWithin)
    expect(turn.isHolding()).toBe(false)
  })

  it("does not wait for a reply to speech that it never heard begin", () => {
    const turn = new UserTurn.UserTurn(options)
    turn.speechStopped(0)
    expect(turn.isHolding()).toBe(false)
  })

  it("owes an answer to what was committed, however long ago it was said", () => {
    const turn = new UserTurn.UserTurn(options)
    turn.speechStarted(0)
    expect(turn.committed(speechHoldsAtMost + 1)).toBe(true)
    const owed = answer()
    turn.owe(owed, speechHoldsAtMost + 1)
    expect(turn.takeOverdue(speechHoldsAtMost + createdWithin)).toBeUndefined()
    expect(turn.takeOverdue(speechHoldsAtMost + createdWithin + 1)).toBe(owed)
    expect(turn.owed()).toBeUndefined()
  })

  it("owes no answer to what the client committed, or to what was dropped", () => {
    const turn = new UserTurn.UserTurn(options)
    expect(turn.committed(0)).toBe(false)
    turn.speechStarted(0)
    turn.cleared()
    expect([turn.committed(1), turn.isHolding()]).toEqual([false, false])
  })

  it("owes an answer to a silence of which the server made a turn", () => {
    const turn = new UserTurn.UserTurn(options)
    turn.timedOut(0)
    expect(turn.committed(0)).toBe(true)
    expect(turn.committed(1), "once").toBe(false)
  })

  it("lets a user who speaks again finish before it asks for an overdue reply", () => {
    const turn = new UserTurn.UserTurn(options)
    turn.owe(answer(), 0)
    turn.speechStarted(createdWithin - 1)
    expect(turn.takeOverdue(createdWithin)).toBeUndefined()
    turn.speechStopped(createdWithin + 5_000)
    expect(turn.deadline()).toBe(createdWithin + 5_000 + serverReplyWithin)
    turn.timePassed(turn.deadline())
    expect(turn.takeOverdue(createdWithin + 5_000 + serverReplyWithin)).toBeDefined()
  })

  it("holds nothing where the server does not reply by itself", () => {
    const turn = new UserTurn.UserTurn({ ...options, serverReplies: () => false })
    turn.speechStarted(0)
    turn.speechStopped(100)
    expect(turn.isHolding()).toBe(false)
  })

  it("always stops holding, and owing, when its deadlines have passed, whatever came before", () => {
    const kind = fc.constantFrom("started", "stopped", "timed out", "cleared", "committed", "replied", "passed")
    const event = fc.record({ kind, ms: fc.nat(90_000) })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const turn = new UserTurn.UserTurn(options)
        let now = 0
        const passed = (): void => {
          turn.timePassed(now)
          turn.takeOverdue(now)
        }
        for (const { kind, ms } of events) {
          now += ms
          if (kind === "started") turn.speechStarted(now)
          else if (kind === "stopped") turn.speechStopped(now)
          else if (kind === "timed out") turn.timedOut(now)
          else if (kind === "cleared") turn.cleared()
          else if (kind === "committed" && turn.committed(now)) turn.owe(answer(), now)
          else if (kind === "replied") turn.serverReplied()
          else passed()
          const due = turn.deadline()
          expect(Number.isFinite(due)).toBe(turn.isHolding() || turn.owed() !== undefined)
          if (turn.isHolding()) expect(due).toBeLessThanOrEqual(now + speechHoldsAtMost)
        }
        for (let rounds = 0; rounds < 2; rounds += 1) {
          now = Math.max(now, turn.deadline() === Number.POSITIVE_INFINITY ? now : turn.deadline())
          passed()
        }
        expect([turn.isHolding(), turn.owed()]).toEqual([false, undefined])
      }),
      { numRuns: numRuns(200) }
    )
  })
})
