import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Options } from "../../src/EmbeddedRealtime.js"
import * as memory from "../../src/embedded/memory.js"
import * as Server from "../../src/embedded/Server.js"
import { isObject } from "../../src/embedded/Shape.js"
import { RealtimeModel } from "../../src/RealtimeModel.js"
import type { Dialect, Step } from "../../src/realtimeModel/Dialect.js"
import { type Cast, Stage } from "../../src/testing/Stage.js"
import * as dialect from "../../src/xai/dialect.js"

/** Tells what the session is given, and not what was on the wire. */
const observed = (inner: Dialect, connection: number, observe: NonNullable<Options["observe"]>): Dialect => {
  const told = (step: Step): Step => {
    for (const frame of step.frames) {
      const event = frame._tag === "Malformed" || frame._tag === "CallsCancelled" ? undefined : frame.event
      if (isObject(event)) observe({ _tag: "Sent", connection, event })
    }
    return step
  }
  return { ...inner, read: (...all) => told(inner.read(...all)), write: (event) => told(inner.write(event)) }
}

/** The embedded server with the dialect of xAI, in memory, and a session that has xAI's front before it. */
const make = ({ observe = () => undefined, ...options }: Options): Effect.Effect<Cast> =>
  Effect.gen(function* () {
    const server = yield* Server.make(
      {
        ...options,
        dialect: "xai",
        observe: (activity) => (activity._tag === "Sent" ? undefined : observe(activity))
      },
      0
    )
    let count = 0
    const model = RealtimeModel.of({
      connect: (connectOptions) => {
        count += 1
        return memory.connect(server, connectOptions, undefined, observed(dialect.make(), count, observe))
      }
    })
    const { connection, connections } = server
    return { model, connection, connections }
  })

export const stage = Context.make(Stage, { make, adapt: (program) => program, excused: () => [] })
