/**
 * Two agents that hand over to each other in a circle, and a handoff that fails: the model reads why, the application
 * gets the typed failure, and the agent that had the conversation keeps it, here and on the server.
 */
import { Console, Effect, Predicate, Schema, Stream } from "effect"
import { Agent, Handoff, ScriptedModel, Session, Tool } from "effect-realtime"
import "./shared/pipe.js"

class InvoiceLocked extends Schema.TaggedError<InvoiceLocked>()("InvoiceLocked", { invoice: Schema.String }) {
  override get message() {
    return `Invoice ${this.invoice} is being audited.`
  }
}

const readInvoice = Tool.make("read_invoice", {
  description: "Reads an invoice",
  parameters: { invoice: Schema.String },
  handler: ({ invoice }) => Effect.succeed(`Invoice ${invoice}: 12 euros for towels.`)
})

const frontDesk = Agent.make("Front desk", {
  instructions: "Find out what the guest wants.",
  handoffs: [
    // Agents that are wired know each other by name: that is how a circle is written.
    Handoff.to("Billing", {
      description: "For questions about an invoice",
      input: { invoice: Schema.String },
      onHandoff: ({ invoice }) => (invoice === "99" ? new InvoiceLocked({ invoice }) : Effect.void)
    })
  ]
})

const billing = Agent.make("Billing", {
  instructions: "Explain invoices.",
  tools: [readInvoice],
  handoffs: ["Front desk"]
})

const { call, say } = ScriptedModel
const script = [
  [call("transfer_to_Billing", { invoice: "17" })],
  [call("read_invoice", { invoice: "17" })],
  [say("Those are the towels, 12 euros.")],
  [call("transfer_to_Front_desk")],
  [say("The front desk again. What else?")],
  [call("transfer_to_Billing", { invoice: "99" })],
  [say("I can not pass you on: that invoice is being audited.")]
]

const guest = ["What is on invoice 17?", "Thanks, back to the desk.", "And invoice 99?"]

const program = Effect.gen(function* () {
  const model = yield* ScriptedModel.make(script)
  const session = yield* Session.make(Agent.wire([frontDesk, billing])).pipe(Effect.provide(model.layer))
  yield* session.events.pipe(
    Stream.tap((event) => {
      switch (event._tag) {
        case "HandedOff":
          return Console.log(`application  ${event.from} handed over to ${event.to}`)
        case "ToolFailed":
          return Effect.zipRight(
            Console.log(
              event.error._tag === "HandoffFailed"
                ? `application  ${event.error._tag} (${event.error.step}), ${event.error.failure?._tag}`
                : `application  ${event.error._tag}`
            ),
            Console.log(`model        reads ${event.output}`)
          )
        case "TextCompleted":
          return Effect.flatMap(session.agent, (agent) => Console.log(`${agent.padEnd(12)} ${event.text}`))
        default:
          return Effect.void
      }
    }),
    // The guest speaks first, and again after each answer.
    Stream.filter((event) => event._tag === "SessionStarted" || event._tag === "TextCompleted"),
    Stream.zipWithIndex,
    Stream.map(([, turn]) => guest[turn]),
    Stream.takeWhile(Predicate.isNotUndefined),
    Stream.tap((text) => Console.log(`\nguest        ${text}`)),
    Stream.runForEach(session.sendText)
  )
  const connection = yield* model.connection
  const { instructions } = yield* connection.session
  yield* Console.log(`\nThe session's agent: ${yield* session.agent}. The server's instructions: ${instructions}`)
})

await program.pipe(Effect.scoped, Effect.runPromise)
