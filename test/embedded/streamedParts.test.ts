import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import * as Stream from "effect/Stream"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import type { ServerEvent } from "../../src/protocol/ServerEvent.js"
import { type Client, connect, userSays } from "./client.js"

const { call, cutShort, fail, fromFunction, say, sayDelta, usage } = EmbeddedRealtime

/** A mind whose parts come when the test gives them; what interrupts it is told. */
const start = (session: object = {}) =>
  Effect.gen(function* () {
    const parts = yield* Mailbox.make<EmbeddedRealtime.Part>()
    const interrupted = yield* Mailbox.make<void>()
    const mind = fromFunction(() => Mailbox.toStream(parts).pipe(Stream.ensuring(interrupted.offer(undefined))))
    const server = yield* EmbeddedRealtime.make({ mind })
    const client = yield* connect(server.model)
    yield* client.sendRaw({ type: "session.update", session: { type: "realtime", ...session } })
    yield* client.until("session.updated")
    yield* client.send({ type: "response.create" })
    yield* client.until("rate_limits.updated")
    const give = (...more: ReadonlyArray<EmbeddedRealtime.Part>) => parts.offerAll(more)
    return {
      client,
      connection: yield* server.connection,
      give,
      end: parts.end,
      interrupted: Effect.orDie(interrupted.take)
    }
  })

const inText = { output_modalities: ["text"] }

/** The next events, without those of the conversation, up to the first of a type. */
const until = (client: Client, type: ServerEvent["type"]) =>
  Effect.map(client.typesUntil(type), (types) => types.filter((one) => !one.startsWith("conversation.")))

describe("a mind that streams its parts", () => {
  it.scoped("is read as it writes, in one message", () =>
    Effect.gen(function* () {
      const { client, end, give } = yield* start(inText)
      yield* give(sayDelta("Good "))
      expect((yield* client.until("response.output_text.delta")).delta).toBe("Good ")
      yield* give(sayDelta("day."))
      expect((yield* client.until("response.output_text.delta")).delta).toBe("day.")
      yield* end
      expect(yield* client.until("response.done")).toMatchObject({
        response: { status: "completed", output: [{ status: "completed", content: [{ text: "Good day." }] }] }
      })
    })
  )

  it.scoped("is heard from its first sentence on, while the second is being written", () =>
    Effect.gen(function* () {
      const { client, end, give } = yield* start()
      yield* give(sayDelta("Good day"), sayDelta(". It is"))
      expect((yield* client.until("response.output_audio.delta")).delta).not.toBe("")
      yield* give(sayDelta(" sunny."))
      yield* end
      const types = yield* until(client, "response.done")
      expect(types.filter((type) => type === "response.output_item.done")).toHaveLength(1)
      expect(types).toContain("response.output_audio.delta")
    })
  )

  it.scoped("ends a message with the next part, and begins another one behind a call", () =>
    Effect.gen(function* () {
      const { client, end, give } = yield* start(inText)
      yield* give(sayDelta("One "), sayDelta("moment."), call("look", { at: 1 }), sayDelta("Look"), usage(70, 9))
      yield* give(sayDelta("ing."))
      yield* end
      expect((yield* client.until("response.done")).response).toMatchObject({
        output: [
          { type: "message", status: "completed", content: [{ text: "One moment." }] },
          { type: "function_call", status: "completed", arguments: '{"at":1}' },
          { type: "message", status: "completed", content: [{ text: "Looking." }] }
        ],
        usage: { input_tokens: 70, output_tokens: 9, total_tokens: 79 }
      })
    })
  )

  it.scoped.each([
    [
      fail("server_error", "The line broke."),
      { status: "failed", status_details: { error: { code: "server_error" } } }
    ],
    [cutShort("max_output_tokens"), { status: "incomplete", status_details: { reason: "max_output_tokens" } }]
  ] as const)("leaves the message incomplete that %j breaks off, with what was said of it", ([part, details]) =>
    Effect.gen(function* () {
      for (const session of [inText, {}]) {
        const { client, give, interrupted } = yield* start(session)
        yield* give(sayDelta("All is well. Or"), part)
        const { response } = yield* client.until("response.done")
        const said = { [session === inText ? "text" : "transcript"]: "All is well. Or" }
        expect(response).toMatchObject({ ...details, output: [{ status: "incomplete", content: [said] }] })
        yield* interrupted
      }
    })
  )

  it.scoped.each(["response.cancel", "barge-in", "a lost connection", "a limit"])("is interrupted by %s", (by) =>
    Effect.gen(function* () {
      const { client, connection, give, interrupted } = yield* start(
        by === "a limit" ? { ...inText, max_output_tokens: 3 } : inText
      )
      yield* give(sayDelta("Once upon a time "))
      if (by !== "a limit") yield* client.until("response.output_text.delta")
      if (by === "response.cancel") yield* client.send({ type: "response.cancel" })
      if (by === "a lost connection") yield* connection.drop
      if (by === "barge-in") {
        const loud = Buffer.alloc(24_000)
        for (let at = 0; at < loud.length; at += 2) loud.writeInt16LE(at % 200 < 100 ? 12_000 : -12_000, at)
        yield* client.send({ type: "input_audio_buffer.append", audio: loud.toString("base64") })
      }
      yield* interrupted
      if (by !== "a lost connection") {
        const status = by === "a limit" ? "incomplete" : "cancelled"
        expect((yield* client.until("response.done")).response.status).toBe(status)
      }
    })
  )

  it.scoped("whose stream dies ends the response as failed", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.make({
        mind: fromFunction(() => Stream.concat(Stream.make(sayDelta("Well")), Stream.dieMessage("lost it")))
      })
      const client = yield* connect(server.model)
      yield* client.send({ type: "response.create" })
      expect((yield* client.until("response.done")).response).toMatchObject({
        status: "failed",
        status_details: { error: { code: "server_error", message: expect.stringContaining("lost it") } }
      })
    })
  )
})

