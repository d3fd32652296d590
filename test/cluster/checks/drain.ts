import * as Effect from "effect/Effect"
import { directory, doneTwice, findings, untilPending, untilTaken, whileProbing } from "../calls.js"
import { milliseconds, quantile, spread } from "../figures.js"
import { type Check, expect, within } from "./Check.js"
import { failed, goOn, inTheMidst } from "./kill.js"

/** How long a call was without a connection to the model, when it went from one node to the other. */
export const gapsOf = (
  connections: ReadonlyArray<{ readonly at: number; readonly endedAt: number | undefined }>
): ReadonlyArray<number> =>
  connections.slice(1).map(({ at }, before) => Math.max(0, at - (connections[before]?.endedAt ?? at)))

export const drain: Check = {
  name: "drain",
  title: "a node is told to stop with calls of four kinds open: it hands all over, and interrupts no tool",
  run: (stage) =>
    Effect.gen(function* () {
      const { calls, paying, through, victim } = yield* inTheMidst(stage, 4000)
      const moving = calls.filter(({ node }) => node === victim).map(({ call }) => call)
      const since = Date.now()
      const stopping = Effect.zipRight(
        victim.signal("SIGTERM"),
        Effect.all([untilTaken(stage.database.query, moving, victim, since), victim.ended], {
          concurrency: "unbounded"
        })
      )
      const [[, ending], probed] = yield* whileProbing(
        through,
        calls.map(({ call }) => call),
        500,
        stopping
      )
      const tookMs = Date.now() - since
      const stillPending = yield* untilPending(through, paying)
      yield* goOn(stage, through, calls, paying)
      const facts = (yield* stage.machines.facts).filter(({ call }) => moving.includes(call))
      const gaps = facts.flatMap(({ connections }) => gapsOf(connections))
      const interrupted = facts.flatMap(({ call, outputs }) =>
        outputs.flatMap(({ output, tool }) =>
          output?.includes("ToolInterrupted") === true ? [`${call}: ${tool} was interrupted: ${output}`] : []
        )
      )
      const rows = yield* directory(stage.database.query)
      const lost = rows.filter(({ call, state }) => moving.includes(call) && state !== "live")
      return {
        figures: [
          `the whole drain of ${moving.length} calls, tools of 4 s among them: ${milliseconds(tookMs)}`,
          `without a connection to the model: ${spread(gaps)}`,
          `commands meanwhile, to all calls: ${spread(probed.map(({ ms }) => ms))}, ${failed(probed).length} failed`
        ],
        violations: [
          ...(yield* findings(
            stage.machines,
            calls.map(({ call }) => call)
          )),
          ...(yield* doneTwice(stage.machines, stage.prefix)),
          ...interrupted,
          ...failed(probed),
          ...lost.map(({ call, state }) => `${call} is ${state} after the drain.`),
          ...expect(ending.code === 0, `The node ended with ${ending.code ?? ending.signal}.\n${victim.log()}`),
          ...expect(stillPending.length === paying.length, "An approval is not pending any more."),
          ...within(stage, quantile(gaps, 0.95), 2000, "The p95 of the gap")
        ]
      }
    })
}
