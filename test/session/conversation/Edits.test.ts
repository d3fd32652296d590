import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { ClientEvent } from "../../../src/protocol/ClientEvent.js"
import { type Connection, type ConnectionLost, type Frame, Incoming } from "../../../src/RealtimeModel.js"
import { parts } from "../parts.js"

const message = (id: string): ClientEvent => ({
  type: "conversation.item.create",
  event_id: `event_${id}`,
  item: { id, type: "message", role: "user", content: [{ type: "input_text", text: id }] }
})
const output = (id: string): ClientEvent => ({
  type: "conversation.item.create",
  event_id: id,
  item: { id, type: "function_call_output", call_id: "c1", output: "ok" }
})
const deletion = (id: string): ClientEvent => ({
  type: "conversation.item.delete",
  event_id: `delete_${id}`,
  item_id: id
})

const make = () =>
  Effect.sync(() => {
    const frames = new Incoming<Frame, ConnectionLost>()
    const connection: Connection = { frames, send: () => Effect.void, bufferedBytes: () => 0 }
    const { published, session, state } = parts({ options: { controlCapacity: 3 } })
    const { edits } = session
    state.connection = connection
    return {
      edits,
      overdue: () =>
        published.flatMap((event) => (event._tag === "ItemUnacknowledged" ? [[event.itemId, event.afterMs]] : [])),
      ids: () => edits.creations().map(({ item }) => item.id),
      pass: (ms: number) => {
        state.now += ms
        edits.timePassed()
      },
      disconnect: () => {
        state.connection = undefined
      }
    }
  })

describe("What was done to the conversation, and the server has not acknowledged", () => {
  it.effect("is kept in its order for the next connection, until the server has it or has refused it", () =>
    Effect.gen(function* () {
      const { edits, ids } = yield* make()
      for (const id of ["a", "b", "c"]) edits.sent(message(id))
      edits.acknowledged("a")
      edits.refused("event_b")
      edits.refused(undefined)
      expect(ids()).toEqual(["c"])
      edits.acknowledged("c")
      expect(edits.isEmpty()).toBe(true)
    })
  )

  it.effect("has no outputs of calls among it, for the calls see to those", () =>
    Effect.gen(function* () {
      const { edits, ids } = yield* make()
      edits.sent(output("out_1"))
      expect(ids()).toEqual([])
      expect(edits.isEmpty()).toBe(false)
    })
  )

  it.effect("has each deletion once, and a deletion in place of what it deletes", () =>
    Effect.gen(function* () {
      const { edits, ids } = yield* make()
      edits.sent(message("a"))
      edits.sent(deletion("a"))
      expect(ids()).toEqual([])
      expect(edits.deletions()).toEqual(["a"])
      edits.begunAnew()
      expect(edits.deletions(), "another conversation has nothing to delete").toEqual([])
    })
  )

  it.effect("gives way to newer edits on a connection, for not every server acknowledges", () =>
    Effect.gen(function* () {
      const { edits, ids } = yield* make()
      for (const id of ["a", "b", "c", "d"]) expect(edits.sent(message(id))).toBe(true)
      expect(ids()).toEqual(["b", "c", "d"])
    })
  )

  it.effect("law 6, Boundedness: is never dropped without a connection; one too many is refused", () =>
    Effect.gen(function* () {
      const { disconnect, edits, ids } = yield* make()
      disconnect()
      for (const id of ["a", "b", "c"]) expect(edits.sent(message(id))).toBe(true)
      expect(edits.sent(message("d"))).toBe(false)
      expect(ids()).toEqual(["a", "b", "c"])
    })
  )

  it.effect("is said to be overdue once, and still kept, in its order", () =>
    Effect.gen(function* () {
      const { edits, ids, overdue, pass } = yield* make()
      edits.sent(message("a"))
      pass(4000)
      edits.sent(message("b"))
      expect(edits.deadline()).toBe(10_000)
      pass(6000)
      expect(overdue()).toEqual([["a", 10_000]])
      expect(edits.deadline()).toBe(14_000)
      pass(60_000)
      expect(overdue()).toEqual([
        ["a", 10_000],
        ["b", 66_000]
      ])
      edits.sent(message("c"))
      expect(ids()).toEqual(["a", "b", "c"])
    })
  )

  it.effect("is not overdue while there is no connection", () =>
    Effect.gen(function* () {
      const { disconnect, edits, overdue, pass } = yield* make()
      edits.sent(message("a"))
      disconnect()
      pass(60_000)
      expect([edits.deadline(), overdue()]).toEqual([undefined, []])
    })
  )
})
