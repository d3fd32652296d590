/**
 * Tools that ask before they run. In a terminal you decide; without one, a rule does. A decision may stand for later
 * calls too. Meanwhile the conversation goes on, and a call that nobody decides on is rejected in time.
 */
import { Terminal } from "@effect/platform"
import { NodeTerminal } from "@effect/platform-node"
import { Console, Effect, Predicate, Schema, Stream } from "effect"
import { Agent, ScriptedModel, Session, type SessionEvent, Tool } from "effect-realtime"
import "./shared/pipe.js"

const pay = Tool.make("pay", {
  description: "Pays a bill",
  parameters: { payee: Schema.String, euros: Schema.Number },
  // Small amounts are not worth a question.
  approval: ({ euros }) => Effect.succeed(euros > 10),
  handler: ({ euros, payee }) => Effect.succeed(`${euros} euros were paid to ${payee}.`)
})

const remind = Tool.make("remind", {
  description: "Sends a reminder to somebody who owes money",
  parameters: { debtor: Schema.String },
  approval: true,
  handler: ({ debtor }) => Effect.succeed(`${debtor} was reminded.`)
})

const agent = Agent.make("Bookkeeper", { instructions: "Keep the books.", tools: [pay, remind] })

const { call, say } = ScriptedModel
const script = [
  [call("pay", { payee: "the baker", euros: 8 })],
  [say("That was the baker.")],
  [call("pay", { payee: "the jeweller", euros: 3000 })],
  [say("That was the jeweller.")],
  [call("remind", { debtor: "Ms Berg" })],
  [call("remind", { debtor: "Mr Lund" })],
  [say("Those were the reminders.")]
]

const owner = ["Pay the baker.", "Pay the jeweller.", "Remind everybody who owes us money."]

/** A person's decision, or a rule if there is no one to ask. */
const decide = ({ arguments: text, tool }: SessionEvent.CallInfo) =>
  Effect.gen(function* () {
    const question = `  asks     Run ${tool} ${text}?`
    if (process.stdin.isTTY) {
      const terminal = yield* Terminal.Terminal
      yield* terminal.display(`${question} [y]es, [n]o, [a]lways: `)
      const { key } = yield* Effect.scoped(Effect.flatMap(terminal.readInput, (keys) => keys.take))
      if (key.ctrl) return yield* new Terminal.QuitException()
      yield* terminal.display(`${key.name}\n`)
      return key.name === "a" ? "always" : key.name === "y" ? "yes" : "no"
    }
    const decision = tool === "remind" ? "always" : "no"
    yield* Console.log(`${question} Without a terminal: ${decision}.`)
    return decision
  })

const program = Effect.gen(function* () {
  const model = yield* ScriptedModel.make(script)
  const session = yield* Session.make(agent, { approvalTimeout: "1 minute" }).pipe(Effect.provide(model.layer))
  yield* session.events.pipe(
    Stream.tap((event) => {
      switch (event._tag) {
        case "ToolApprovalRequested":
          return Effect.gen(function* () {
            const decision = yield* decide(event.call)
            if (decision === "no") yield* session.reject(event.call.callId, "the owner said no.")
            else yield* session.approve(event.call.callId, { always: decision === "always" })
          }).pipe(Effect.catchTag("ApprovalNotPending", ({ message }) => Console.log(`  too late ${message}`)))
        case "ToolSucceeded":
          return Console.log(`  ran      ${event.output}`)
        case "ToolFailed":
          return Console.log(`  did not  ${event.error._tag}; the model reads ${event.output}`)
        case "TextCompleted":
          return Console.log(`model  ${event.text}`)
        default:
          return Effect.void
      }
    }),
    // The owner speaks first, and again after each answer.
    Stream.filter((event) => event._tag === "SessionStarted" || event._tag === "TextCompleted"),
    Stream.zipWithIndex,
    Stream.map(([, turn]) => owner[turn]),
    Stream.takeWhile(Predicate.isNotUndefined),
    Stream.tap((text) => Console.log(`\nowner  ${text}`)),
    Stream.runForEach(session.sendText)
  )
})

await program.pipe(
  Effect.catchTag("QuitException", () => Console.log("\nNothing more is decided.")),
  Effect.scoped,
  Effect.provide(NodeTerminal.layer),
  Effect.runPromise
)
