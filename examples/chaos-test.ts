/**
 * Finds a bug by chance: an agent that books tables is put through random conversations, with a law of the restaurant's
 * own. The smallest conversation that breaks it is printed, with the seed that plays it again.
 */
import { Console, Context, Effect, Layer, Ref, Schema } from "effect"
import { Agent, Tool } from "effect-realtime"
import { Testing } from "effect-realtime/testing"
import "./shared/pipe.js"

class Tables extends Context.Tag("Tables")<Tables, { readonly free: Ref.Ref<number> }>() {}

class FullyBooked extends Schema.TaggedError<FullyBooked>()("FullyBooked", {}) {}

/** Checks whether a table is free, calls the restaurant, and books it: by then it may be taken. */
const bookTable = Tool.make("book_table", {
  description: "Books a table",
  parameters: { name: Schema.String },
  failure: FullyBooked,
  handler: ({ name }) =>
    Effect.gen(function* () {
      const { free } = yield* Tables
      if ((yield* Ref.get(free)) === 0) return yield* new FullyBooked()
      yield* Effect.sleep("2 seconds")
      yield* Ref.update(free, (tables) => tables - 1)
      return `A table is booked for ${name}.`
    })
})

const agent = Agent.make("Reception", { instructions: "Book tables.", tools: [bookTable] })

const neverOverbooked = Testing.always(
  "NeverOverbooked",
  "The restaurant books no table that it does not have.",
  () => () =>
    Effect.gen(function* () {
      const { free } = yield* Tables
      const tables = yield* Ref.get(free)
      return tables < 0 ? [`${-tables} more than there are.`] : []
    })
)

/** One table, and a new restaurant for each conversation. */
const OneTable = Layer.effect(
  Tables,
  Effect.map(Ref.make(1), (free) => ({ free }))
)

const program = Testing.chaos(agent, { runs: 500, seed: 1, laws: [neverOverbooked], layer: OneTable }).pipe(
  Effect.flatMap(({ programs }) => Effect.dieMessage(`${programs} conversations did not find it.`)),
  Effect.catchTag("LawsBroken", ({ message, programs }) =>
    Console.log(`Found in conversation ${programs}:\n\n${message}`)
  )
)

await Effect.runPromise(program)
