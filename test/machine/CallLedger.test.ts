import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Ledger from "../../src/machine/CallLedger.js"
import { numRuns } from "../runs.js"

const call = (callId: string, responseId = "resp_1", text = "{}", name = "tool"): Ledger.Call => ({
  callId,
  itemId: `item_${callId}`,
  responseId,
  name,
  arguments: text
})

const make = (options: Partial<Ledger.Options> = {}) =>
  new Ledger.CallLedger({ maxCallsPerTurn: 20, parallelReply: "all", ...options })

/** Settles and hands the output to the wire, as the session does. */
const answer = (ledger: Ledger.CallLedger, callId: string, reply = true, epoch = 0) => {
  const settled = ledger.step({ _tag: "Settled", callId, output: "ok", reply })
  return [...settled, ...ledger.step({ _tag: "OutputSent", callId, outputItemId: `out_${callId}`, epoch })]
}

const tags = (commands: ReadonlyArray<Ledger.Command>) => commands.map(({ _tag }) => _tag)

describe("Settlement", () => {
  it("sends the output of a call once, whatever settles it again", () => {
    const ledger = make()
    ledger.step({ _tag: "Arrived", call: call("a") })
    expect(tags(ledger.step({ _tag: "Settled", callId: "a", output: "1", reply: true }))).toEqual(["SendOutput"])
    expect(ledger.step({ _tag: "Settled", callId: "a", output: "2", reply: true })).toEqual([])
    expect(ledger.state("a")).toEqual({ _tag: "Settled", output: "1" })
  })

  it("starts a call that comes again only once, and tells the repetition from another call with its id", () => {
    const ledger = make()
    expect(tags(ledger.step({ _tag: "Arrived", call: call("a") }))).toEqual(["Start"])
    expect(tags(ledger.step({ _tag: "Arrived", call: call("a") }))).toEqual(["NoteRepeated"])
    expect(tags(ledger.step({ _tag: "Arrived", call: call("a", "resp_2", "{}", "other") }))).toEqual([
      "RefuseConflicting"
    ])
    answer(ledger, "a")
    ledger.step({ _tag: "OutputAcknowledged", outputItemId: "out_a" })
    expect(tags(ledger.step({ _tag: "Arrived", call: call("a") }))).toEqual(["NoteRepeated"])
    expect(tags(ledger.step({ _tag: "Arrived", call: call("a", "resp_1", '{"x":1}') }))).toEqual(["RefuseConflicting"])
  })

  it("refuses the id of a call that another process answered, and counts none of those for the turn", () => {
    const ledger = make({ maxCallsPerTurn: 1, maxRemembered: 2 })
    for (const id of ["a", "b", "c"])
      ledger.step({ _tag: "AnsweredBefore", call: { ...call(id), responseId: undefined } })
    expect(tags(ledger.step({ _tag: "Arrived", call: call("d") }))).toEqual(["Start"])
    expect(tags(ledger.step({ _tag: "Arrived", call: call("c") }))).toEqual(["RefuseConflicting"])
    expect(ledger.state("b")).toEqual({ _tag: "Acknowledged" })
    expect(ledger.state("a")).toBeUndefined()
    expect(ledger.open().map(({ callId }) => callId)).toEqual(["d"])
  })

  it("sends the outputs again that a lost connection did not acknowledge, and only those", () => {
    const ledger = make()
    for (const id of ["a", "b", "c"]) ledger.step({ _tag: "Arrived", call: call(id) })
    answer(ledger, "a")
    answer(ledger, "b")
    ledger.step({ _tag: "OutputAcknowledged", outputItemId: "out_a" })
    ledger.step({ _tag: "ConnectionLost", epoch: 0 })
    expect(ledger.step({ _tag: "Reconnected" })).toEqual([{ _tag: "SendOutput", callId: "b", output: "ok" }])
    expect(ledger.open().map(({ callId }) => callId)).toEqual(["b", "c"])
  })

  it("gives another connection the one output that took the place of a refused one", () => {
    const ledger = make()
    ledger.step({ _tag: "Arrived", call: call("a") })
    answer(ledger, "a")
    const replacement = { refusedItemId: "out_a", outputItemId: "out_plain", output: "plain" }
    expect(ledger.step({ _tag: "OutputReplaced", ...replacement })).toEqual([])
    ledger.step({ _tag: "ConnectionLost", epoch: 0 })
    expect(ledger.step({ _tag: "Reconnected" })).toContainEqual({ _tag: "SendOutput", callId: "a", output: "plain" })
    ledger.step({ _tag: "OutputSent", callId: "a", outputItemId: "out_plain", epoch: 1 })
    ledger.step({ _tag: "OutputReplaced", ...replacement, refusedItemId: "out_plain", outputItemId: "out_plainer" })
    ledger.step({ _tag: "OutputAcknowledged", outputItemId: "out_plainer" })
    ledger.step({ _tag: "ConnectionLost", epoch: 1 })
    expect(tags(ledger.step({ _tag: "Reconnected" }))).not.toContain("SendOutput")
  })

  it("trips the breaker past the limit of a turn, and answers that call too", () => {
    const ledger = make({ maxCallsPerTurn: 2 })
    const seen = ["a", "b", "c"].flatMap((id) => tags(ledger.step({ _tag: "Arrived", call: call(id) })))
    expect(seen).toEqual(["Start", "Start", "TripBreaker"])
    expect(ledger.turn(), "one last reply, without calls").toBe("Spent")
    expect(tags(answer(ledger, "c", false))).toEqual(["SendOutput"])
    expect(ledger.step({ _tag: "Arrived", call: call("e") })).toMatchObject([{ _tag: "TripBreaker", mayReply: false }])
    ledger.step({ _tag: "TurnBegan" })
    expect(ledger.turn()).toBe("Fresh")
    expect(tags(ledger.step({ _tag: "Arrived", call: call("d") }))).toEqual(["Start"])
  })
})

