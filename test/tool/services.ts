import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** What the tools of tests need, and what they fail with. */
export class Database extends Context.Tag("test/Database")<
  Database,
  { readonly find: (id: number) => Effect.Effect<string> }
>() {}
export class Clock extends Context.Tag("test/Clock")<Clock, { readonly hour: number }>() {}
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", { id: Schema.Int }) {}
export class Closed extends Schema.TaggedError<Closed>()("Closed", {}) {}
