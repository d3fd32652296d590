/**
 * A tool that asks before it runs. In a terminal you decide; without one, small amounts are approved and the others are
 * not. Meanwhile the conversation goes on; a call that nobody decides on is rejected in time.
 */
import { Terminal } from "@effect/platform"
import { NodeTerminal } from "@effect/platform-node"
import { Console, Effect, Predicate, Schema, Stream } from "effect"
import { Agent, ScriptedModel, Session, Tool } from "effect-realtime"

const Payment = Schema.Struct({ payee: Schema.String, euros: Schema.Number })

const pay = Tool.make("pay", {
  description: "Pays a bill",
  parameters: Payment.fields,
  approval: ({ euros }) => Effect.succeed(euros > 10),
  handler: ({ euros, payee }) => Effect.succeed(`${euros} euros were paid to ${payee}.`)
})

const agent = Agent.make("Bookkeeper", { instructions: "Pay the bills.", tools: [pay] })

const { call, say } = ScriptedModel
const script = [
  [call("pay", { payee: "the baker", euros: 8 })],
  [say("The baker has his 8 euros.")],
  [call("pay", { payee: "the florist", euros: 30 })],
  [say("That is the florist.")],
  [call("pay", { payee: "the jeweller", euros: 3000 })],
  [say("And that is the jeweller.")]
]

const owner = ["Pay the baker.", "Pay the florist.", "Pay the jeweller."]

/** What a person says, or a rule where there is nobody to ask. */
const decide = ({ euros, payee }: typeof Payment.Type) =>
  Effect.gen(function* () {
    const question = `  Pay ${euros} euros to ${payee}?`
    if (process.stdin.isTTY) {
      const terminal = yield* Terminal.Terminal
      yield* terminal.display(`${question} [y/n] `)
      const { key } = yield* Effect.scoped(Effect.flatMap(terminal.readInput, (keys) => keys.take))
      if (key.ctrl) return yield* new Terminal.QuitException()
      yield* terminal.display(`${key.name}\n`)
      return key.name === "y"
    }
    const approved = euros <= 100
    yield* Console.log(`${question} No terminal: ${approved ? "yes" : "no"}, by the rule.`)
    return approved
  })

const program = Effect.gen(function* () {
  const model = yield* ScriptedModel.make(script)
  const session = yield* Session.make(agent, { approvalTimeout: "1 minute" }).pipe(Effect.provide(model.layer))
  yield* session.events.pipe(
    Stream.tap((event) => {
      switch (event._tag) {
        case "ToolApprovalRequested":
          return Effect.gen(function* () {
            const { arguments: text, callId } = event.call
            const payment = yield* Schema.decodeUnknown(Schema.parseJson(Payment))(text)
            if (yield* decide(payment)) yield* session.approve(callId)
            else yield* session.reject(callId, "the owner said no.")
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
