/**
 * A process with the model of all calls, `<port> <control port>`: it sees every conversation, whichever
 * node has it, so it knows what was lost or told twice.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import "./orphan.js"
import { serve } from "./control.js"
import { type CallFacts, factsOf } from "./facts.js"
import { isDone, mind } from "./mind.js"

const [port = "0", control = "0"] = process.argv.slice(2)

const decodeOutput = Schema.decodeUnknownOption(
  Schema.Struct({ type: Schema.Literal("function_call_output"), call_id: Schema.String })
)

const program = Effect.gen(function* () {
  const connectedAt = new Map<number, number>()
  const endedAt = new Map<number, number>()
  const answeredAt = new Map<string, number>()
  const done: Array<string> = []
  const server = yield* EmbeddedRealtime.serve({
    port: Number(port),
    host: "0.0.0.0",
    mind,
    voice: EmbeddedRealtime.silentVoice(),
    observe: (activity) => {
      if (activity._tag === "Connected") connectedAt.set(activity.connection, Date.now())
      if (activity._tag === "Ended") endedAt.set(activity.connection, Date.now())
      if (activity._tag === "Sent") {
        const text = activity.event["text"] ?? activity.event["transcript"]
        if (String(activity.event["type"]).endsWith(".done") && typeof text === "string" && isDone(text))
          done.push(text)
      }
      if (activity._tag !== "Received" || activity.event["type"] !== "conversation.item.create") return
      const item = decodeOutput(activity.event["item"])
      if (item._tag === "Some" && !answeredAt.has(item.value.call_id)) answeredAt.set(item.value.call_id, Date.now())
    }
  })
  yield* serve(Number(control), {
    /** The ends of turns, in the model's words, but for the first so many. */
    done: ({ from }: { readonly from: number }): Effect.Effect<ReadonlyArray<string>> =>
      Effect.sync(() => done.slice(from)),
    facts: (): Effect.Effect<ReadonlyArray<CallFacts>> =>
      Effect.flatMap(server.connections, (connections) => factsOf(connections, { connectedAt, endedAt, answeredAt }))
  })
  yield* Effect.never
})

await program.pipe(Effect.scoped, Effect.runPromise)
