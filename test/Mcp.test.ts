import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js"
import { Server as LowLevelServer } from "@modelcontextprotocol/sdk/server/index.js"
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { expectTypeOf } from "vitest"
import * as Agent from "../src/Agent.js"
import * as Mcp from "../src/Mcp.js"
import { call, say } from "../src/ScriptedModel.js"
import { SettingsRejected } from "../src/SessionError.js"
import type * as Tool from "../src/Tool.js"
import { freePort } from "./freePort.js"
import { everythingOverHttp } from "./mcp/everything.js"
import { listen } from "./openai/Loopback.js"
import { open, outputFrame } from "./session/harness.js"

const everything = createRequire(import.meta.url).resolve("@modelcontextprotocol/server-everything/dist/index.js")
const program = { command: process.execPath, args: [everything, "stdio"] }

const odd = (kind: string, file = "") => ({
  command: process.execPath,
  args: [join(import.meta.dirname, "mcp/oddServer.mjs"), kind, file]
})

/** A file that is gone afterwards. */
const temporary = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "mcp-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  ),
  (folder) => {
    const file = join(folder, "lives")
    writeFileSync(file, "")
    return file
  }
)

const agentOf = <R>(server: Mcp.Server<R>) =>
  Agent.make("Desk", { instructions: "Use the tools.", tools: server.tools })

/** Runs a tool as a session would, without one. */
const run = <E, R>(tools: ReadonlyArray<Tool.Tool<string, E, R>>, name: string, args: object = {}) =>
  Effect.gen(function* () {
    const tool = tools.find((one) => one.name === name)
    if (tool === undefined) return yield* Effect.dieMessage(`no tool is named ${name}`)
    const prepared = yield* tool.prepare({
      callId: "c1",
      tool: name,
      agent: "Desk",
      sessionId: "s1",
      idempotencyKey: "k",
      responseId: undefined,
      arguments: JSON.stringify(args),
      progress: () => Effect.void
    })
    return yield* prepared.run
  })

const next = (server: Mcp.Server<never>, tag: Mcp.Event["_tag"]) =>
  server.events.pipe(
    Stream.filter((event) => event._tag === tag),
    Stream.runHead,
    Effect.map(Option.getOrThrow)
  )

describe("Types", () => {
  it("infers the failures of calls, and what approvals require", () => {
    class Desk extends Context.Tag("test/Desk")<Desk, { readonly isOpen: boolean }>() {}
    const plain = Mcp.stdio("files", { command: "x", approval: true })
    type Plain = Effect.Effect.Success<typeof plain>["tools"][number]
    expectTypeOf<Tool.Failure<Plain>>().toEqualTypeOf<Mcp.McpCallError>()
    expectTypeOf<Tool.Requirements<Plain>>().toBeNever()
    expectTypeOf<Effect.Effect.Context<typeof plain>>().toEqualTypeOf<Scope.Scope>()
    expectTypeOf<Effect.Effect.Error<typeof plain>>().toEqualTypeOf<Mcp.McpConnectFailed | Mcp.McpListFailed>()
    const asking = Mcp.http("files", {
      url: "http://localhost",
      approval: () => () => Effect.map(Desk, ({ isOpen }) => !isOpen)
    })
    type Asking = Effect.Effect.Success<typeof asking>["tools"][number]
    expectTypeOf<Tool.Requirements<Asking>>().toEqualTypeOf<Desk>()
    // @ts-expect-error whether calls need approval has to be decided
    Mcp.stdio("files", { command: "x" })
  })
})

const over: ReadonlyArray<
  readonly [how: string, Effect.Effect<Mcp.Server, Mcp.McpConnectFailed | Mcp.McpListFailed, Scope.Scope>]
> = [
  ["stdio", Mcp.stdio("everything", { ...program, approval: false })],
  [
    "streamable HTTP",
    freePort.pipe(
      Effect.flatMap((port) => everythingOverHttp(everything, port)),
      Effect.flatMap((url) => Mcp.http("everything", { url, approval: false }))
    )
  ]
]

