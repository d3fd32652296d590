/** What the demo sees of the calls from outside: in the directory while they talk, and at the model in the end. */
import * as Effect from "effect/Effect"
import { directory, doneTwice } from "../../test/cluster/calls.js"
import type { Machines, Node } from "../../test/cluster/machines.js"
import type { Database } from "../../test/cluster/postgres.js"
import { type Lane, type Sighting, see } from "./lanes.js"

/** Adds what is seen at this moment, `at` milliseconds after the beginning. */
export type Seen = (lanes: ReadonlyArray<Lane>, at: number) => ReadonlyArray<Lane>

/** Looks into the directory, five times a second. */
export const watch = (
  database: Database,
  nodes: ReadonlyArray<Node>,
  onSeen: (seen: Seen) => void
): Effect.Effect<never> => {
  const nodeOf = new Map(nodes.map(({ host, port }, at) => [`${host}:${port}`, at]))
  const sighting = (row: {
    readonly call: string
    readonly address: string | undefined
    readonly state: string
  }): Sighting => {
    const node = row.state === "live" ? nodeOf.get(row.address ?? "") : undefined
    // A process that is gone has nothing, whatever the directory still says.
    return { call: row.call, node: node !== undefined && nodes[node]?.isRunning() === true ? node : undefined }
  }
  return directory(database.query).pipe(
    Effect.map((rows) => rows.map(sighting)),
    Effect.map((sightings) => onSeen((lanes, at) => see(lanes, sightings, at))),
    Effect.zipRight(Effect.sleep("200 millis")),
    Effect.forever
  )
}

export interface Verdict {
  readonly toolCalls: number
  /** Each is a sentence. */
  readonly lost: ReadonlyArray<string>
  readonly unanswered: ReadonlyArray<string>
  readonly doubled: ReadonlyArray<string>
  readonly twice: ReadonlyArray<string>
  /** How long each call that was handed over was without the model, in milliseconds. */
  readonly gaps: ReadonlyArray<number>
  /** When outputs came, by call. */
  readonly answeredAt: ReadonlyMap<string, ReadonlyArray<number>>
}

export const verdictOf = (
  machines: Machines,
  database: Database,
  calls: ReadonlyArray<string>,
  moved: ReadonlyArray<string>,
  movedAt: number
): Effect.Effect<Verdict> =>
  Effect.gen(function* () {
    const facts = (yield* machines.facts).filter(({ call }) => calls.includes(call))
    const rows = yield* directory(database.query)
    const live = new Set(rows.filter(({ state }) => state === "live").map(({ call }) => call))
    const known = new Set(facts.map(({ call }) => call))
    return {
      toolCalls: facts.reduce((sum, { outputs }) => sum + outputs.length, 0),
      lost: calls.flatMap((call) => (live.has(call) && known.has(call) ? [] : [`${call} is lost.`])),
      unanswered: facts.flatMap(({ call, outputs }) =>
        outputs.flatMap(({ callId, output }) => (output === undefined ? [`${call}: ${callId} has no output.`] : []))
      ),
      doubled: facts.flatMap(({ violations }) => violations),
      twice: yield* doneTwice(machines, "call-"),
      gaps: facts
        .filter(({ call }) => moved.includes(call))
        .flatMap(({ connections }) => {
          const at = connections.findIndex((one) => one.at > movedAt)
          const [before, after] = [connections[at - 1], connections[at]]
          return before?.endedAt === undefined || after === undefined ? [] : [Math.max(0, after.at - before.endedAt)]
        }),
      answeredAt: new Map(
        facts.map(({ call, outputs }) => [call, outputs.flatMap(({ answeredAt }) => answeredAt ?? [])])
      )
    }
  })