describe("tool_choice", () => {
  const tools = [
    { type: "function", name: "a" },
    { type: "function", name: "b" }
  ]

  it.scoped.each<[object | string, ReadonlyArray<EmbeddedRealtime.Part>, ReadonlyArray<object>]>([
    ["none", [call("a")], [{ content: [{ text: "That is all that I can do now." }] }]],
    ["none", [sayDelta("So"), call("a")], [{ content: [{ text: "So" }] }]],
    ["required", [sayDelta("So"), sayDelta(" be it.")], [{ content: [{ text: "So be it." }] }, { name: "a" }]],
    ["required", [call("b")], [{ name: "b" }]],
    [{ type: "function", name: "b" }, [call("a")], [{ name: "b" }]],
    [{ type: "function", name: "b" }, [call("a"), call("b", { x: 1 })], [{ name: "b", arguments: '{"x":1}' }]],
    ["required", [sayDelta("So"), fail("server_error")], [{ content: [{ text: "So" }] }]]
  ])("%j is obeyed by a mind that streams %j", ([tool_choice, parts, output]) =>
    Effect.gen(function* () {
      const { client, end, give } = yield* start({ ...inText, tools, tool_choice })
      yield* Effect.forEach(parts, (part) => give(part))
      yield* end
      const { response } = yield* client.until("response.done")
      expect(response.output).toMatchObject(output)
      expect(response.output).toHaveLength(output.length)
    })
  )
})

describe("a part that is not the last", () => {
  it.scoped("is done when the next one is there", () =>
    Effect.gen(function* () {
      const { client, end, give } = yield* start(inText)
      yield* give(say("One."), call("look"))
      expect(yield* until(client, "response.function_call_arguments.delta")).toContain("response.output_item.done")
      yield* client.send(userSays("?"))
      expect(yield* until(client, "conversation.item.done")).not.toContain("response.output_item.done")
      yield* end
      expect(yield* until(client, "response.done")).toContain("response.output_item.done")
    })
  )
})