describe.each(over)("The official server with everything, over %s", (_, connected) => {
  it.scoped("has tools that a session calls, and that are answered with text, with failures and with progress", () =>
    Effect.gen(function* () {
      const server = yield* connected
      const names = server.tools.map(({ name }) => name)
      expect(names).toContain("everything__echo")
      expect(names.length).toBeGreaterThan(8)
      expect(names.filter((name) => !/^[a-zA-Z0-9_-]{1,64}$/.test(name))).toEqual([])
      for (const { reason } of server.skipped) expect(reason).toContain("only runs as a task")
      const h = yield* open(agentOf(server), [
        [call("everything__echo", { message: "hello" }, { callId: "c1" })],
        [call("everything__get-structured-content", { location: "New York" }, { callId: "c2" })],
        [call("everything__get-tiny-image", {}, { callId: "c3" })],
        [call("everything__echo", { words: "hello" }, { callId: "c4" })],
        [call("everything__trigger-long-running-operation", { duration: 0.2, steps: 2 }, { callId: "c5" })],
        [say("Done.")]
      ])
      yield* h.session.sendText("Try everything.")
      yield* h.first("TextCompleted")
      expect(yield* h.outputs).toEqual([
        outputFrame("c1", "Echo: hello"),
        outputFrame("c2", expect.stringMatching(/^\{.*"temperature":\d+/)),
        outputFrame("c3", expect.stringContaining("(image was left out)")),
        outputFrame("c4", expect.stringContaining("message: is missing")),
        outputFrame("c5", expect.stringContaining("Steps: 2"))
      ])
      expect(h.all("ToolFailed").map(({ error }) => error._tag)).toEqual(["InvalidArguments"])
      const progress = h.all("ToolProgress")
      expect(progress.map(({ call, data }) => [call.callId, data])).toEqual(
        [1, 2].map((progress) => ["c5", { progress, total: 2 }])
      )
      expect(progress[0]?.message).toBe("in progress")
    })
  )
})

describe("A server over HTTP", () => {
  it.scopedLive("that was started anew gets a new session", () =>
    Effect.gen(function* () {
      const port = yield* freePort
      const first = yield* Scope.make()
      const url = yield* Scope.extend(everythingOverHttp(everything, port), first)
      const headers = { Authorization: Redacted.make("Bearer secret") }
      const server = yield* Mcp.http("everything", { url, headers, approval: false, restartBackoff: "50 millis" })
      const echo = run(server.tools, "everything__echo", { message: "hello" })
      expect(yield* echo).toBe("Echo: hello")
      yield* Scope.close(first, Exit.void)
      yield* everythingOverHttp(everything, port)
      expect(yield* Effect.flip(echo)).toMatchObject({ failureTag: "McpServerLost" })
      expect(yield* echo).toBe("Echo: hello")
      yield* next(server, "Restarted")
    })
  )
})

describe("A server that is a program", () => {
  it.scopedLive("gets none of the application's variables but those that it is given", () =>
    Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Effect.sync(() => Object.assign(process.env, { MCP_TEST_SECRET: "x" })),
        () => Effect.sync(() => delete process.env["MCP_TEST_SECRET"])
      )
      const server = yield* Mcp.stdio("odd", { ...odd("plain"), env: { GIVEN: "1" }, approval: false })
      const names = yield* run(server.tools, "odd__env")
      expect(names).toContain("GIVEN")
      expect(names).not.toContain("MCP_TEST_SECRET")
    })
  )

  it.scopedLive("is started again when it dies: its call fails, and the next one is answered", () =>
    Effect.gen(function* () {
      const server = yield* Mcp.stdio("odd", { ...odd("plain"), approval: false, restartBackoff: "1 millis" })
      const before = yield* run(server.tools, "odd__pid")
      const failure = yield* Effect.flip(run(server.tools, "odd__die"))
      const message = "The server of die gave no answer that can be read. The call may have run."
      expect(failure).toMatchObject({ _tag: "ToolFailure", failureTag: "McpServerLost", message })
      expect(yield* run(server.tools, "odd__pid")).not.toBe(before)
      yield* next(server, "Lost")
      yield* next(server, "Restarted")
    })
  )

  it.scopedLive("that was started again once ends with its scope, and is neither lost nor started then", () =>
    Effect.gen(function* () {
      const file = yield* temporary
      const scope = yield* Scope.make()
      const options = { ...odd("lingers", file), approval: false, restartBackoff: "10 millis" } as const
      const server = yield* Scope.extend(Mcp.stdio("odd", options), scope)
      const events = yield* Effect.fork(Stream.runCollect(server.events))
      yield* Effect.exit(run(server.tools, "odd__die"))
      yield* next(server, "Restarted")
      yield* Scope.close(scope, Exit.void)
      expect(Array.from(yield* Fiber.join(events), ({ _tag }) => _tag)).toEqual(["Lost", "Restarted"])
      expect(readFileSync(file, "utf8")).toBe("xx")
    })
  )

  it.scopedLive("is given up after so many attempts, and every call fails then", () =>
    Effect.gen(function* () {
      const file = yield* temporary
      const server = yield* Mcp.stdio("odd", {
        ...odd("dies for good", file),
        approval: false,
        maxRestarts: 3,
        restartBackoff: "1 millis"
      })
      yield* Effect.flip(run(server.tools, "odd__die"))
      yield* next(server, "GaveUp")
      const message = "There is no connection to the server of pid, so the call did not run."
      expect(yield* Effect.flip(run(server.tools, "odd__pid"))).toMatchObject({ failureTag: "McpServerLost", message })
      expect(yield* Effect.flip(server.refresh)).toMatchObject({ _tag: "McpListFailed" })
    })
  )

  it.scopedLive("says when its list changes", () =>
    Effect.gen(function* () {
      const server = yield* Mcp.stdio("odd", { ...odd("plain"), approval: false })
      yield* run(server.tools, "odd__grow")
      expect(yield* next(server, "ListChanged")).toEqual({
        _tag: "ListChanged",
        added: ["new"],
        changed: [],
        removed: []
      })
      expect((yield* server.current).tools.map(({ name }) => name)).toContain("odd__new")
      expect(server.tools.map(({ name }) => name)).not.toContain("odd__new")
    })
  )

  it.scopedLive("gives a session that follows it the new list, whose tools the model then calls", () =>
    Effect.gen(function* () {
      const server = yield* Mcp.stdio("odd", { ...odd("plain"), approval: false })
      const agent = Agent.make("Desk", { instructions: "Use the tools.", tools: server.latest })
      const h = yield* open(agent, [[call("odd__grow")], [say("It grows.")], [call("odd__new")], [say("It is new.")]])
      yield* server.follow(h.session)
      yield* h.session.sendText("Grow.")
      const { functions } = yield* h.first("ToolsUpdated")
      expect(functions).toContain("odd__new")
      yield* h.first("TextCompleted")
      yield* h.session.sendText("Try the new one.")
      expect(yield* h.nth("ToolSucceeded", 2)).toMatchObject({ call: { tool: "odd__new" } })
    })
  )

  it.scopedLive("says of a session that does not take the new list, and goes on", () =>
    Effect.gen(function* () {
      const server = yield* Mcp.stdio("odd", { ...odd("plain"), approval: false })
      const refused = Effect.fail(
        new SettingsRejected({ code: "too_many", param: "session.tools", reason: "Too many." })
      )
      yield* server.follow({ updateTools: refused })
      expect(yield* next(server, "ListNotTaken")).toMatchObject({ reason: expect.stringContaining("Too many.") })
      expect(yield* run(server.tools, "odd__pid")).toMatch(/^\d+$/)
    })
  )

  it.scopedLive("that prints junk is read all the same, and the junk is published", () =>
    Effect.gen(function* () {
      const server = yield* Mcp.stdio("odd", { ...odd("prints junk"), approval: false })
      expect(yield* run(server.tools, "odd__pid")).toMatch(/^\d+$/)
      const noise = yield* next(server, "Noise")
      expect(noise._tag === "Noise" && noise.text.length <= 200).toBe(true)
    })
  )

  const failing: ReadonlyArray<readonly [kind: string, tag: string, says: string]> = [
    ["exits", "McpConnectFailed", "Connection closed"],
    ["is silent", "McpConnectFailed", "did not answer within 300ms"],
    ["lists nothing", "McpListFailed", "No list today."]
  ]
  for (const [kind, tag, says] of failing) {
    it.scopedLive(`that ${kind} is a typed error`, () =>
      Effect.gen(function* () {
        const options = {
          ...odd(kind),
          approval: false,
          connectTimeout: kind === "is silent" ? "300 millis" : "30 seconds"
        }
        const error = yield* Effect.flip(Mcp.stdio("odd", options as never))
        expect(error).toMatchObject({ _tag: tag, server: "odd" })
        expect(error.message).toContain(says)
      })
    )
  }

  it.scopedLive("that does not exist is a typed error, and so is an address that is none", () =>
    Effect.gen(function* () {
      const missing = yield* Effect.flip(Mcp.stdio("none", { command: "/no/such/program", approval: true }))
      expect(missing).toMatchObject({ _tag: "McpConnectFailed", reason: expect.stringContaining("ENOENT") })
      const nowhere = yield* Effect.flip(Mcp.http("none", { url: "nowhere", approval: true }))
      expect(nowhere).toMatchObject({ _tag: "McpConnectFailed", reason: '"nowhere" is not an address.' })
      const url = `http://127.0.0.1:${yield* freePort}/mcp`
      const refused = yield* Effect.flip(Mcp.http("none", { url, approval: true }))
      expect(refused).toMatchObject({ _tag: "McpConnectFailed", reason: expect.stringContaining("ECONNREFUSED") })
    })
  )

  it.scopedLive("that prints its log to stdout is told that this is not MCP, without a piece of what it printed", () =>
    Effect.gen(function* () {
      const printing = (text: string, more: string) => ({
        command: process.execPath,
        args: ["-e", `console.log(${JSON.stringify(text)}); ${more}`],
        approval: false,
        connectTimeout: "2 seconds" as const
      })
      const stays = "setInterval(() => undefined, 1000)"
      for (const text of ["Listening on port 3000", '{"level":30,"msg":"Listening on port 3000"}']) {
        const error = yield* Effect.flip(Mcp.stdio("odd", printing(text, stays)))
        expect(error.message).toBe(
          'The MCP server "odd" could not be connected: It did not answer within 2s. What it printed to stdout is not MCP. ' +
            "Let it print to stderr what is not MCP, or check its command."
        )
      }
      const ended = yield* Effect.flip(Mcp.stdio("odd", printing("Usage: odd [port]", "process.exit(1)")))
      expect(ended.message).toContain("Connection closed. What it printed to stdout is not MCP.")
    })
  )

  it.scopedLive("whose label is empty is refused like any other option", () =>
    Effect.gen(function* () {
      const message =
        'The options of Mcp.stdio("") cannot be used: `label` should be text of 1 to 200 characters, but is "".'
      const exit = yield* Effect.exit(Mcp.stdio("", { ...odd("plain"), approval: false }))
      expect(exit).toMatchObject({ cause: { defect: { _tag: "OptionsInvalid", message } } })
    })
  )

  it.scopedLive("that does not start says why in its own words, without what it was given to keep to itself", () =>
    Effect.gen(function* () {
      const key = "sk-0123456789"
      const program = { ...odd("complains"), env: { KEY: key } }
      const error = yield* Effect.flip(Mcp.stdio("odd", { ...program, approval: true }))
      expect(error.message).toBe(
        'The MCP server "odd" could not be connected: Connection closed. It wrote to stderr: ' +
          "The key <redacted> is not valid. Get another one. Check its command or address."
      )
      const echo = createServer(({ headers }, response) => response.writeHead(401).end(headers.authorization))
      yield* Effect.acquireRelease(
        Effect.async<void>((resume) => void echo.listen(0, "127.0.0.1", () => resume(Effect.void))),
        () => Effect.async<void>((resume) => void echo.close(() => resume(Effect.void)))
      )
      const address = echo.address()
      const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/mcp`
      const headers = { authorization: Redacted.make(`Bearer ${key}`) }
      const refused = yield* Effect.flip(Mcp.http("odd", { url, headers, approval: true }))
      expect(refused.message).toContain("401")
      expect(refused.message).not.toContain(key)
    })
  )
})

describe("A server over HTTP that does not let anybody in", () => {
  const statuses: ReadonlyArray<readonly [status: number, advice: string]> = [
    [401, "Check its headers."],
    [403, "Check its headers."],
    [404, "Check its command or address."],
    [500, "Check its command or address."]
  ]
  it.scopedLive.each(statuses)("with HTTP %i says what to check", ([status, advice]) =>
    Effect.gen(function* () {
      const port = yield* listen(createServer((_, response) => response.writeHead(status).end("no")))
      const error = yield* Effect.flip(Mcp.http("crm", { url: `http://127.0.0.1:${port}/mcp`, approval: true }))
      expect(error.message).toMatch(new RegExp(`^The MCP server "crm" could not be connected: HTTP ${status}: .*`))
      expect(error.message.endsWith(`no. ${advice}`)).toBe(true)
    })
  )
})

