import * as HttpServer from "@effect/platform/HttpServer"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.js"
import { call, say, script } from "../../src/EmbeddedRealtime.js"
import { Gateway, GatewayProtocol as Protocol } from "../../src/gateway.js"
import * as Tool from "../../src/Tool.js"
import { agent, type Client, connect, serve } from "./harness.js"

const { closeCodes } = Protocol

const start = (client: Client, more: Partial<typeof Protocol.Start.Type> = {}) => {
  client.send({ _tag: "Start", playback: "estimated", ...more })
  return client.first("Welcome")
}

/** Pays once the call is approved. */
const agentThatPays = (paid: (amount: number) => void) =>
  Agent.make("Cashier", {
    instructions: "Pay.",
    tools: [
      Tool.make("pay", {
        description: "Pays",
        parameters: { amount: Schema.Number },
        approval: true,
        handler: ({ amount }) => Effect.sync(() => paid(amount))
      })
    ]
  })

describe("A client of a gateway", () => {
  it.scopedLive("talks with a session: text in, events and audio out", () =>
    Effect.gen(function* () {
      const { gateway, port } = yield* serve()
      const client = yield* connect(port)
      const welcome = yield* start(client, { playback: "reported" })
      expect(welcome).toMatchObject({ next: 1, taken: 0, input: { type: "audio/pcm" }, output: { type: "audio/pcm" } })
      expect(yield* client.event("SessionStarted")).toMatchObject({ sessionId: welcome.sessionId })
      expect(yield* gateway.calls).toBe(1)
      client.send({ _tag: "SendText", id: 1, text: "Hello!" })
      const done = yield* client.first("Done")
      expect(done.id).toBe(1)
      const { chunk } = yield* client.first("Audio")
      expect(chunk.bytes.length).toBeGreaterThan(1_000)
      const completed = yield* client.event("AudioCompleted")
      expect(completed.itemId).toBe(chunk.itemId)
      client.send({ _tag: "HangUp", id: 2 })
      yield* client.event("SessionEnded")
      expect(yield* client.first("Ended")).toMatchObject({ reason: "HungUp" })
      expect((yield* client.closed).code).toBe(closeCodes.ended)
      expect(yield* gateway.calls).toBe(0)
    })
  )

  it.scopedLive("speaks, and ends its turn itself", () =>
    Effect.gen(function* () {
      const { embedded, port } = yield* serve({}, { transcribe: () => ({ text: "Hello!" }) })
      const client = yield* connect(port)
      yield* start(client, { turns: "committed" })
      const second = new Uint8Array(48_000)
      for (let at = 0; at < second.length; at += 4_800) client.sendRaw(second.subarray(at, at + 4_800))
      client.send({ _tag: "CommitAudio", id: 1 })
      yield* client.event("ResponseDone")
      const connection = yield* embedded.connection
      const types = (yield* connection.received).map(({ type }) => type)
      expect(types.lastIndexOf("input_audio_buffer.append")).toBeLessThan(types.indexOf("input_audio_buffer.commit"))
      client.send({ _tag: "SetTurns", id: 2, turns: "detected" })
      expect(yield* client.event("SessionUpdated")).toMatchObject({
        session: { audio: { input: { turn_detection: { type: "server_vad" } } } }
      })
      expect(yield* client.first("Done")).toMatchObject({ id: 2 })
    })
  )

  it.scopedLive("approves and rejects calls, and is told if no call waits", () =>
    Effect.gen(function* () {
      const paid: Array<number> = []
      const cashier = agentThatPays((amount) => paid.push(amount))
      const mind = script([
        [call("pay", { amount: 1 })],
        [say("Paid.")],
        [call("pay", { amount: 2 })],
        [say("Not paid.")]
      ])
      const { port } = yield* serve({ call: () => Effect.succeed({ agent: cashier }) }, { mind })
      const client = yield* connect(port)
      yield* start(client)
      client.send({ _tag: "SendText", id: 1, text: "Pay 1." })
      const first = yield* client.event("ToolApprovalRequested")
      client.send({ _tag: "Approve", id: 2, callId: first.call.callId })
      yield* client.event("ToolSucceeded")
      client.send({ _tag: "SendText", id: 3, text: "Pay 2." })
      const second = yield* client.event("ToolApprovalRequested")
      client.send({ _tag: "Reject", id: 4, callId: second.call.callId, reason: "too much." })
      const failed = yield* client.event("ToolFailed")
      expect(failed.output).toContain("too much.")
      expect(paid).toEqual([1])
      client.send({ _tag: "Approve", id: 5, callId: second.call.callId })
      expect(yield* client.first("Failed")).toMatchObject({ id: 5, error: { _tag: "ApprovalNotPending" } })
    })
  )

  it.scopedLive("interrupts what is said, and only what it reported counts as heard", () =>
    Effect.gen(function* () {
      const { port } = yield* serve(
        {},
        { mind: script([[say("This is a long answer that nobody hears to its end.")]]) }
      )
      const client = yield* connect(port)
      yield* start(client, { playback: "reported" })
      client.send({ _tag: "SendText", id: 1, text: "Tell me." })
      const { chunk } = yield* client.first("Audio")
      yield* client.event("AudioCompleted")
      client.send({ _tag: "Played", itemId: chunk.itemId, contentIndex: chunk.contentIndex, heardMs: 120 })
      client.send({ _tag: "Interrupt", id: 2 })
      expect(yield* client.event("AudioInterrupted")).toMatchObject({ itemId: chunk.itemId, heardMs: 120 })
    })
  )

  it.scopedLive("has heard nothing if it has not reported anything yet", () =>
    Effect.gen(function* () {
      const { port } = yield* serve(
        {},
        { mind: script([[say("This is a long answer that nobody hears to its end.")]]) }
      )
      const client = yield* connect(port)
      yield* start(client, { playback: "reported" })
      client.send({ _tag: "SendText", id: 1, text: "Tell me." })
      yield* client.event("AudioCompleted")
      client.send({ _tag: "Interrupt", id: 2 })
      expect(yield* client.event("AudioInterrupted")).toMatchObject({ heardMs: 0 })
    })
  )

  it.scopedLive("gets a Pong for a Ping", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const client = yield* connect(port)
      yield* start(client)
      client.send({ _tag: "Ping" })
      yield* client.first("Pong")
    })
  )

  it.scopedLive("gets an agent by its identity, or is told why it gets none", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({
        authenticate: ({ headers }) => Effect.succeed({ id: headers["x-user"] ?? "nobody" }),
        call: ({ id }) =>
          id === "nobody"
            ? Effect.fail(new Gateway.CallRefused({ message: "Who are you?" }))
            : Effect.succeed({ agent: Agent.make(`Agent of ${id}`, { instructions: "Help." }) })
      })
      const ada = yield* connect(port, { headers: { "x-user": "ada" } })
      yield* start(ada)
      expect(yield* ada.event("SessionStarted")).toMatchObject({ agent: "Agent of ada" })
      const nobody = yield* connect(port)
      nobody.send({ _tag: "Start", playback: "estimated" })
      expect(yield* nobody.closed).toEqual({ code: closeCodes.failed, reason: "Who are you?" })
    })
  )
})

