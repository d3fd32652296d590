import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as Agent from "../src/Agent.js"
import * as EmbeddedRealtime from "../src/EmbeddedRealtime.js"
import type { Fault } from "../src/embedded/Fault.js"
import * as Handoff from "../src/Handoff.js"
import * as HostedMcp from "../src/HostedMcp.js"
import type { McpTool } from "../src/protocol/ToolConfig.js"
import * as ScriptedModel from "../src/ScriptedModel.js"
import * as Session from "../src/Session.js"
import * as SessionJournal from "../src/SessionJournal.js"
import * as Tool from "../src/Tool.js"
import { type Harness, open } from "./session/harness.js"

const { call, mcpCall, say } = EmbeddedRealtime

const secret = "tok-SECRET-of-the-crm"

const crm = HostedMcp.server("crm", {
  server_url: "https://crm.example.com/mcp",
  authorization: Redacted.make(secret),
  headers: { "X-Key": Redacted.make(secret), "X-Team": "blue" },
  allowed_tools: ["find"],
  require_approval: "never"
})

const docs = HostedMcp.server("docs", { connector_id: "connector_dropbox", require_approval: "always" })

const ok = Tool.make("ok", { description: "", handler: () => Effect.succeed("ok") })

const desk = Agent.make("Desk", { instructions: "Desk", tools: [ok], hostedTools: [crm] })

/** As they go over the wire. */
const wireOf = (label: string): McpTool =>
  label === "crm"
    ? {
        type: "mcp",
        server_label: "crm",
        server_url: "https://crm.example.com/mcp",
        authorization: secret,
        headers: { "X-Key": secret, "X-Team": "blue" },
        allowed_tools: ["find"],
        require_approval: "never"
      }
    : { type: "mcp", server_label: "docs", connector_id: "connector_dropbox", require_approval: "always" }

/** Everything that could still arrive has arrived. */
const later = Effect.zipRight(
  TestClock.adjust("1 millis"),
  Effect.forEach(Array.from({ length: 50 }), () => Effect.yieldNow())
)

/** The tools of each update, functions by their names. */
const updates = <E>(h: Harness<E>) =>
  Effect.map(h.model.sent, (sent) =>
    sent.flatMap((event) =>
      event.type === "session.update" && event.session.type === "realtime"
        ? [(event.session.tools ?? []).map((tool) => (tool.type === "function" ? tool.name : tool))]
        : []
    )
  )

const finds: EmbeddedRealtime.McpServer = { tools: [{ name: "find" }], takes: "2 seconds" }

/** Opens a session while the clock goes on, because its beginning waits for the import. */
const opened = <E, R>(...args: Parameters<typeof open<E, R>>) =>
  Effect.gen(function* () {
    const opening = yield* Effect.fork(open(...args))
    yield* later
    for (let passed = 0; passed < 20 && opening.unsafePoll() === null; passed += 1) {
      yield* TestClock.adjust("1 second")
      yield* later
    }
    return yield* Fiber.join(opening)
  })