describe("Liveness", () => {
  it("asks the model to go on once, after the last call of a response", () => {
    const ledger = make()
    ledger.step({ _tag: "Arrived", call: call("a") })
    expect(tags(answer(ledger, "a"))).toEqual(["SendOutput"])
    ledger.step({ _tag: "Arrived", call: call("b") })
    expect(ledger.step({ _tag: "ResponseEnded", responseId: "resp_1" })).toEqual([])
    expect(answer(ledger, "b").at(-1)).toMatchObject({ _tag: "AskToGoOn", awaiting: ["out_a", "out_b"] })
  })

  it("asks after each call where the session wants that", () => {
    const ledger = make({ parallelReply: "each" })
    ledger.step({ _tag: "Arrived", call: call("a") })
    ledger.step({ _tag: "Arrived", call: call("b") })
    expect(answer(ledger, "a").at(-1)).toMatchObject({ _tag: "AskToGoOn", awaiting: ["out_a"] })
    expect(answer(ledger, "b").at(-1)).toMatchObject({ _tag: "AskToGoOn", awaiting: ["out_b"] })
  })

  it("does not let a pending approval hold the others' reply, and asks again when it is decided", () => {
    const ledger = make()
    ledger.step({ _tag: "Arrived", call: call("a") })
    ledger.step({ _tag: "Arrived", call: call("b") })
    ledger.step({ _tag: "ApprovalAwaited", callId: "b" })
    ledger.step({ _tag: "ResponseEnded", responseId: "resp_1" })
    expect(answer(ledger, "a").at(-1)).toMatchObject({ _tag: "AskToGoOn", awaiting: ["out_a"] })
    ledger.step({ _tag: "ApprovalDecided", callId: "b" })
    expect(answer(ledger, "b").at(-1)).toMatchObject({ _tag: "AskToGoOn", awaiting: ["out_b"] })
  })

  it("asks for nothing after silent tools alone, and for one reply where one of them is not silent", () => {
    const silent = make()
    silent.step({ _tag: "Arrived", call: call("a") })
    silent.step({ _tag: "ResponseEnded", responseId: "resp_1" })
    expect(tags(answer(silent, "a", false))).toEqual(["SendOutput"])

    const mixed = make()
    mixed.step({ _tag: "Arrived", call: call("a") })
    mixed.step({ _tag: "Arrived", call: call("b") })
    mixed.step({ _tag: "ResponseEnded", responseId: "resp_1" })
    answer(mixed, "a", true)
    expect(tags(answer(mixed, "b", false))).toEqual(["SendOutput", "AskToGoOn"])
  })

  it("asks for the reply to a call that came while another output of its response was to be sent again", () => {
    const ledger = make()
    ledger.step({ _tag: "Arrived", call: call("a") })
    answer(ledger, "a")
    ledger.step({ _tag: "ResponseEnded", responseId: "resp_1" })
    ledger.step({ _tag: "Arrived", call: call("b") })
    ledger.step({ _tag: "ConnectionLost", epoch: 0 })
    ledger.step({ _tag: "Reconnected" })
    ledger.step({ _tag: "OutputSent", callId: "a", outputItemId: "out_a2", epoch: 1 })
    expect(answer(ledger, "b", true, 1).at(-1)).toMatchObject({ _tag: "AskToGoOn", awaiting: ["out_a2", "out_b"] })
  })

  it("asks for the reply to outputs that the server had when the connection cut their response off", () => {
    const ledger = make()
    ledger.step({ _tag: "Arrived", call: call("a", "resp_1") })
    answer(ledger, "a")
    ledger.step({ _tag: "OutputAcknowledged", outputItemId: "out_a" })
    ledger.step({ _tag: "ConnectionLost", epoch: 0 })
    expect(ledger.step({ _tag: "Reconnected" })).toMatchObject([
      { _tag: "AskToGoOn", responseId: "resp_1", awaiting: [] }
    ])
  })

  it("asks once, when all have ended, after the calls of a response that was cut off, also after silent ones", () => {
    const ledger = make()
    for (const id of ["a", "b", "c"]) ledger.step({ _tag: "Arrived", call: call(id) })
    answer(ledger, "a")
    expect(ledger.isRunning("resp_1")).toBe(true)
    ledger.step({ _tag: "CutOff", responseId: "resp_1" })
    ledger.step({ _tag: "ResponseEnded", responseId: "resp_1" })
    ledger.step({ _tag: "ConnectionLost", epoch: 0 })
    expect(tags(ledger.step({ _tag: "Reconnected" }))).toEqual(["SendOutput"])
    ledger.step({ _tag: "OutputSent", callId: "a", outputItemId: "out_a2", epoch: 1 })
    expect(tags(answer(ledger, "b", false, 1))).toEqual(["SendOutput"])
    expect(tags(answer(ledger, "c", false, 1))).toEqual(["SendOutput", "AskToGoOn"])
    expect(ledger.isRunning("resp_1")).toBe(false)
  })

  it("does not let a call that waits for a person hold the rest of a response that was cut off", () => {
    for (const parallelReply of ["all", "each"] as const) {
      const ledger = make({ parallelReply })
      for (const id of ["a", "b"]) ledger.step({ _tag: "Arrived", call: call(id) })
      ledger.step({ _tag: "CutOff", responseId: "resp_1" })
      ledger.step({ _tag: "ConnectionLost", epoch: 0 })
      expect(ledger.step({ _tag: "Reconnected" })).toEqual([])
      expect(tags(answer(ledger, "a", true, 1))).toEqual(["SendOutput"])
      expect(tags(ledger.step({ _tag: "ApprovalAwaited", callId: "b" }))).toEqual(["AskToGoOn"])
      ledger.step({ _tag: "ApprovalDecided", callId: "b" })
      expect(tags(answer(ledger, "b", true, 1))).toEqual(["SendOutput", "AskToGoOn"])
    }
  })

  it("lets the model go on when a later response uses a call id again, for the same call", () => {
    const ledger = make()
    ledger.step({ _tag: "Arrived", call: call("call_0", "resp_1") })
    ledger.step({ _tag: "ResponseEnded", responseId: "resp_1" })
    answer(ledger, "call_0")
    ledger.step({ _tag: "OutputAcknowledged", outputItemId: "out_call_0" })
    expect(tags(ledger.step({ _tag: "Arrived", call: call("call_0", "resp_2") }))).toEqual(["RefuseConflicting"])
    expect(ledger.step({ _tag: "ResponseEnded", responseId: "resp_2" })).toEqual([
      { _tag: "AskToGoOn", responseId: "resp_2", awaiting: [], callIds: ["call_0"] }
    ])
  })

  it("asks once for a call and for another with its id in the same response", () => {
    const ledger = make()
    ledger.step({ _tag: "Arrived", call: call("a") })
    ledger.step({ _tag: "Arrived", call: call("a", "resp_1", '{"x":1}') })
    expect(ledger.step({ _tag: "ResponseEnded", responseId: "resp_1" })).toEqual([])
    expect(answer(ledger, "a", false).at(-1)).toMatchObject({ _tag: "AskToGoOn" })
  })

  it("does not go round forever with a model that uses one call id in each response", () => {
    const ledger = make({ maxCallsPerTurn: 3 })
    const asked: Array<string> = []
    for (let n = 1; n <= 6; n += 1) {
      const responseId = `resp_${n}`
      const commands = [
        ...ledger.step({ _tag: "Arrived", call: call("call_0", responseId) }),
        ...(n === 1 ? answer(ledger, "call_0") : []),
        ...ledger.step({ _tag: "ResponseEnded", responseId })
      ]
      if (n > 1) expect(tags(commands)).toContain("RefuseConflicting")
      asked.push(...commands.flatMap((command) => (command._tag === "AskToGoOn" ? [responseId] : [])))
    }
    // The one after the limit is the last of the turn, and asked for without calls.
    expect(asked).toEqual(["resp_1", "resp_2", "resp_3", "resp_4"])
  })

  it("asks for a reply to a call that was listed after its response had ended", () => {
    const ledger = make()
    ledger.step({ _tag: "ResponseEnded", responseId: "resp_1" })
    ledger.step({ _tag: "Arrived", call: call("a") })
    expect(answer(ledger, "a").at(-1)).toMatchObject({ _tag: "AskToGoOn", awaiting: ["out_a"] })
  })
})