describe("A gateway", () => {
  it.scopedLive("has no more calls than its limit, and accepts another when one has ended", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({ maxCalls: 1 })
      const first = yield* connect(port)
      yield* start(first)
      const second = yield* connect(port)
      second.send({ _tag: "Start", playback: "estimated" })
      expect((yield* second.closed).code).toBe(closeCodes.full)
      first.send({ _tag: "HangUp", id: 1 })
      expect((yield* first.closed).code).toBe(closeCodes.ended)
      const third = yield* connect(port)
      yield* start(third)
    })
  )

  it.scopedLive("does not reveal why a session could not begin", () =>
    Effect.gen(function* () {
      const failures: Array<unknown> = []
      const { port } = yield* serve({
        call: () => Effect.succeed({ agent, options: { maxOpenCalls: 0 } }),
        onFailed: (failed) => {
          failures.push(failed)
          throw new Error("The application failed, too.")
        }
      })
      const client = yield* connect(port)
      client.send({ _tag: "Start", playback: "estimated" })
      const closed = yield* client.closed
      expect(closed.code).toBe(closeCodes.failed)
      expect(closed.reason).not.toContain("maxOpenCalls")
      expect(failures).toMatchObject([
        { _tag: "NotBegun", identity: { id: expect.any(String) }, cause: Cause.fail({ _tag: "OptionsInvalid" }) }
      ])
    })
  )

  it.scopedLive("says why a client has no call if the application dies, and not with its words", () =>
    Effect.gen(function* () {
      const logs: Array<string> = []
      const logger = Logger.make(({ cause, message }) => {
        logs.push(`${String(message)} ${Cause.pretty(cause)}`)
      })
      const failures: Array<readonly [tag: string, defect: unknown]> = []
      const onFailed = ({ _tag, cause }: Gateway.Failed<unknown>) => {
        failures.push([_tag, Cause.squash(cause)])
      }
      const throws = () => {
        throw new Error("SECRET")
      }
      yield* Effect.gen(function* () {
        const { port } = yield* serve({ call: throws, onFailed })
        const client = yield* connect(port)
        client.send({ _tag: "Start", playback: "estimated" })
        expect(yield* client.closed).toMatchObject({ code: closeCodes.failed, reason: expect.stringContaining("log") })
        const closed = yield* serve({ authenticate: () => Effect.dieMessage("SECRET"), onFailed })
        expect(yield* Effect.flip(connect(closed.port))).toMatchObject({
          status: 500,
          message: expect.stringContaining("log")
        })
      }).pipe(Logger.withMinimumLogLevel(LogLevel.Debug), Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      expect(logs.filter((line) => line.includes("The option `call` died."))).toHaveLength(1)
      expect(logs.filter((line) => line.includes("the option `authenticate` died."))).toHaveLength(1)
      expect(logs.join()).not.toContain("SECRET")
      expect(failures).toMatchObject([
        ["NotBegun", { message: "SECRET" }],
        ["NotAuthenticated", { message: "SECRET" }]
      ])
    })
  )

  it.scopedLive("does not serve other machines by default", () =>
    Effect.gen(function* () {
      const { gateway } = yield* serve()
      const everywhere = HttpServer.make({
        address: { _tag: "TcpAddress", hostname: "0.0.0.0", port: 80 },
        serve: () => Effect.void
      })
      const serveThere = (options?: Gateway.ServeOptions) =>
        Effect.provideService(Gateway.serve(gateway, options), HttpServer.HttpServer, everywhere)
      expect((yield* Effect.flip(serveThere())).message).toContain("Listen on 127.0.0.1")
      yield* serveThere({ reach: "everyone" })
    })
  )

  it.scopedLive("refuses options that can not be used", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(serve({ maxCalls: 0, resumeWithin: -1 }))
      expect(error).toMatchObject({
        _tag: "OptionsInvalid",
        problems: [{ option: "maxCalls" }, { option: "resumeWithin" }]
      })
    })
  )
})
