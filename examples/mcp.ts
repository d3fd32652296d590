/**
 * Tools of an MCP server, which is a program on this machine: the protocol's own server for tests. Its tools get names
 * that say where they are from, some of them wait for approval, and a long one reports how far it is. Runs offline.
 */
import { createRequire } from "node:module"
import { Console, Effect, Predicate, Stream } from "effect"
import { Agent, ScriptedModel, Session } from "effect-realtime"
import * as Mcp from "effect-realtime/Mcp"
import "./shared/pipe.js"

const file = createRequire(import.meta.url).resolve("@modelcontextprotocol/server-everything/dist/index.js")

const { call, say } = ScriptedModel
const script = [
  [call("everything__echo", { message: "hello" })],
  [call("everything__get-sum", { a: 2, b: 3 })],
  [call("everything__trigger-long-running-operation", { duration: 1, steps: 2 })],
  [call("everything__get-annotated-message", { messageType: "loud" })],
  [say("That was everything.")]
]

const program = Effect.gen(function* () {
  const server = yield* Mcp.stdio("everything", {
    command: process.execPath,
    args: [file, "stdio"],
    select: ({ name }) => /^(echo|get-|trigger)/.test(name),
    approval: ({ name }) => name === "get-sum",
    policy: () => ({ timeout: "10 seconds" })
  })
  for (const { name } of server.tools) yield* Console.log(`offers   ${name}`)
  const agent = Agent.make("Tester", { instructions: "Try everything.", tools: server.tools })
  const model = yield* ScriptedModel.make(script)
  const session = yield* Session.make(agent).pipe(Effect.provide(model.layer))
  yield* session.sendText("Try everything.")
  yield* session.events.pipe(
    Stream.tap((event) => {
      switch (event._tag) {
        case "ToolApprovalRequested":
          return Effect.zipRight(
            Console.log(`asks     ${event.call.tool} ${event.call.arguments}`),
            Effect.ignore(session.approve(event.call.callId))
          )
        case "ToolProgress":
          return Predicate.isRecord(event.data)
            ? Console.log(`reports  ${event.data["progress"]} of ${event.data["total"]}`)
            : Effect.void
        case "ToolSucceeded":
          return Console.log(`ran      ${event.call.tool} -> ${event.output}`)
        case "ToolFailed":
          return Console.log(`did not  ${event.call.tool} -> ${event.error._tag}: ${event.error.message}`)
        case "TextCompleted":
          return Console.log(`model    ${event.text}`)
        default:
          return Effect.void
      }
    }),
    Stream.takeUntil((event) => event._tag === "TextCompleted"),
    Stream.runDrain
  )
})

await program.pipe(Effect.scoped, Effect.runPromise)
