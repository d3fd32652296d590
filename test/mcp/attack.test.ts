import * as Http from "node:http"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Mcp from "../../src/Mcp.js"
import type * as Tool from "../../src/Tool.js"
import { listen } from "../openai/Loopback.js"

const odd = (kind: string) => ({
  command: process.execPath,
  args: [join(import.meta.dirname, "oddServer.mjs"), kind]
})
const key = "mcp-very-secret-0123456789"
const misbehaving = Mcp.stdio("odd", {
  ...odd("misbehaves"),
  env: { API_KEY: key },
  approval: false,
  restartBackoff: "1 millis"
})

/** Runs a tool as a session would, without one. */
const run = <E, R>(
  tools: ReadonlyArray<Tool.Tool<string, E, R>>,
  name: string,
  progress: (message: string, data: unknown) => void = () => undefined
) =>
  Effect.gen(function* () {
    const tool = tools.find((one) => one.name === name)
    if (tool === undefined) return yield* Effect.dieMessage(`no tool is named ${name}`)
    const prepared = yield* tool.prepare({
      ...{ callId: "c1", tool: name, agent: "Desk", sessionId: "s1", idempotencyKey: "k", responseId: undefined },
      arguments: "{}",
      progress: (message, data) => Effect.sync(() => progress(message, data))
    })
    return yield* prepared.run
  })

const next = (server: Mcp.Server, tag: Mcp.Event["_tag"]) =>
  server.events.pipe(
    Stream.filter((event) => event._tag === tag),
    Stream.runHead,
    Effect.map(Option.getOrThrow)
  )