describe("The list of a server", () => {
  it.scopedLive("of 500 tools is read page by page, and the model gets so many", () =>
    Effect.gen(function* () {
      const server = yield* Mcp.stdio("odd", { ...odd("lists many"), approval: false })
      expect(server.tools).toHaveLength(128)
      expect(server.skipped).toHaveLength(372)
      expect(server.skipped[0]?.reason).toBe(
        "The model gets 128 tools of this server at most. Choose them with `select`."
      )
      expect(Either.isRight(Agent.validate(agentOf(server)))).toBe(true)
      const endless = yield* Mcp.stdio("odd", { ...odd("lists without end"), approval: false })
      expect(endless.skipped).toEqual([{ name: "(more)", reason: "Only 100 pages are read." }])
    })
  )

  it.scopedLive("with tools that cannot be used has all the others, and says why", () =>
    Effect.gen(function* () {
      const server = yield* Mcp.stdio("odd", { ...odd("lists nonsense"), approval: ({ hints }) => !hints.readOnly })
      expect(server.tools.map(({ name, description }) => `${name} ${description}`.trim())).toEqual([
        "odd__twin the first",
        "odd__odd",
        expect.stringMatching(/^odd__a_b_[a-z0-9]{8}$/),
        expect.stringMatching(/^odd__a_b_[a-z0-9]{8}$/),
        "odd__good"
      ])
      expect(new Set(server.tools.map(({ name }) => name)).size).toBe(5)
      expect(server.tools.map(({ listed }) => listed.name)).toEqual(["twin", "odd", "a.b", "a b", "good"])
      expect(server.skipped).toEqual([
        { name: "(number 1)", reason: "It has no name." },
        { name: "(number 2)", reason: "It has no name." },
        { name: "without", reason: "It has no schema of its arguments." },
        { name: "twin", reason: "Another tool has the same name." },
        { name: "task", reason: "It only runs as a task, which no call can wait for." },
        { name: "wrong", reason: expect.stringContaining("#/properties/n has a wrong `minimum`") },
        { name: "long", reason: "Its schema is longer than 100,000 characters." }
      ])
    })
  )
})

