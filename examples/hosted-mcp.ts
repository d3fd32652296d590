/**
 * Hosted MCP servers, whose tools the model's provider calls itself: their lists are read before the first turn, one call
 * is approved, and the model goes on after each call. The embedded server plays the provider. Runs offline.
 */
import { Console, Effect, Redacted, Stream } from "effect"
import { Agent, EmbeddedRealtime, HostedMcp, Session } from "effect-realtime"
import "./shared/pipe.js"

const { mcpApprovalRequest, mcpCall, say } = EmbeddedRealtime

const agent = Agent.make("Desk", {
  instructions: "Answer questions about orders.",
  hostedTools: [
    HostedMcp.server("crm", {
      server_url: "https://crm.example.com/mcp",
      authorization: Redacted.make("a token"),
      require_approval: { never: { tool_names: ["find_order"] } }
    }),
    HostedMcp.server("drive", { connector_id: "connector_googledrive", authorization: Redacted.make("another") })
  ]
})

const server = EmbeddedRealtime.layer({
  mcpServers: {
    crm: { tools: [{ name: "find_order" }, { name: "cancel_order" }], takes: "300 millis" },
    drive: { outcome: "failed" }
  },
  mind: EmbeddedRealtime.script([
    [mcpCall("crm", "find_order", { number: 7 }, { output: "Order 7 is on its way." }, { runs: "after" })],
    [say("It is on its way. Shall I cancel it?")],
    [mcpApprovalRequest("crm", "cancel_order", { number: 7 }, { output: "Cancelled." })],
    [say("It is cancelled.")]
  ])
})

const program = Effect.gen(function* () {
  const session = yield* Session.make(agent)
  yield* Console.log("begins   the lists were read")
  yield* session.sendText("Where is order 7?")
  let answers = 0
  yield* session.events.pipe(
    Stream.tap((event) => {
      switch (event._tag) {
        case "HostedImportFailed":
          return Console.log(`without  ${event.server}, whose tools could not be read`)
        case "McpProgressed":
          return Console.log(`${event.what === "Call" ? "call    " : "list    "} ${event.state}`)
        case "ToolApprovalRequested":
          return Effect.zipRight(
            Console.log(`asks     ${event.call.tool} ${event.call.arguments}`),
            Effect.ignore(session.approve(event.call.callId))
          )
        case "TextCompleted":
          answers += 1
          return Effect.zipRight(
            Console.log(`model    ${event.text}`),
            answers === 1 ? Effect.ignore(session.sendText("Yes, please.")) : Effect.void
          )
        default:
          return Effect.void
      }
    }),
    Stream.takeUntil(() => answers === 2),
    Stream.runDrain
  )
})

await program.pipe(Effect.scoped, Effect.provide(server), Effect.runPromise)