describe("A server that is a program, and", () => {
  const failing: ReadonlyArray<readonly [kind: string, tag: string]> = [
    ["dies at initialize", "McpConnectFailed"],
    ["dies at notifications/initialized", "McpListFailed"],
    ["dies at tools/list", "McpListFailed"],
    ["answers initialize with junk", "McpConnectFailed"]
  ]
  it.scopedLive.each(failing)("%s is a typed error", ([kind, tag]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Mcp.stdio("odd", { ...odd(kind), approval: false }))
      expect(error).toMatchObject({ _tag: tag, server: "odd" })
    })
  )

  it.scopedLive("reports progress in one piece with the result is heard", () =>
    Effect.gen(function* () {
      const server = yield* misbehaving
      const heard: Array<string> = []
      expect(yield* run(server.tools, "odd__report", (message) => void heard.push(message))).toBe("reported")
      expect(heard).toEqual(["step 1", "step 2", "step 3"])
    })
  )

  it.scopedLive("floods with progress is heard as far as somebody listens, and answered", () =>
    Effect.gen(function* () {
      const server = yield* misbehaving
      const heard: Array<string> = []
      expect(yield* run(server.tools, "odd__flood", (message) => void heard.push(message))).toBe("flooded")
      expect(heard.at(-1)).toBe("step 10000")
      expect(yield* next(server, "Noise")).toBeDefined()
      expect(yield* run(server.tools, "odd__pid")).toMatch(/^\d+$/)
    })
  )

  it.scopedLive("answers twice is believed once", () =>
    Effect.gen(function* () {
      const server = yield* misbehaving
      expect(yield* run(server.tools, "odd__twice")).toBe("once")
      expect(yield* next(server, "Noise")).toMatchObject({ text: expect.stringContaining("unknown message ID") })
    })
  )

  it.scopedLive("says the key that it was given says it neither to the application nor to the model", () =>
    Effect.gen(function* () {
      const server = yield* misbehaving
      for (const name of ["odd__leak", "odd__fail"]) {
        const failure = yield* Effect.flip(run(server.tools, name))
        expect(JSON.stringify(failure)).toContain("<redacted>")
        expect(JSON.stringify(failure)).not.toContain(key)
        expect(JSON.stringify(failure).length).toBeLessThan(5_000)
      }
    })
  )

  it.scopedLive("says the key in its progress, or in its list, says it to nobody", () =>
    Effect.gen(function* () {
      const server = yield* misbehaving
      const heard: Array<readonly [message: string, data: unknown]> = []
      const result = yield* run(server.tools, "odd__tell", (message, data) => void heard.push([message, data]))
      expect(result).toBe('{"used":["<redacted>"]}')
      const _meta = { "of <redacted>": ["<redacted>"] }
      expect(heard).toEqual([
        ["using <redacted>", { progress: 1, total: 2, message: "using <redacted>", _meta }],
        ["in progress", undefined]
      ])
      const lister = Mcp.stdio("odd", { ...odd("lists its key"), env: { API_KEY: key }, approval: false })
      const { tools } = yield* lister
      expect(tools.map(({ listed }) => listed.description)).toEqual(["It uses <redacted>."])
      expect(JSON.stringify(tools)).toContain("not <redacted>")
      expect(JSON.stringify(tools)).not.toContain(key)
    })
  )

  const kinds: ReadonlyArray<readonly [kind: string, secret: string]> = [
    ["a short key", key],
    ["a long key", `mcp-${"0123456789ABCDEFGHIJ".repeat(5)}`],
    ["a key of several lines", `-----BEGIN KEY-----\n${"MIIEvQIBADANBgkqhkiG9w0B\n".repeat(9)}-----END KEY-----`],
    ["a key that is longer than what is shown", "0123456789abcdefghijklmnopqrstuvwxyz".repeat(50)],
    ["a key that is not of ASCII", "clé-très-secrète-0123456789-日本語の鍵"]
  ]
  it.scopedLive.each(kinds)("writes %s to stderr and dies shows no piece of it, wherever it is cut", ([, secret]) =>
    Effect.gen(function* () {
      const program = { ...odd("complains at length"), env: { KEY: secret } }
      const { reason } = yield* Effect.flip(Mcp.stdio("odd", { ...program, approval: false }))
      expect(reason).toContain("<redacted>")
      const words = secret.replaceAll("\n", " ")
      const pieces = Array.from({ length: words.length - 7 }, (_, at) => words.slice(at, at + 8))
      expect(pieces.filter((piece) => reason.includes(piece))).toEqual([])
    })
  )

  it.scopedLive("sends megabytes without an end is started anew", () =>
    Effect.gen(function* () {
      const server = yield* misbehaving
      expect(yield* Effect.flip(run(server.tools, "odd__endless"))).toMatchObject({ failureTag: "McpServerLost" })
      expect(yield* run(server.tools, "odd__pid")).toMatch(/^\d+$/)
    })
  )

  for (const code of [404, 410, -32_000]) {
    it.scopedLive(`answers a call with the error ${code} goes on with its other calls, and is not started anew`, () =>
      Effect.gen(function* () {
        const server = yield* misbehaving
        const before = yield* run(server.tools, "odd__pid")
        const slow = yield* Effect.fork(run(server.tools, "odd__slow"))
        for (let calls = 0; calls < 6; calls += 1) {
          const failure = yield* Effect.flip(run(server.tools, `odd__${code}`))
          const message = `The server of ${code} refused the call (${code}): No such order`
          expect(failure).toMatchObject({ failureTag: "McpRefused", message })
        }
        expect(yield* Fiber.join(slow)).toBe("slow, but here")
        expect(yield* run(server.tools, "odd__pid")).toBe(before)
      })
    )
  }

  it.scopedLive("sends parts that are none is read without them", () =>
    Effect.gen(function* () {
      const server = yield* misbehaving
      expect(yield* run(server.tools, "odd__link")).toBe("(a link was left out)\n(something was left out)")
    })
  )

  it.scopedLive("gives a result without a bottom is answered all the same", () =>
    Effect.gen(function* () {
      const server = yield* misbehaving
      expect(yield* run(server.tools, "odd__deep")).toBe("(a result that nests too deeply was left out)")
    })
  )

  it.scopedLive("asks for the model, the user or the folders of the application is refused", () =>
    Effect.gen(function* () {
      const server = yield* misbehaving
      yield* Effect.fork(run(server.tools, "odd__ask"))
      const answers = yield* run(server.tools, "odd__answers").pipe(
        Effect.repeat({ until: (text) => String(text).includes("ping") })
      )
      expect(answers).toBe("q_sampling/createMessage:-32601,q_elicitation/create:-32601,q_roots/list:-32601,q_ping:{}")
    })
  )
})

