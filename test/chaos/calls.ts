import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as memory from "../../src/embedded/memory.js"
import * as Server from "../../src/embedded/Server.js"
import { RealtimeModel, sideband } from "../../src/RealtimeModel.js"
import { idAt } from "../../src/testing/beginning.js"
import type { Program } from "../../src/testing/Program.js"
import { Stage } from "../../src/testing/Stage.js"

/** A call that the server carries, with the session beside it, and what another process did there before it died. */
const make = ({ observe = () => undefined, ...options }: EmbeddedRealtime.Options, { beginning }: Program) =>
  Effect.gen(function* () {
    const server = yield* Server.make(
      {
        ...options,
        // That of the process before.
        firstConnection: 0,
        observe: (activity) => (activity.connection === 0 ? undefined : observe(activity))
      },
      0
    )
    const begun = yield* server.calls.begin({ type: "realtime" })
    if (begun._tag === "Refused") return yield* Effect.dieMessage(begun.refusal.message)
    const { id, view } = begun.call
    const until = (length: number) =>
      Effect.repeat(Effect.zipRight(Effect.yieldNow(), view.conversation), {
        until: (items) => items.length === length
      })
    yield* Effect.scoped(
      Effect.gen(function* () {
        const before = yield* memory.connect(server, {}, id)
        if (beginning._tag !== "Resumed") return
        for (const [index, item] of beginning.items.entries()) {
          yield* before.send({ type: "conversation.item.create", item: { ...item, id: idAt(index) } })
          yield* until(index + 1)
        }
      })
    ).pipe(Effect.orDie)
    return {
      model: RealtimeModel.of({ connect: (connectOptions) => memory.connect(server, connectOptions, id) }),
      connection: server.connection,
      connections: Effect.map(server.connections, (all) => all.filter(({ number }) => number > 0))
    }
  })

/** The server cuts what it plays, and nothing else. And more is said aloud. */
const adapt = (program: Program): Program => ({
  ...program,
  steps: program.steps.map((step) =>
    step.action._tag === "ServerTruncates" ? { ...step, action: { _tag: "Interrupts" } } : step
  ),
  modality: program.steps.length % 4 === 0 ? "text" : "audio"
})

export const stage = Context.make(Stage, { make, adapt, excused: () => [], traits: sideband })
