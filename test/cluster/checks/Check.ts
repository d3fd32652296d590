/** What a check is, and what it is given. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { TooLate } from "../calls.js"
import type { NoAnswer } from "../control.js"
import { milliseconds } from "../figures.js"
import type { Machines, Node, NotReady, Spec } from "../machines.js"
import type { Database } from "../postgres.js"

/** How much of everything: as in continuous integration, or as the figures are measured. */
export interface Size {
  readonly isSmall: boolean
  readonly nodes: number
  readonly perNode: number
  /** How many times what is promised things may take: continuous integration has a busy machine, and checks side by side. */
  readonly slack: number
}

export const small: Size = { isSmall: true, nodes: 2, perNode: 4, slack: 20 }
export const full: Size = { isSmall: false, nodes: 3, perNode: 20, slack: 1 }

export interface Stage extends Size {
  readonly machines: Machines
  /** Of this check alone. */
  readonly database: Database
  /** Begins the names of this check's calls. */
  readonly prefix: string
  /** The lease of the nodes, in milliseconds. */
  readonly leaseMs: number
  readonly start: (spec: Spec) => Effect.Effect<Node, never, Scope.Scope>
  /** Starts nodes with these names, `size.nodes` of them by default, and waits until they are ready. */
  readonly startAll: (specs?: ReadonlyArray<Spec>) => Effect.Effect<ReadonlyArray<Node>, NotReady, Scope.Scope>
}

export interface Report {
  readonly figures: ReadonlyArray<string>
  /** Each is a sentence: there should be none. */
  readonly violations: ReadonlyArray<string>
}

export interface Check {
  readonly name: string
  readonly title: string
  /** Stops what the others use, or measures what they would disturb. */
  readonly isAlone?: boolean
  /** Why it cannot run here. */
  readonly skipped?: string | undefined
  readonly run: (stage: Stage) => Effect.Effect<Report, TooLate | NoAnswer | NotReady, Scope.Scope>
}

export const specs = (count: number): ReadonlyArray<Spec> =>
  Array.from({ length: count }, (_, at) => ({ name: `n${at + 1}` }))

export const stage = (machines: Machines, size: Size, prefix: string): Effect.Effect<Stage> =>
  Effect.map(machines.postgres.database(`effect_realtime_check_${prefix}`), (database): Stage => {
    // A pause that is longer looks like death, and busy machines pause.
    const leaseMs = size.isSmall ? 4000 : 3000
    const withDefaults = (spec: Spec): Spec => ({ databaseUrl: database.url, leaseMs, ...spec })
    return {
      ...size,
      machines,
      database,
      prefix,
      leaseMs,
      start: (spec) => machines.start(withDefaults(spec)),
      startAll: (all = specs(size.nodes)) => machines.startAll(all.map(withDefaults))
    }
  })

/** Nothing if it is so, and the text otherwise. */
export const expect = (isSo: boolean, otherwise: string): ReadonlyArray<string> => (isSo ? [] : [otherwise])

/** Nothing if a time is at most this, in milliseconds, or a multiple of it where the machine is busy. `NaN` is no time. */
export const within = ({ slack }: Size, ms: number, most: number, what: string): ReadonlyArray<string> =>
  expect(!(ms > most * slack), `${what}: ${milliseconds(ms)}, and should be ${milliseconds(most)} at most.`)