describe("The list of a server that", () => {
  it.scopedLive("lists more than anybody can read is read so far", () =>
    Effect.gen(function* () {
      const { skipped, tools } = yield* Mcp.stdio("odd", { ...odd("lists too much"), approval: false })
      expect(tools).toEqual([])
      expect(skipped).toHaveLength(10_001)
      expect(skipped.at(-1)).toEqual({ name: "(more)", reason: "Only 10,000 tools are read." })
    })
  )

  it.scopedLive("has strange names and schemas without end has all the others", () =>
    Effect.gen(function* () {
      const { skipped, tools } = yield* Mcp.stdio("odd", { ...odd("lists what is hard to read"), approval: false })
      expect(tools.every(({ name }) => /^[a-zA-Z0-9_-]{1,64}$/.test(name))).toBe(true)
      expect(tools.map(({ name }) => name)).toContain("odd__pid")
      expect(skipped.map(({ name, reason }) => [name.length, reason])).toEqual([
        [200, "Its name is longer than 200 characters."],
        [6, expect.any(String)],
        [4, "Its schema nests too deeply."]
      ])
    })
  )

  it.scoped("changes all the time is read again once a second at most", () =>
    Effect.gen(function* () {
      const server = yield* Mcp.stdio("odd", { ...odd("lists other tools each time"), approval: false })
      yield* next(server, "ListChanged")
      for (let calls = 0; calls < 50; calls += 1) expect(yield* run(server.tools, "odd__lists")).toBe("2")
      yield* TestClock.adjust("1 second")
      yield* run(server.tools, "odd__lists").pipe(Effect.repeat({ until: (lists) => lists === "3" }))
    })
  )

  it.scopedLive("makes an option of the application throw loses only that tool, now and later", () =>
    Effect.gen(function* () {
      const server = yield* Mcp.stdio("odd", {
        ...odd("plain"),
        approval: ({ name }) => {
          if (name === "new") throw new Error("SECRET")
          return false
        },
        select: ({ name }) => {
          if (name === "die") throw new Error("SECRET")
          return true
        },
        rename: ({ name }) => {
          if (name === "hang") throw new Error("SECRET")
          return name
        }
      })
      expect(server.tools.map(({ name }) => name)).toEqual(["pid", "grow", "env"])
      expect(server.skipped).toEqual([
        { name: "die", reason: "The option `select` threw when it was asked about it." },
        { name: "hang", reason: "The option `rename` threw when it was asked about it." }
      ])
      yield* run(server.tools, "grow")
      yield* server.refresh
      const skipped = { name: "new", reason: "The option `policy` or `approval` threw when it was asked about it." }
      expect((yield* server.current).skipped.at(-1)).toEqual(skipped)
      expect(yield* next(server, "ToolsSkipped")).toEqual({ _tag: "ToolsSkipped", skipped: [skipped] })
    })
  )

  it.scopedLive("has tools whose policy is not valid has all the others, now and later, and says so", () =>
    Effect.gen(function* () {
      const reason =
        'The options of JsonSchemaTool.make("odd__NAME") cannot be used: ' +
        '`timeout` should be a duration from 1ms to 24 days, such as "10 seconds", or Infinity, but is -1.'
      const skippedOf = (name: string) => ({ name, reason: reason.replace("NAME", name) })
      const server = yield* Mcp.stdio("odd", {
        ...odd("plain"),
        approval: false,
        policy: ({ name }) => (name === "new" || name === "hang" ? { timeout: -1 } : {})
      })
      expect(server.tools.map(({ name }) => name)).toEqual(["odd__pid", "odd__die", "odd__grow", "odd__env"])
      expect(server.skipped).toEqual([skippedOf("hang")])
      yield* run(server.tools, "odd__grow")
      expect(yield* next(server, "ToolsSkipped")).toEqual({ _tag: "ToolsSkipped", skipped: [skippedOf("new")] })
      expect((yield* server.current).skipped).toEqual([skippedOf("hang"), skippedOf("new")])
    })
  )
})

