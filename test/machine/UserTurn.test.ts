import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as UserTurn from "../../src/machine/UserTurn.js"
import { numRuns } from "../runs.js"

const options: UserTurn.Options = { ...UserTurn.defaults, serverReplies: () => true }
const { serverReplyWithin, speechHoldsAtMost } = options

describe("UserTurn", () => {
  it("holds from the start of the speech until the server has replied", () => {
    const turn = UserTurn.make(options)
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
    const turn = UserTurn.make(options)
    turn.speechStarted(0)
    turn.serverReplied()
    expect(turn.isHolding()).toBe(true)
  })

  it("waits so long for the server's reply, and no longer", () => {
    const turn = UserTurn.make(options)
    turn.speechStarted(0)
    turn.speechStopped(100)
    expect(turn.deadline()).toBe(100 + serverReplyWithin)
    turn.timePassed(100 + serverReplyWithin - 1)
    expect(turn.isHolding()).toBe(true)
    turn.timePassed(100 + serverReplyWithin)
    expect(turn.isHolding()).toBe(false)
  })

  it("does not wait for a reply to speech that it never heard begin", () => {
    const turn = UserTurn.make(options)
    turn.speechStopped(0)
    expect(turn.isHolding()).toBe(false)
  })

  it("holds nothing where the server does not reply by itself", () => {
    const turn = UserTurn.make({ ...options, serverReplies: () => false })
    turn.speechStarted(0)
    turn.speechStopped(100)
    expect(turn.isHolding()).toBe(false)
  })

  it("always stops holding when its deadline has passed, whatever came before", () => {
    const event = fc.record({ kind: fc.constantFrom("started", "stopped", "replied", "passed"), ms: fc.nat(90_000) })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const turn = UserTurn.make(options)
        let now = 0
        for (const { kind, ms } of events) {
          now += ms
          if (kind === "started") turn.speechStarted(now)
          else if (kind === "stopped") turn.speechStopped(now)
          else if (kind === "replied") turn.serverReplied()
          else turn.timePassed(now)
          const due = turn.deadline()
          expect(Number.isFinite(due)).toBe(turn.isHolding())
          if (turn.isHolding()) expect(due).toBeLessThanOrEqual(now + speechHoldsAtMost)
        }
        turn.timePassed(turn.deadline())
        expect(turn.isHolding()).toBe(false)
      }),
      { numRuns: numRuns(200) }
    )
  })
})
