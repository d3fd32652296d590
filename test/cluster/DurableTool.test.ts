import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import * as Activity from "@effect/workflow/Activity"
import * as WorkflowEngine from "@effect/workflow/WorkflowEngine"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.js"
import { DurableTool } from "../../src/cluster.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import * as Session from "../../src/Session.js"
import * as Tool from "../../src/Tool.js"
import { crashed, journals } from "../session/processes.js"

const { call, say } = ScriptedModel

class Refused extends Schema.TaggedError<Refused>()("Refused", { cents: Schema.Number }) {}

class Ledger extends Context.Tag("test/Ledger")<Ledger, { readonly book: (key: string) => Effect.Effect<string> }>() {}

const transfer = Tool.make("transfer", {
  description: "Transfers money.",
  parameters: { cents: Schema.NumberFromString },
  success: Schema.Struct({ reference: Schema.String }),
  failure: Refused,
  idempotent: true
})

const agent = Agent.make("Bank", { instructions: "", tools: [transfer] })

const transfers = DurableTool.layer(transfer, ({ cents }, { idempotencyKey }) =>
  Effect.gen(function* () {
    if (cents > 100) return yield* new Refused({ cents })
    const { book } = yield* Ledger
    const reference = yield* Activity.make({ name: "book", success: Schema.String, execute: book(idempotencyKey) })
    return { reference }
  })
)

describe("DurableTool.layer", () => {
  it.scoped("runs a call once for two sessions, of which the first died while it ran", () =>
    Effect.gen(function* () {
      const booked: Array<string> = []
      const begun = yield* Deferred.make<void>()
      const gate = yield* Deferred.make<void>()
      const ledger = Layer.succeed(Ledger, {
        book: (key) =>
          Effect.sync(() => booked.push(key)).pipe(
            Effect.zipRight(Deferred.succeed(begun, undefined)),
            Effect.zipRight(Deferred.await(gate)),
            Effect.as("T-1")
          )
      })
      const context = yield* Layer.build(
        transfers.pipe(Layer.provide(ledger), Layer.provideMerge(WorkflowEngine.layerMemory))
      )
      const { first, second } = yield* crashed(
        agent,
        [[call("transfer", { cents: "7" }, { callId: "one" })]],
        ({ session }) => Effect.zipRight(session.sendText("Transfer it."), Deferred.await(begun)),
        [[say("Done.")]]
      ).pipe(Effect.provide(context))
      expect(yield* second.until("SessionResumed")).toMatchObject({ openCalls: ["one"] })
      yield* Deferred.succeed(gate, undefined)
      const succeeded = yield* second.until("ToolSucceeded")
      expect(JSON.parse(succeeded?.output ?? "")).toEqual({ reference: "T-1" })
      expect(booked).toEqual([`${first.session.id}:one`])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("fails with the tool's own failure", () =>
    Effect.gen(function* () {
      const layer = transfers.pipe(
        Layer.provide(Layer.succeed(Ledger, { book: () => Effect.never })),
        Layer.provideMerge(WorkflowEngine.layerMemory)
      )
      const model = yield* ScriptedModel.make([[call("transfer", { cents: "700" })], [say("No.")]])
      const session = yield* Session.make(agent, { settings: { output_modalities: ["text"] } }).pipe(
        Effect.provide(yield* Layer.build(Layer.merge(layer, model.layer)))
      )
      const answer = yield* session.ask("Transfer it.")
      expect(answer.text).toBe("No.")
      const [sent] = yield* model.outputs
      expect(JSON.parse(sent?.output ?? "")).toMatchObject({ error: { type: "Refused", details: { cents: 700 } } })
    })
  )

  it.effect("refuses a contract whose calls would not run again", () =>
    Effect.gen(function* () {
      const once = Tool.make("once", { description: "", success: Schema.String })
      const layer = Layer.provide(
        DurableTool.layer(once, () => Effect.succeed("")),
        WorkflowEngine.layerMemory
      )
      const error = yield* Effect.flip(Effect.scoped(Layer.build(layer)))
      expect(error.message).toContain("idempotent: true")
    })
  )

  it("requires what its program requires, and nothing that the workflow gives", () => {
    expectTypeOf(transfers).toExtend<
      Layer.Layer<Tool.Handler<"transfer">, unknown, WorkflowEngine.WorkflowEngine | Ledger>
    >()
    expectTypeOf<Layer.Layer.Context<typeof transfers>>().toEqualTypeOf<WorkflowEngine.WorkflowEngine | Ledger>()
  })
})