/** A server over HTTP that answers as told. */
const overHttp = (
  answer: (request: Http.IncomingMessage, response: Http.ServerResponse, method: string, id: number) => void,
  headersOf: () => Http.OutgoingHttpHeaders = () => ({})
) =>
  Effect.map(
    listen(
      Http.createServer((request, response) => {
        let body = ""
        request.on("data", (part) => {
          body += String(part)
        })
        request.on("end", () => {
          const asked = /"method":"([^"]*)"/.exec(body)?.[1] ?? ""
          const id = /"id":(\d+)/.exec(body)?.[1]
          if (asked !== "initialize") return answer(request, response, asked, Number(id))
          const capabilities = { tools: {} }
          const serverInfo = { name: "odd", version: "1" }
          const result = { protocolVersion: "2025-03-26", capabilities, serverInfo }
          response.writeHead(200, { "content-type": "application/json", ...headersOf() })
          response.end(JSON.stringify({ jsonrpc: "2.0", id: Number(id), result }))
        })
      })
    ),
    (port) => `http://127.0.0.1:${port}/mcp`
  )

describe("A server over HTTP", () => {
  it.scopedLive("that says what it was sent shows no secret, and not much else", () =>
    Effect.gen(function* () {
      const url = yield* overHttp((request, response, method) => {
        response.writeHead(method === "tools/list" ? 500 : 202)
        response.end(
          method === "tools/list" ? `${JSON.stringify(request.headers)} ${request.url} ${"x".repeat(1e6)}` : ""
        )
      })
      const headers = { Authorization: Redacted.make(`Bearer ${key}`), "x-api-key": `${key}-2` }
      const error = yield* Effect.flip(Mcp.http("odd", { url: `${url}?token=${key}-3`, headers, approval: false }))
      expect(error._tag).toBe("McpListFailed")
      expect(error.message).toContain("<redacted>")
      expect(error.message).not.toContain(key)
      expect(error.message.length).toBeLessThan(1_000)
    })
  )

  /** With a session that has one tool. A ping is answered with the status. */
  const withSession = (ping: number, onCall: (response: Http.ServerResponse, id: number) => void) => {
    let sessions = 0
    return Effect.map(
      overHttp(
        (_, response, method, id) => {
          const result = { tools: [{ name: "f", inputSchema: { type: "object" } }] }
          switch (method) {
            case "tools/call":
              return onCall(response, id)
            case "ping":
              return response.writeHead(ping, json).end(JSON.stringify({ jsonrpc: "2.0", id, result: {} }))
            case "tools/list":
              return response.writeHead(200, json).end(JSON.stringify({ jsonrpc: "2.0", id, result }))
            default:
              return response.writeHead(method === "" ? 405 : 202).end()
          }
        },
        () => {
          sessions += 1
          return { "mcp-session-id": String(sessions) }
        }
      ),
      (url) => ({ url, sessions: () => sessions })
    )
  }
  const json = { "content-type": "application/json" }

  const refusals: ReadonlyArray<readonly [what: string, tag: string, onCall: (response: Http.ServerResponse) => void]> =
    [
      ["with HTTP 400", "McpRefused", (response) => response.writeHead(400).end("blocked by the firewall")],
      ["with HTTP 500", "McpRefused", (response) => response.writeHead(500).end("broken")],
      ["with junk", "McpServerLost", (response) => response.writeHead(200, json).end("{ not json")],
      ["with what is no answer", "McpServerLost", (response) => response.writeHead(200, json).end('{"result":5}')],
      ["with too much", "McpServerLost", (response) => response.writeHead(200, json).end(`"${"x".repeat(11_000_000)}"`)]
    ]
  it.scopedLive.each(refusals)("that answers a call %s keeps its session", ([, tag, onCall]) =>
    Effect.gen(function* () {
      const { sessions, url } = yield* withSession(200, onCall)
      const server = yield* Mcp.http("odd", { url, approval: false, restartBackoff: "1 millis" })
      expect(yield* Effect.flip(run(server.tools, "odd__f"))).toMatchObject({ failureTag: tag })
      yield* server.refresh
      expect(sessions()).toBe(1)
    })
  )

  it.scopedLive.each([400, 404, 410])(
    "that does not know its session any more, and says so with HTTP %s, gets a new one",
    (status) =>
      Effect.gen(function* () {
        const { sessions, url } = yield* withSession(status, (response) => response.writeHead(status).end("No session"))
        const server = yield* Mcp.http("odd", { url, approval: false, restartBackoff: "1 millis" })
        expect(yield* Effect.flip(run(server.tools, "odd__f"))).toMatchObject({ failureTag: "McpServerLost" })
        yield* next(server, "Restarted")
        expect(sessions()).toBe(2)
      })
  )

  /** Answers each call with 400, and a ping never. */
  const withHangingPing = Effect.gen(function* () {
    const asked = yield* Deferred.make<void>()
    const cancelled = yield* Deferred.make<void>()
    const url = yield* overHttp(
      (_, response, method, id) => {
        const result = { tools: [{ name: "f", inputSchema: { type: "object" } }] }
        switch (method) {
          case "tools/call":
            return response.writeHead(400).end("blocked by the firewall")
          case "ping":
            return Deferred.unsafeDone(asked, Effect.void)
          case "notifications/cancelled":
            Deferred.unsafeDone(cancelled, Effect.void)
            return response.writeHead(202).end()
          case "tools/list":
            return response.writeHead(200, json).end(JSON.stringify({ jsonrpc: "2.0", id, result }))
          default:
            return response.writeHead(method === "" ? 405 : 202).end()
        }
      },
      () => ({ "mcp-session-id": "1" })
    )
    return { asked, cancelled, url }
  })

  it.scoped("that answers a call with HTTP 400 and a ping never has refused the call, which has no timeout", () =>
    Effect.gen(function* () {
      const { asked, cancelled, url } = yield* withHangingPing
      const policy = () => ({ timeout: Number.POSITIVE_INFINITY })
      const server = yield* Mcp.http("odd", { url, approval: false, policy })
      const failure = yield* Effect.fork(Effect.flip(run(server.tools, "odd__f")))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("5 seconds")
      expect(yield* Fiber.join(failure)).toMatchObject({ failureTag: "McpRefused", details: { code: 400 } })
      yield* Deferred.await(cancelled)
    })
  )

  it.scopedLive("that answers a ping never is not asked any more when the call is interrupted", () =>
    Effect.gen(function* () {
      const { asked, cancelled, url } = yield* withHangingPing
      const server = yield* Mcp.http("odd", { url, approval: false })
      const call = yield* Effect.fork(run(server.tools, "odd__f"))
      yield* Deferred.await(asked)
      yield* Fiber.interrupt(call)
      yield* Deferred.await(cancelled)
    })
  )

  it.scopedLive("that answers without end is broken off", () =>
    Effect.gen(function* () {
      for (const type of ["application/json", "text/event-stream"]) {
        let written = 0
        const url = yield* overHttp((_, response, method) => {
          if (method !== "tools/list") return void response.writeHead(method === "" ? 405 : 202).end()
          response.writeHead(200, { "content-type": type })
          response.write("data: {")
          const more = (): void => {
            written += 1_000_000
            if (!response.destroyed && written < 100_000_000) response.write("x".repeat(1_000_000), more)
          }
          more()
        })
        const options = { url, approval: false, connectTimeout: "2 seconds" } as const
        expect((yield* Effect.flip(Mcp.http("odd", options)))._tag).toMatch(/^Mcp(Connect|List)Failed$/)
        expect(written).toBeLessThan(60_000_000)
      }
    })
  )

  it.scopedLive("at an address that is none does not have it repeated with its secrets", () =>
    Effect.gen(function* () {
      const url = `no address with user:${key}@host?token=${key}`
      const error = yield* Effect.flip(Mcp.http("odd", { url, approval: false }))
      expect(error.message).not.toContain(key)
    })
  )
})