describe("A hosted server", () => {
  it.scoped("is sent beside the functions, with its secrets, and on another connection again", () =>
    Effect.gen(function* () {
      const h = yield* opened(desk, [[say("Hello.")]])
      yield* h.model.drop()
      yield* TestClock.adjust("1 second")
      yield* h.first("Reconnected")
      expect(yield* updates(h)).toEqual([
        ["ok", wireOf("crm")],
        ["ok", wireOf("crm")]
      ])
    })
  )

  it.scoped("stays with its agent over handoffs, updates of the agent and of settings", () =>
    Effect.gen(function* () {
      const second = Agent.make("Second", { instructions: "Second", hostedTools: [crm, docs] })
      const first = Agent.make("First", { instructions: "First", hostedTools: [crm], handoffs: [Handoff.to(second)] })
      const h = yield* opened(first, [[call("transfer_to_Second")], [say("Here.")]])
      yield* h.session.sendText("Go.")
      yield* h.first("HandedOff")
      yield* TestClock.adjust("1 second")
      yield* h.first("TextCompleted")
      yield* h.session.updateConfig({ max_output_tokens: 9 })
      yield* h.session.updateAgent("First")
      expect(yield* updates(h)).toEqual([
        ["transfer_to_Second", wireOf("crm")],
        [wireOf("crm"), wireOf("docs")],
        [],
        ["transfer_to_Second", wireOf("crm")]
      ])
      expect((yield* Effect.flatMap(h.model.connection, (one) => one.session))["tools"]).toMatchObject([
        { name: "transfer_to_Second" },
        { server_label: "crm" }
      ])
    })
  )

  it.scoped("shows its secrets to nobody but the provider", () =>
    Effect.gen(function* () {
      const journal = yield* SessionJournal.SessionJournal
      const h = yield* opened(desk, [[say("Hello.")]], { sessionId: "s" })
      yield* h.session.sendText("Hello?")
      yield* h.first("TextCompleted")
      yield* h.session.close
      expect(JSON.stringify(yield* h.model.sent)).toContain(secret)
      expect(JSON.stringify(h.events)).not.toContain(secret)
      expect(JSON.stringify(yield* journal.read("s"))).not.toContain(secret)
      expect(JSON.stringify(desk)).not.toContain(secret)
    }).pipe(Effect.provide(SessionJournal.layerMemory))
  )

  it.scoped("whose settings the API would refuse is refused before anything is sent, all reasons at once", () =>
    Effect.gen(function* () {
      const wrong = [
        HostedMcp.server("crm", { server_url: "https://a.example.com" }),
        HostedMcp.server("crm", { server_url: "https://b.example.com" }),
        HostedMcp.server("", { tunnel_id: "t" }),
        // Programs without types may pass these.
        HostedMcp.server("none", {} as never),
        HostedMcp.server("both", { server_url: "https://c.example.com", tunnel_id: "t" } as never),
        HostedMcp.server("open", { server_url: "https://d.example.com", authorization: secret } as never),
        HostedMcp.server("drop", { connector_id: "connector_dropbox", headers: { Authorization: "x" } }),
        HostedMcp.server("nowhere", { server_url: "not an address" }),
        HostedMcp.server("file", { server_url: "file:///etc/mcp" }),
        HostedMcp.server("odd", {
          tunnel_id: "t",
          require_approval: "sometimes",
          allowed_tools: [1],
          allowed_callers: ["nobody"],
          defer_loading: "no",
          server_description: 1,
          headers: { "X-Key": 1 }
        } as never)
      ]
      const agent = Agent.make("Desk", { instructions: "", hostedTools: wrong })
      const error = yield* Effect.flip(open(agent, []))
      expect(error).toMatchObject({
        _tag: "AgentInvalid",
        problems: [
          'Two hosted servers are labelled "crm": rename one.',
          "A hosted server has an empty label: give it a name, such as crm.",
          'The hosted server "none" should have exactly one of server_url, connector_id, tunnel_id, but has none.',
          'The hosted server "both" should have exactly one of server_url, connector_id, tunnel_id, but has server_url and tunnel_id.',
          'The hosted server "open" has its authorization as text, which could be printed: give it as Redacted.make(token).',
          'The hosted server "drop" is a connector, which takes no header Authorization: use the option `authorization`.',
          'The hosted server "nowhere" has a server_url that is no address: give one such as https://crm.example.com/mcp.',
          'The hosted server "file" has a server_url that is no address: give one such as https://crm.example.com/mcp.',
          ...[
            "require_approval",
            "allowed_tools",
            "allowed_callers",
            "defer_loading",
            "server_description",
            "headers"
          ].map(
            (name) =>
              `The hosted server "odd" has a wrong ${name}, which the API refuses: see the type HostedMcp.Options.`
          )
        ]
      })
      expect(error.message).not.toContain(secret)
    })
  )
})

