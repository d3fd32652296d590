import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { vi } from "vitest"
import * as Agent from "../../src/Agent.js"
import type { ClientEvent } from "../../src/protocol/ClientEvent.js"
import type { Connection } from "../../src/RealtimeModel.js"
import type { SessionEvent } from "../../src/SessionEvent.js"
import { type Options, resolve } from "../../src/session/options.js"
import { Parts } from "../../src/session/Parts.js"

const desk = Agent.make("Desk", { instructions: "Desk." })

export interface Given {
  readonly agent?: Agent.Agent<never, never>
  readonly options?: Options
  /** Default: each id is another one. */
  readonly newId?: (prefix: string) => string
}

/** The parts of a session that no loop runs: what they want done is written down, and time stands still until it is told. */
export const parts = ({ agent = desk, newId, options = {} }: Given = {}) => {
  const state: { now: number; connection: Connection | undefined } = { now: 0, connection: undefined }
  const sent: Array<ClientEvent> = []
  const published: Array<SessionEvent<unknown>> = []
  const toRun: Array<Effect.Effect<unknown>> = []
  let count = 0
  const nextId = (prefix: string): string => {
    count += 1
    return `${prefix}_${count}`
  }
  const session = new Parts<never, never>(
    {
      sessionId: "ses",
      newId: newId ?? nextId,
      agent,
      beginner: agent,
      owners: [],
      writing: undefined,
      unwritten: undefined
    },
    resolve(options, {}),
    {
      connect: () => Effect.never,
      scope: Effect.runSync(Scope.make()),
      clock: {
        ...Clock.make(),
        unsafeCurrentTimeMillis: () => state.now,
        unsafeCurrentTimeNanos: () => BigInt(state.now) * 1_000_000n
      },
      tracing: undefined,
      metricLabels: [],
      listeners: {},
      tap: { published: () => undefined, played: () => undefined }
    }
  )
  vi.spyOn(session.connections, "current", "get").mockImplementation(() => state.connection)
  vi.spyOn(session.outbox, "publish").mockImplementation((event) => published.push(event))
  vi.spyOn(session.outbox, "run").mockImplementation((effect) => toRun.push(effect))
  vi.spyOn(session.outbox, "send").mockImplementation((event) => sent.push(event))
  return { session, state, sent, published, toRun }
}
