/**
 * Guardrails: one reads along with the model and stops it in the middle of a sentence, one keeps a tool from running,
 * and one keeps a tool's output from the model.
 */
import { Console, Effect, Predicate, Schema, Stream } from "effect"
import { Agent, Conversation, Guardrail, ScriptedModel, Session, Tool } from "effect-realtime"
import "./shared/pipe.js"

const noDiagnosis = Guardrail.output("no_diagnosis", {
  // Checked after every 10 characters, and at the end of each answer.
  debounce: 10,
  check: (text) =>
    Effect.succeed(
      text.includes("you have") ? Guardrail.trip("Do not diagnose. Offer an appointment instead.") : Guardrail.pass
    )
})

const Dose = Schema.decodeUnknown(Schema.parseJson(Schema.Struct({ milligrams: Schema.Number })))

// A check that fails stops the call too: for the arguments of tools, guardrails fail closed.
const doseLimit = Guardrail.toolInput("dose_limit", {
  check: (text, { tool }) =>
    tool === "order_refill"
      ? Effect.map(Dose(text), ({ milligrams }) =>
          milligrams > 400 ? Guardrail.trip("400 mg is the most that may be ordered.") : Guardrail.pass
        )
      : Effect.succeed(Guardrail.pass)
})

const noRecordNumbers = Guardrail.toolOutput("no_record_numbers", {
  check: (text) => Effect.succeed(/\bMRN-\d+/.test(text) ? Guardrail.trip("The refill is on its way.") : Guardrail.pass)
})

const orderRefill = Tool.make("order_refill", {
  description: "Orders a refill of a medicine",
  parameters: { medicine: Schema.String, milligrams: Schema.Number },
  handler: ({ medicine, milligrams }) =>
    Console.log(`tool         runs for ${milligrams} mg of ${medicine}`).pipe(Effect.as("Ordered for MRN-20417."))
})

const agent = Agent.make("Clinic", {
  instructions: "Make appointments and order refills.",
  tools: [orderRefill],
  guardrails: [noDiagnosis, doseLimit, noRecordNumbers]
})

const { call, say } = ScriptedModel
const script = [
  [say("It sounds as if you have the flu, and with the flu one should stay in bed for a week and drink a lot of tea.")],
  [say("I can not say from here. Shall I make an appointment?")],
  [call("order_refill", { medicine: "ibuprofen", milligrams: 800 })],
  [call("order_refill", { medicine: "ibuprofen", milligrams: 400 })],
  [say("400 milligrams are on their way.")]
]

const caller = ["I have a fever. What is it?", "No. Just order 800 mg of ibuprofen for me."]

const program = Effect.gen(function* () {
  const model = yield* ScriptedModel.make(script, { pace: "10 millis" })
  const session = yield* Session.make(agent).pipe(Effect.provide(model.layer))
  yield* session.events.pipe(
    Stream.tap((event) => {
      switch (event._tag) {
        case "GuardrailTripped":
          return Console.log(`application  ${event.guardrail} tripped on ${event.subject}: ${event.feedback}`)
        case "ToolFailed":
          return Console.log(`model        reads ${event.output}`)
        case "ItemCompleted":
          return event.item._tag === "Message" && event.item.role === "assistant"
            ? Console.log(
                event.item.blockedBy === undefined
                  ? `model        says "${Conversation.textOf(event.item)}"`
                  : `model        was stopped by ${event.item.blockedBy}: nothing of that answer stays in the conversation`
              )
            : Effect.void
        default:
          return Effect.void
      }
    }),
    // The caller speaks first, and again after each answer that was said to its end.
    Stream.filter(
      (event) =>
        event._tag === "SessionStarted" ||
        (event._tag === "ItemCompleted" &&
          event.item._tag === "Message" &&
          event.item.role === "assistant" &&
          event.item.status === "completed")
    ),
    Stream.zipWithIndex,
    Stream.map(([, turn]) => caller[turn]),
    Stream.takeWhile(Predicate.isNotUndefined),
    Stream.tap((text) => Console.log(`\ncaller       ${text}`)),
    Stream.runForEach(session.sendText)
  )
})

await program.pipe(Effect.scoped, Effect.runPromise)