describe("Boundedness", () => {
  it("remembers a bounded number of acknowledged calls", () => {
    const ledger = make({ maxRemembered: 3, maxCallsPerTurn: 100 })
    for (const id of ["a", "b", "c", "d"]) {
      ledger.step({ _tag: "Arrived", call: call(id) })
      answer(ledger, id)
      ledger.step({ _tag: "OutputAcknowledged", outputItemId: `out_${id}` })
    }
    expect(ledger.state("a")).toBeUndefined()
    expect(ledger.state("d")).toEqual({ _tag: "Acknowledged" })
  })

  it("keeps a bounded number of outputs, and sends none twice, with a server that acknowledges few or none", () => {
    const event = fc.record({
      _tag: fc.constantFrom("call" as const, "call" as const, "acknowledge" as const, "drop" as const),
      index: fc.nat(30)
    })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (events, maxUnacknowledged) => {
        const ledger = make({ maxUnacknowledged, maxCallsPerTurn: 100 })
        const made: Array<string> = []
        let epoch = 0
        const sent = () => made.filter((id) => ledger.state(id)?._tag === "Sent")
        for (const { _tag, index } of events) {
          if (_tag === "call") {
            const id = `${made.length}`
            made.push(id)
            ledger.step({ _tag: "Arrived", call: call(id) })
            answer(ledger, id, true, epoch)
          } else if (_tag === "acknowledge") {
            ledger.step({ _tag: "OutputAcknowledged", outputItemId: `out_${index}` })
          } else {
            const kept = sent()
            ledger.step({ _tag: "ConnectionLost", epoch })
            epoch += 1
            const again = ledger.step({ _tag: "Reconnected" })
            expect(again.flatMap((command) => (command._tag === "SendOutput" ? [command.callId] : []))).toEqual(kept)
            for (const callId of kept) ledger.step({ _tag: "OutputSent", callId, outputItemId: `out_${callId}`, epoch })
          }
          expect(sent().length).toBeLessThanOrEqual(maxUnacknowledged)
          expect(made.slice(-maxUnacknowledged).every((id) => ledger.state(id) !== undefined)).toBe(true)
          for (const id of made) {
            expect(tags(ledger.step({ _tag: "Arrived", call: call(id) })), "it is remembered").toEqual(["NoteRepeated"])
          }
        }
      }),
      { numRuns: numRuns(500) }
    )
  })
})

