import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as memory from "../../src/embedded/memory.js"
import * as Server from "../../src/embedded/Server.js"
import { RealtimeModel, sideband } from "../../src/RealtimeModel.js"
import { idAt } from "../../src/testing/beginning.js"
import type { Program } from "../../src/testing/Program.js"
import { Stage } from "../../src/testing/Stage.js"

const { mcpApprovalRequest, mcpCall } = EmbeddedRealtime

type Resumed = Extract<Program["beginning"], { readonly _tag: "Resumed" }>

/** The call of a hosted tool that the model makes in its first response. */
const hostedCall = (hosted: NonNullable<Resumed["hosted"]>): EmbeddedRealtime.Part => {
  const result = { output: "found" }
  return hosted === "asked"
    ? mcpApprovalRequest("host", "a_hosted_tool", {}, result, { takes: "2 seconds" })
    : mcpCall("host", "a_hosted_tool", {}, result, { runs: "after", takes: 0 })
}

const beginsWith = (part: EmbeddedRealtime.Part, mind: EmbeddedRealtime.Mind): EmbeddedRealtime.Mind => ({
  start: Effect.map(mind.start, (think) => {
    let isFirst = true
    return (request) => {
      if (!isFirst) return think(request)
      isFirst = false
      return Stream.make(part)
    }
  })
})

/** A call that the server carries, with the session beside it, and what another process did there before it died. */
const make = (
  { mind = EmbeddedRealtime.router, observe = () => undefined, ...options }: EmbeddedRealtime.Options,
  { beginning }: Program,
  pass: (ms: number) => Effect.Effect<void>
) =>
  Effect.gen(function* () {
    const hosted = beginning._tag === "Resumed" ? beginning.hosted : undefined
    const seen: Array<unknown> = []
    const server = yield* Server.make(
      {
        ...options,
        mind: hosted === undefined ? mind : beginsWith(hostedCall(hosted), mind),
        // That of the process before.
        firstConnection: 0,
        observe: (activity) => {
          if (activity.connection > 0) observe(activity)
          else if (activity._tag === "Sent") seen.push(activity.event["type"])
        }
      },
      0
    )
    const begun = yield* server.calls.begin({ type: "realtime" })
    if (begun._tag === "Refused") return yield* Effect.dieMessage(begun.refusal.message)
    const { id } = begun.call
    const until = (type: string, times: number) =>
      Effect.repeat(Effect.yieldNow(), { until: () => seen.filter((one) => one === type).length >= times })
    yield* Effect.scoped(
      Effect.gen(function* () {
        const before = yield* memory.connect(server, {}, id)
        if (beginning._tag !== "Resumed") return
        for (const [index, item] of beginning.items.entries()) {
          yield* before.send({ type: "conversation.item.create", item: { ...item, id: idAt(index) } })
        }
        yield* until("conversation.item.added", beginning.items.length)
        if (hosted === undefined) return
        yield* before.send({ type: "response.create" })
        yield* until("response.done", 1)
        if (hosted !== "ended") return
        yield* pass(1)
        yield* until("response.mcp_call.completed", 1)
      })
    ).pipe(Effect.orDie)
    return {
      model: RealtimeModel.of({ connect: (connectOptions) => memory.connect(server, connectOptions, id) }),
      connection: server.connection,
      connections: Effect.map(server.connections, (all) => all.filter(({ number }) => number > 0))
    }
  })

const left = ["asked", "ended", undefined] as const

/** The server cuts what it plays, and nothing else. And more is said aloud. */
const adapt = ({ beginning, ...program }: Program): Program => ({
  ...program,
  beginning:
    beginning._tag === "Resumed" ? { ...beginning, hosted: left[program.steps.length % left.length] } : beginning,
  steps: program.steps.map((step) =>
    step.action._tag === "ServerTruncates" ? { ...step, action: { _tag: "Interrupts" } } : step
  ),
  modality: program.steps.length % 4 === 0 ? "text" : "audio"
})

export const stage = Context.make(Stage, { make, adapt, excused: () => [], traits: sideband })