/** A client of the application, connected to a server in this process. */
const ownClient = (answer: (name: string, signal: AbortSignal) => Promise<object>) =>
  Effect.gen(function* () {
    const server = new LowLevelServer({ name: "own", version: "1" }, { capabilities: { tools: {} } })
    const inputSchema = { type: "object" as const }
    const annotations = { readOnlyHint: true, idempotentHint: true }
    const tools = ["works", "fails", "throws", "waits"].map((name) => ({ name, inputSchema, annotations }))
    server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }))
    server.setRequestHandler(CallToolRequestSchema, ({ params }, { signal }) => answer(params.name, signal))
    const client = new Client({ name: "test", version: "1" })
    const [here, there] = InMemoryTransport.createLinkedPair()
    yield* Effect.promise(() => Promise.all([server.connect(there), client.connect(here)]))
    yield* Effect.addFinalizer(() => Effect.promise(() => client.close()))
    return client
  })

describe("A client that the application has", () => {
  it.scoped("gives its tools, whose hints waive no approval, and whose calls fail with what went wrong", () =>
    Effect.gen(function* () {
      const client = yield* ownClient(async (name) => {
        if (name === "throws") throw new Error("It broke.")
        return { content: [{ type: "text", text: `It ${name}.` }], isError: name === "fails" }
      })
      const server = yield* Mcp.fromClient("own", client, {
        approval: true,
        rename: ({ name }) => (name === "waits" ? "own_works" : `own_${name}`),
        policy: ({ hints }) => ({ idempotent: hints.idempotent, onFailure: "respond" }),
        select: ({ name }) => name !== "none"
      })
      expect(server.skipped).toEqual([{ name: "waits", reason: 'Another tool is already named "own_works".' }])
      expect(server.tools.map(({ policy }) => policy.idempotent)).toEqual([true, true, true])
      const h = yield* open(agentOf(server), [
        [
          call("own_works", {}, { callId: "c1" }),
          call("own_fails", {}, { callId: "c2" }),
          call("own_throws", {}, { callId: "c3" })
        ],
        [say("Done.")]
      ])
      yield* h.session.sendText("Go on.")
      yield* h.nth("ToolApprovalRequested", 3)
      for (const callId of ["c1", "c2", "c3"]) yield* h.session.approve(callId)
      yield* h.first("TextCompleted")
      const failures = h
        .all("ToolFailed")
        .map(({ call, error }) => [call.callId, error._tag === "ToolFailure" && error.failure])
      expect(Object.fromEntries(failures)).toEqual({
        c2: new Mcp.McpToolFailed({ server: "own", tool: "fails", text: "It fails." }),
        c3: new Mcp.McpRefused({ server: "own", tool: "throws", code: -32_603, reason: "It broke." })
      })
      expect(yield* h.outputs).toEqual(expect.arrayContaining([outputFrame("c1", "It works.")]))
      yield* Effect.promise(() => client.close())
      expect(yield* Effect.flip(run(server.tools, "own_works"))).toMatchObject({ failureTag: "McpServerLost" })
    })
  )

  it.scoped("is noticed when it is closed, and a call after that says that it did not run", () =>
    Effect.gen(function* () {
      let heard = 0
      const client = yield* ownClient(async () => ({ content: [] }))
      client.onclose = () => {
        heard += 1
      }
      const server = yield* Mcp.fromClient("own", client, { approval: false })
      yield* Effect.promise(() => client.close())
      expect(heard).toBeGreaterThan(0)
      expect(yield* next(server, "Lost")).toEqual({ _tag: "Lost", reason: "Its client is closed." })
      const failure = yield* Effect.flip(run(server.tools, "own__works"))
      expect(failure).toMatchObject({ failureTag: "McpServerLost", details: { mayHaveRun: false } })
    })
  )

  it.scoped("is noticed when it is closed during a call, which may have run", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const client = yield* ownClient(() => {
        Deferred.unsafeDone(started, Effect.void)
        return new Promise(() => undefined)
      })
      const server = yield* Mcp.fromClient("own", client, { approval: false })
      const waiting = yield* Effect.fork(Effect.flip(run(server.tools, "own__waits")))
      yield* Deferred.await(started)
      yield* Effect.promise(() => client.close())
      expect(yield* Fiber.join(waiting)).toMatchObject({ failureTag: "McpServerLost", details: { mayHaveRun: true } })
      yield* next(server, "Lost")
    })
  )

  it.scoped("has its own onclose again at the end, whichever of its servers ends first", () =>
    Effect.gen(function* () {
      const client = yield* ownClient(async () => ({ content: [] }))
      const own = () => undefined
      for (const before of [own, undefined]) {
        if (before === undefined) delete client.onclose
        else client.onclose = before
        const scopes = [yield* Scope.make(), yield* Scope.make()]
        for (const scope of scopes) yield* Scope.extend(Mcp.fromClient("own", client, { approval: false }), scope)
        expect(client.onclose).not.toBe(before)
        for (const scope of scopes) yield* Scope.close(scope, Exit.void)
        expect(client.onclose).toBe(before)
      }
    })
  )

  it.scoped("that was given another onclose meanwhile keeps that one", () =>
    Effect.gen(function* () {
      const client = yield* ownClient(async () => ({ content: [] }))
      const scope = yield* Scope.make()
      const server = yield* Scope.extend(Mcp.fromClient("own", client, { approval: false }), scope)
      const another = () => undefined
      client.onclose = another
      yield* Effect.promise(() => client.close())
      const failure = yield* Effect.flip(run(server.tools, "own__works"))
      expect(failure).toMatchObject({ failureTag: "McpServerLost", details: { mayHaveRun: false } })
      yield* Scope.close(scope, Exit.void)
      expect(client.onclose).toBe(another)
    })
  )

  it.scoped("is told that nobody waits any more when a call has timed out", () =>
    Effect.gen(function* () {
      const cancelled = yield* Deferred.make<void>()
      const started = yield* Deferred.make<void>()
      const client = yield* ownClient(
        (_, signal) =>
          new Promise(() => {
            signal.addEventListener("abort", () => Deferred.unsafeDone(cancelled, Effect.void))
            Deferred.unsafeDone(started, Effect.void)
          })
      )
      const server = yield* Mcp.fromClient("own", client, { approval: false, policy: () => ({ timeout: "1 second" }) })
      const h = yield* open(agentOf(server), [[call("own__waits", {}, { callId: "c1" })], [say("Done.")]])
      yield* h.session.sendText("Go on.")
      yield* Deferred.await(started)
      yield* TestClock.adjust("1 second")
      expect((yield* h.first("ToolFailed")).error._tag).toBe("ToolTimedOut")
      yield* Deferred.await(cancelled)
    })
  )
})