/** What may happen to the ledger, in any order, with ids and responses that repeat. */
const callIds = ["a", "b", "c", "d", "e"]
const responseIds = ["r1", "r2"]
const happening = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      _tag: fc.constant("arrive" as const),
      id: fc.constantFrom(...callIds),
      response: fc.constantFrom(...responseIds),
      text: fc.constantFrom("{}", '{"x":1}')
    })
  },
  {
    weight: 4,
    arbitrary: fc.record({ _tag: fc.constant("settle" as const), id: fc.constantFrom(...callIds), reply: fc.boolean() })
  },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("acknowledge" as const), index: fc.nat(9) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: fc.constant("approval" as const),
      id: fc.constantFrom(...callIds),
      decided: fc.boolean()
    })
  },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("end" as const), response: fc.constantFrom(...responseIds) }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("drop" as const) }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("turn" as const) }) }
)

const maxCallsPerTurn = 4

/** Drives the ledger as a session would, and keeps its own account of what went to which connection. */
const play = (
  happenings: ReadonlyArray<typeof happening extends fc.Arbitrary<infer A> ? A : never>,
  options: Partial<Ledger.Options>
) => {
  const ledger = make({ ...options, maxCallsPerTurn })
  const arrived = new Set<string>()
  const responseOf = new Map<string, string | undefined>()
  const settled = new Map<string, boolean>()
  const sentIn = new Map<number, Array<string>>()
  const outputOf = new Map<string, string>()
  const onWire: Array<string> = []
  const acknowledged = new Set<string>()
  /** Outputs that wished for a reply and were not yet in the list of one. */
  const unanswered = new Set<string>()
  let connected = true
  let epoch = 0
  let sends = 0
  let callsThisTurn = 0
  let refusals = 0

  const step = (input: Ledger.Input): void => {
    for (const command of ledger.step(input)) {
      switch (command._tag) {
        case "Start":
        case "TripBreaker":
          expect(arrived.has(command.call.callId), "a call started twice").toBe(false)
          callsThisTurn += 1
          arrived.add(command.call.callId)
          responseOf.set(command.call.callId, command.call.responseId)
          break
        case "SendOutput": {
          if (!connected) break
          const { callId, output } = command
          const before = outputOf.get(callId)
          expect(before ?? output, "the output changed").toBe(output)
          outputOf.set(callId, output)
          const sent = sentIn.get(epoch) ?? []
          expect(sent, "two outputs in one conversation").not.toContain(callId)
          sentIn.set(epoch, [...sent, callId])
          sends += 1
          const outputItemId = `out_${sends}_${callId}`
          onWire.push(outputItemId)
          if (settled.get(callId)) unanswered.add(callId)
          step({ _tag: "OutputSent", callId, outputItemId, epoch })
          break
        }
        case "AskToGoOn": {
          const asked = [...unanswered].filter((callId) => responseOf.get(callId) === command.responseId)
          expect(asked.length, "a reply that nobody wished for").toBeGreaterThan(0)
          for (const callId of asked) unanswered.delete(callId)
          break
        }
        case "NoteRepeated":
          expect(responseOf.get(command.call.callId)).toBe(command.call.responseId)
          break
        case "RefuseConflicting": {
          expect(arrived.has(command.call.callId)).toBe(true)
          callsThisTurn += 1
          if (callsThisTurn > maxCallsPerTurn + 1) break
          // It has no output, and is owed a reply all the same.
          refusals += 1
          unanswered.add(`refused ${refusals}`)
          responseOf.set(`refused ${refusals}`, command.call.responseId)
          break
        }
      }
    }
  }

  const settle = (callId: string, reply: boolean): void => {
    const state = ledger.state(callId)?._tag
    if (state === "Running" || state === "AwaitingApproval") settled.set(callId, reply)
    step({ _tag: "Settled", callId, output: `output of ${callId} ${settled.size}`, reply })
  }

  for (const event of happenings) {
    switch (event._tag) {
      case "arrive":
        step({ _tag: "Arrived", call: call(event.id, event.response, event.text) })
        break
      case "settle":
        settle(event.id, event.reply)
        break
      case "acknowledge": {
        const outputItemId = onWire[event.index]
        if (outputItemId === undefined) break
        acknowledged.add(outputItemId.split("_")[2] ?? "")
        step({ _tag: "OutputAcknowledged", outputItemId })
        break
      }
      case "approval":
        step({ _tag: event.decided ? "ApprovalDecided" : "ApprovalAwaited", callId: event.id })
        break
      case "end":
        step({ _tag: "ResponseEnded", responseId: event.response })
        break
      case "drop":
        if (connected) step({ _tag: "ConnectionLost", epoch })
        connected = false
        onWire.length = 0
        epoch += 1
        connected = true
        step({ _tag: "Reconnected" })
        break
      case "turn":
        callsThisTurn = 0
        step({ _tag: "TurnBegan" })
        break
    }
  }

  // The end: whatever is still open settles, and the responses end.
  for (const callId of arrived) settle(callId, true)
  for (const responseId of responseIds) step({ _tag: "ResponseEnded", responseId })
  return { ledger, arrived, sentIn, outputOf, unanswered, acknowledged, epoch }
}

