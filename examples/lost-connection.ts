/**
 * A connection that is lost in the middle of a call, and a process that dies in the middle of the next one. Neither
 * costs the caller an answer: the first call is answered on another connection, the second by another session.
 */
import { Console, Deferred, Effect, Exit, Scope, Stream } from "effect"
import { Agent, EmbeddedRealtime, Session, SessionJournal, Tool } from "effect-realtime"
import "./shared/pipe.js"

const refund = Tool.make("refund", {
  description: "Pays a customer back",
  // It must not run twice, so it is not `idempotent`: after a restart, the model is told that its effect is not known.
  handler: () => Effect.never
})
const status = (shipped: Deferred.Deferred<string>) =>
  Tool.make("order_status", { description: "Where an order is", handler: () => Deferred.await(shipped) })

const { call, say, script } = EmbeddedRealtime

const program = Effect.gen(function* () {
  const shipped = yield* Deferred.make<string>()
  const agent = Agent.make("Support", {
    instructions: "Help the customer.",
    tools: [status(shipped), refund],
    // In audio, the second process would know of the answer only what was heard of it.
    settings: { output_modalities: ["text"] }
  })
  const server = yield* EmbeddedRealtime.make({
    mind: script([
      [call("order_status")],
      [say("It was shipped this morning.")],
      [call("refund")],
      [say("I can not tell whether the refund went through; let me check with a colleague.")]
    ])
  })

  /** Prints what happens, until the model has said this many sentences or the next call runs. */
  const watch = (session: Session.Session<never>, sentences: number) =>
    session.events.pipe(
      Stream.tap((event) => {
        switch (event._tag) {
          case "ConnectionLost":
            return Console.log(`lost         ${event.message}`)
          case "Reconnected":
            return Effect.zipRight(
              Console.log(`reconnected  ${event.replayed} items were told to the new server`),
              Deferred.succeed(shipped, "Shipped this morning.")
            )
          case "SessionResumed":
            return Console.log(`resumed      ${event.replayed} items; open calls: ${event.openCalls.length}`)
          case "ToolStarted":
            return Effect.zipRight(
              Console.log(`runs         ${event.call.tool}`),
              event.call.tool === "order_status" ? Effect.flatMap(server.connection, ({ drop }) => drop) : Effect.void
            )
          case "ToolSucceeded":
          case "ToolFailed":
            return Console.log(`answered     ${event.output}`)
          case "TextCompleted":
            return Console.log(`support      ${event.text}`)
          default:
            return Effect.void
        }
      }),
      Stream.filter(
        (event) => event._tag === "TextCompleted" || (event._tag === "ToolStarted" && event.call.tool === "refund")
      ),
      Stream.take(sentences),
      Stream.runDrain
    )

  // The first process.
  const process = yield* Scope.make()
  const first = yield* Scope.extend(Session.make(agent), process).pipe(Effect.provide(server.layer))
  yield* first.sendText("Where is my order?")
  yield* watch(first, 1)
  yield* first.sendText("Then pay me back, please.")
  yield* watch(first, 1)
  yield* Scope.close(process, Exit.void)
  yield* Console.log("             the process ends")

  // The second.
  const second = yield* Session.resume(agent, first.id).pipe(Effect.provide(server.layer))
  yield* watch(second, 1)
})

await program.pipe(Effect.scoped, Effect.provide(SessionJournal.layerMemory), Effect.runPromise)