describe("The import of a hosted server's tools", () => {
  for (const item of ["before", "behind"] as const) {
    it.scoped(`is awaited before the session begins, where its item comes ${item} its end`, () =>
      Effect.gen(function* () {
        const opening = yield* Effect.fork(open(desk, [], {}, { mcpServers: { crm: { ...finds, item } } }))
        yield* later
        yield* TestClock.adjust("1990 millis")
        yield* later
        expect(opening.unsafePoll()).toBeNull()
        yield* TestClock.adjust("10 millis")
        const h = yield* Fiber.join(opening)
        yield* h.first("SessionStarted")
        expect(h.all("HostedImportFailed")).toEqual([])
      })
    )
  }

  it.scoped("holds back the model after a handoff, and nothing else", () =>
    Effect.gen(function* () {
      const second = Agent.make("Second", { instructions: "Second", hostedTools: [crm] })
      const first = Agent.make("First", { instructions: "First", handoffs: [Handoff.to(second)] })
      const h = yield* opened(first, [[call("transfer_to_Second")], [say("Here.")]], {}, { mcpServers: { crm: finds } })
      yield* h.session.sendText("Go.")
      yield* h.first("HandedOff")
      yield* h.first("ToolSucceeded")
      yield* later
      expect(yield* h.requests).toBe(1)
      yield* h.session.sendMessage({ type: "message", role: "user", content: [{ type: "input_text", text: "And?" }] })
      yield* TestClock.adjust("2 seconds")
      yield* h.first("TextCompleted")
      expect(yield* h.requests).toBe(2)
    })
  )

  it.scoped("of a server that is known is not awaited for long: the provider need not read it again", () =>
    Effect.gen(function* () {
      const second = Agent.make("Second", { instructions: "Second", hostedTools: [crm] })
      const first = Agent.make("First", { instructions: "First", hostedTools: [crm], handoffs: [Handoff.to(second)] })
      let lists = 0
      /** The server says nothing of the second list. */
      const silent: Fault = (step) => {
        if (step._tag !== "Outgoing" || !JSON.stringify(step.event).includes("mcp_list_tools")) return undefined
        if (step.type === "conversation.item.added") lists += 1
        return lists > 1 ? [] : undefined
      }
      const h = yield* opened(
        first,
        [[call("transfer_to_Second")], [say("Here.")]],
        {},
        { mcpServers: { crm: finds }, faults: [silent] }
      )
      yield* h.session.sendText("Go.")
      yield* h.first("HandedOff")
      yield* later
      expect(yield* h.requests).toBe(1)
      yield* TestClock.adjust("500 millis")
      yield* h.first("TextCompleted")
    })
  )

  it.scoped("is awaited on another connection, before the model goes on there", () =>
    Effect.gen(function* () {
      const h = yield* opened(desk, [[say("Hello.")]], {}, { mcpServers: { crm: finds } })
      yield* h.model.drop()
      yield* later
      yield* h.session.sendText("Hello?")
      yield* TestClock.adjust("1 second")
      yield* h.first("Reconnected")
      yield* later
      expect(yield* h.requests).toBe(0)
      yield* TestClock.adjust("2 seconds")
      yield* h.first("TextCompleted")
    })
  )

  it.scoped("is gone with its connection, and is none of what another one could not be told", () =>
    Effect.gen(function* () {
      const h = yield* opened(desk, [[say("Hello.")]], {}, { mcpServers: { crm: finds } })
      const lists = Effect.map(h.session.conversation, ({ items }) =>
        items.flatMap((item) => (item._tag === "Other" && item.type === "mcp_list_tools" ? item.id : []))
      )
      const [before] = yield* lists
      yield* h.model.drop()
      yield* later
      yield* TestClock.adjust("5 seconds")
      expect(yield* h.first("Reconnected")).toMatchObject({ omitted: [] })
      expect(h.all("ItemDeleted")).toEqual([{ _tag: "ItemDeleted", itemId: before }])
      yield* later
      const after = yield* lists
      expect(after).toHaveLength(1)
      expect(after).not.toContain(before)
    })
  )

  it.scoped("that fails is published, with its server, and the call goes on", () =>
    Effect.gen(function* () {
      const both = Agent.make("Desk", { instructions: "", hostedTools: [crm, docs] })
      const h = yield* opened(
        both,
        [[mcpCall("docs", "search", {}, { output: "3" })], [say("Three.")]],
        {},
        {
          mcpServers: { crm: { outcome: "failed" }, docs: finds }
        }
      )
      expect(h.all("HostedImportFailed")).toEqual([
        { _tag: "HostedImportFailed", agent: "Desk", server: "crm", by: "server" }
      ])
      yield* h.session.sendText("How many?")
      yield* h.first("TextCompleted")
    })
  )

  it.scoped("that fails without a word about which it is, is published once, and holds nothing", () =>
    Effect.gen(function* () {
      const both = Agent.make("Desk", { instructions: "", hostedTools: [crm, docs] })
      const nameless = { outcome: "failed", item: "never" } as const
      const h = yield* opened(both, [[say("Hello.")]], {}, { mcpServers: { crm: nameless, docs: nameless } })
      expect(h.all("HostedImportFailed").map(({ server }) => server)).toEqual([undefined, undefined])
      yield* h.session.sendText("Hello?")
      yield* h.first("TextCompleted")
    })
  )

  it.scoped("that never ends is given up, with an event, and the session begins", () =>
    Effect.gen(function* () {
      const opening = yield* Effect.fork(
        open(
          desk,
          [[say("Hello.")]],
          { hostedImportTimeout: "4 seconds" },
          { mcpServers: { crm: { outcome: "never" } } }
        )
      )
      yield* later
      yield* TestClock.adjust("3990 millis")
      yield* later
      expect(opening.unsafePoll()).toBeNull()
      yield* TestClock.adjust("10 millis")
      const h = yield* Fiber.join(opening)
      expect(yield* h.first("HostedImportFailed")).toMatchObject({ server: "crm", by: "deadline" })
      yield* h.session.sendText("Hello?")
      yield* h.first("TextCompleted")
    })
  )

  it.scoped("that never ends is written down all the same: other items stand behind it", () =>
    Effect.gen(function* () {
      const journal = yield* SessionJournal.SessionJournal
      const h = yield* opened(
        desk,
        [[say("Hello.")]],
        { sessionId: "s" },
        { mcpServers: { crm: { outcome: "never" } } }
      )
      yield* h.session.sendText("Hello?")
      yield* h.first("TextCompleted")
      yield* h.session.close
      const written = (yield* journal.read("s")).flatMap((record) => (record._tag === "ItemFinal" ? [record.item] : []))
      expect(written[0]).toMatchObject({ _tag: "Other", type: "mcp_list_tools" })
      expect(written).toHaveLength(3)
    }).pipe(Effect.provide(SessionJournal.layerMemory))
  )

  it.scoped("ends with a session that is closed meanwhile", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([], { mcpServers: { crm: { outcome: "never" } } })
      const opening = yield* Effect.fork(Effect.scoped(Effect.provide(Session.make(desk), model.layer)))
      yield* later
      const exit = yield* Fiber.interrupt(opening)
      expect(Exit.isInterrupted(exit)).toBe(true)
    })
  )
})

describe("The embedded server", () => {
  it.scoped("refuses servers as the API does, and the whole update with them", () =>
    Effect.gen(function* () {
      const h = yield* opened(desk, [])
      const update = (...tools: ReadonlyArray<McpTool>) =>
        h.session.send({ type: "session.update", session: { type: "realtime", tools } })
      const url = { type: "mcp", server_url: "https://crm.example.com/mcp" } as const
      yield* update({ ...url, server_label: "a" }, { ...url, server_label: "a" })
      yield* update({ ...url, server_label: "a", tunnel_id: "t" })
      yield* update({ type: "mcp", server_label: "a" })
      yield* update({ type: "mcp", server_label: "a", connector_id: "connector_gmail", headers: { Authorization: "" } })
      yield* update({ type: "mcp", server_label: "crm" })
      yield* h.nth("SessionUpdated", 2)
      const refused = yield* Effect.flatMap(h.model.connection, (one) => one.refused)
      expect(refused.map(({ refusal }) => refusal.code)).toEqual([
        "invalid_value",
        "mutually_exclusive_parameters",
        "missing_required_parameter",
        "invalid_value"
      ])
    })
  )
})