describe("Settlement, over random interleavings", () => {
  const runs = { numRuns: numRuns(2000) }

  it("gives each call exactly one output in its conversation, and the same one after each reconnect", () => {
    fc.assert(
      fc.property(
        fc.array(happening, { maxLength: 40 }),
        fc.constantFrom("all" as const, "each" as const),
        (happenings, parallelReply) => {
          const { acknowledged, arrived, epoch, ledger, outputOf, sentIn } = play(happenings, { parallelReply })
          for (const callId of arrived) {
            expect(outputOf.has(callId), `${callId} has no output`).toBe(true)
            const inLast = (sentIn.get(epoch) ?? []).includes(callId)
            expect(inLast || acknowledged.has(callId), `${callId} is unanswered on the last connection`).toBe(true)
          }
          expect(ledger.open()).toEqual([])
        }
      ),
      runs
    )
  })

  it("asks for a reply to every output that wishes for one, once its response has ended", () => {
    fc.assert(
      fc.property(
        fc.array(happening, { maxLength: 40 }),
        fc.constantFrom("all" as const, "each" as const),
        (happenings, parallelReply) => {
          expect(play(happenings, { parallelReply }).unanswered).toEqual(new Set())
        }
      ),
      runs
    )
  })
})

describe("A response that is withdrawn", () => {
  const withdrawn = { _tag: "Withdrawn", responseId: "resp_1" } as const
  const ended = { _tag: "ResponseEnded", responseId: "resp_1" } as const

  it("has its calls answered, and asks for nothing after them, whenever it is withdrawn", () => {
    for (const at of [0, 1, 2, 3]) {
      const ledger = make()
      const commands: Array<Ledger.Command> = []
      const withdrawAt = (step: number): void => {
        if (at === step) commands.push(...ledger.step(withdrawn))
      }
      withdrawAt(0)
      for (const id of ["a", "b"]) commands.push(...ledger.step({ _tag: "Arrived", call: call(id) }))
      withdrawAt(1)
      commands.push(...answer(ledger, "a"))
      withdrawAt(2)
      commands.push(...ledger.step(ended))
      withdrawAt(3)
      commands.push(...answer(ledger, "b"))
      expect(tags(commands)).toEqual(["Start", "Start", "SendOutput", "SendOutput"])
      expect(ledger.isOpen("resp_1")).toBe(false)
    }
  })

  it("asks for nothing, either, when it was cut off with its connection", () => {
    const ledger = make()
    ledger.step({ _tag: "Arrived", call: call("a") })
    ledger.step({ _tag: "CutOff", responseId: "resp_1" })
    ledger.step(ended)
    ledger.step(withdrawn)
    ledger.step({ _tag: "ConnectionLost", epoch: 0 })
    ledger.step({ _tag: "Reconnected" })
    expect(tags(answer(ledger, "a", true, 1))).toEqual(["SendOutput"])
  })

  it("leaves the calls of another response alone", () => {
    const ledger = make()
    ledger.step(withdrawn)
    ledger.step({ _tag: "Arrived", call: call("a", "resp_2") })
    ledger.step({ _tag: "ResponseEnded", responseId: "resp_2" })
    expect(tags(answer(ledger, "a"))).toEqual(["SendOutput", "AskToGoOn"])
  })
})
