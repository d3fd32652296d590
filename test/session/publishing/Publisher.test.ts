import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Agent from "../../../src/Agent.js"
import { RealtimeModel } from "../../../src/RealtimeModel.js"
import * as ScriptedModel from "../../../src/ScriptedModel.js"
import * as Session from "../../../src/Session.js"
import type { AudioChunk, SessionEvent } from "../../../src/SessionEvent.js"
import * as Tool from "../../../src/Tool.js"
import { open } from "../harness.js"

const { call, say } = ScriptedModel

class Closed {
  readonly _tag = "Closed"
}
const ask = Tool.make("ask", { description: "Asks.", handler: () => Effect.fail(new Closed()) })
const agent = Agent.make("Desk", { instructions: "Be brief.", tools: [ask] })
const turns = [[call("ask", {}, { callId: "c1" })], [say("It is closed.")]]

describe("A listener", () => {
  it.scoped("hears what the streams deliver, in the same order", () =>
    Effect.gen(function* () {
      const heard: Array<SessionEvent<unknown>> = []
      const h = yield* open(agent, turns, { onEvent: (event) => heard.push(event) })
      yield* h.session.sendText("Is it open?")
      yield* h.nth("ResponseDone", 2)
      yield* h.session.close
      // The stream begins when it is read: after the session has begun.
      const from = heard.findIndex((event) => event._tag === "ItemAdded")
      expect(heard.slice(0, from).map(({ _tag }) => _tag)).toContain("SessionStarted")
      expect(h.events.filter(({ _tag }) => _tag !== "SessionUpdated")).toEqual(heard.slice(from))
    })
  )

  it.scoped("hears of a failed call when its output is on the wire, and knows its failure by its type", () =>
    Effect.gen(function* () {
      const wire: Array<string> = []
      const before: Array<ReadonlyArray<string>> = []
      const failures: Array<string> = []
      const model = yield* ScriptedModel.make(turns)
      const connect: typeof model.model.connect = (options) =>
        Effect.map(model.model.connect(options), (connection) => ({
          ...connection,
          send: (event) => {
            wire.push(event.type === "conversation.item.create" ? event.item.type : event.type)
            return connection.send(event)
          }
        }))
      const session = yield* Session.make(agent, {
        settings: { output_modalities: ["text"] },
        onEvent: (event) => {
          if (event._tag !== "ToolFailed" || event.error._tag !== "ToolFailure") return
          failures.push(event.error.failure._tag)
          before.push(wire.slice(-2))
        }
      }).pipe(Effect.provideService(RealtimeModel, { connect }))
      yield* session.sendText("Is it open?")
      yield* model.next("response.create")
      yield* model.next("response.create")
      expect(failures).toEqual(["Closed"])
      expect(before).toEqual([["response.create", "function_call_output"]])
    })
  )

  it.scoped("that throws does not harm the session: the call is answered, and each throw is published", () =>
    Effect.gen(function* () {
      const onEvent = ({ _tag }: SessionEvent<unknown>): void => {
        if (_tag === "ToolFailed" || _tag === "InputFailed") throw new Error("my secret")
      }
      const h = yield* open(agent, turns, { onEvent })
      yield* h.session.sendText("Is it open?")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.outputs).toHaveLength(1)
      expect(h.all("ToolFailed")).toHaveLength(1)
      const failed = h.all("InputFailed")
      expect(failed).toMatchObject([{ input: "onEvent" }])
      expect(JSON.stringify(failed)).not.toContain("my secret")
    })
  )

  it.scoped("that is asynchronous ends no process where it fails: that is published", () =>
    Effect.gen(function* () {
      const onEvent = async ({ _tag }: SessionEvent<unknown>): Promise<void> => {
        if (_tag === "ToolFailed" || _tag === "InputFailed") throw new Error("my secret")
      }
      const h = yield* open(agent, turns, { onEvent })
      yield* h.session.sendText("Is it open?")
      expect(yield* h.first("InputFailed")).toMatchObject({ input: "onEvent" })
      yield* h.nth("ResponseDone", 2)
      expect(h.all("InputFailed")).toHaveLength(1)
      expect(JSON.stringify(h.all("InputFailed"))).not.toContain("my secret")
    })
  )

  it.scoped("hears each chunk of audio as it comes, and leaves nothing for a first reader", () =>
    Effect.gen(function* () {
      const heard: Array<AudioChunk> = []
      const onAudio = (chunk: AudioChunk): void => {
        heard.push(chunk)
        if (heard.length === 1) throw new Error("Once.")
      }
      const settings = { output_modalities: ["audio"] } as const
      const h = yield* open(agent, [[say("Hello there.")], [say("And again.")]], { settings, onAudio })
      yield* h.session.sendText("Hi.")
      yield* h.first("ResponseDone")
      expect(heard.length).toBeGreaterThan(1)
      expect(h.all("InputFailed")).toMatchObject([{ input: "onAudio" }])
      const late: Array<AudioChunk> = []
      const reading = Stream.runForEach(h.session.audio, (chunk) => Effect.sync(() => late.push(chunk)))
      yield* Effect.forkScoped(reading)
      yield* Effect.yieldNow()
      const before = heard.length
      yield* h.session.sendText("Hi again.")
      yield* h.nth("ResponseDone", 2)
      yield* h.session.close
      expect(late).toEqual(heard.slice(before))
    })
  )
})
