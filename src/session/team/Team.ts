import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Agent from "../../Agent.js"
import type { RealtimeSession } from "../../protocol/SessionConfig.js"
import { AgentUnknown, HandoffSuperseded, type SessionClosed, SettingsTimedOut } from "../../SessionError.js"
import type { SessionEvent } from "../../SessionEvent.js"
import { quietly } from "../../tool/quietly.js"
import type { Judged } from "../guardrails/judge.js"
import type { ConfigureError, Transfer, TransferError } from "./handoffTool.js"
import * as Offer from "./Offer.js"
import { settingsBetween } from "./settingsBetween.js"

/** What an update may change. */
export type Update = Agent.Settings & Pick<RealtimeSession, "instructions" | "tools">

/** The agents of a session, of whom one has the conversation. */
export interface Team<E, R> {
  /** Who has the conversation, on both sides. */
  readonly current: () => Offer.Offer<E, R>
  /** Of the one that has the conversation, and of the `owners`. */
  readonly offerOf: (name: string) => Offer.Offer<E, R> | undefined
  readonly transfer: Transfer<E, R>
  /** The application's own transfer, to any agent that the conversation may come to. */
  readonly transferTo: (name: string) => Effect.Effect<void, TransferError | AgentUnknown, R>
}

export interface Environment {
  /** Agents whose calls are to be taken up, by name. */
  readonly owners: ReadonlyArray<string>
  /** Settings that win over those of every agent. */
  readonly settings: Agent.Settings
  /** For an agent to say what it wants, in milliseconds. */
  readonly timeout: number
  readonly publish: (event: SessionEvent<never>) => void
  /** A guardrail has checked a tool. */
  readonly judged: (judged: Judged) => void
  /** Both run in the loop: `confirmed` at the very place in the order of events where the server has the settings. */
  readonly configure: (settings: () => Update, confirmed: () => void) => Effect.Effect<void, ConfigureError>
  /** The settings that were sent so far, with the application's own. */
  readonly sent: () => Agent.Settings
  /** Sends settings whose confirmation nobody waits for. */
  readonly restore: (settings: Update) => Effect.Effect<void, SessionClosed>
}

/** `beginner`: who has the conversation first; of the same team as `agent`. */
export const make = <E, R>(
  agent: Agent.Agent<E, R>,
  beginner: Agent.Agent<E, R>,
  env: Environment
): Effect.Effect<Team<E, R>, SettingsTimedOut, R> =>
  Effect.gen(function* () {
    const turn = yield* Effect.makeSemaphore(1)
    /** Who is to have the conversation, while it is being handed over. */
    let underWay: string | undefined

    /** Instructions and checks are the application's, and may take for ever. */
    const offer = (to: Agent.Agent<E, R>) =>
      Offer.make(
        to,
        env.settings,
        transfer,
        (target) => env.publish({ _tag: "HandoffCheckFailed", agent: to.name, target }),
        env.judged
      ).pipe(
        Effect.disconnect,
        Effect.timeoutFail({
          duration: env.timeout,
          onTimeout: () => new SettingsTimedOut({ afterMs: env.timeout })
        }),
        Effect.interruptible
      )

    /** The server has the settings, or the old agent has the conversation still, on both sides. */
    const handOver = (to: Agent.Agent<E, R>) =>
      Effect.gen(function* () {
        const before = current
        const next = yield* offer(to)
        yield* env
          .configure(
            () => settingsBetween(before.settings, next.settings, env.sent()),
            () => {
              current = next
              env.publish({ _tag: "HandedOff", from: before.agent.name, to: to.name })
            }
          )
          .pipe(
            Effect.catchTag("SettingsTimedOut", (error) =>
              // The confirmation may have come in the same moment; if not, the server may have the settings all the same.
              current === next
                ? Effect.void
                : Effect.zipRight(env.restore(settingsBetween(next.settings, before.settings)), error)
            )
          )
      })

    const finished = Effect.suspend(() => {
      underWay = undefined
      return turn.release(1)
    })

    const transfer: Transfer<E, R> = (from, to, prepare) => {
      const prepared = Effect.suspend(
        (): Effect.Effect<unknown, HandoffSuperseded | Effect.Effect.Error<typeof prepare>, R> => {
          if (current.agent.name !== from) return new HandoffSuperseded({ by: current.agent.name })
          underWay = to.name
          return prepare
        }
      )
      /** Whoever asked may stop waiting; the transfer still comes to its end, on both sides. */
      const begun = quietly(() => Effect.forkDaemon(Effect.ensuring(Effect.interruptible(handOver(to)), finished)))
      return Effect.uninterruptibleMask((restore) =>
        restore(turn.take(1)).pipe(
          Effect.zipRight(Effect.onError(restore(prepared), () => finished)),
          Effect.zipRight(begun),
          Effect.flatMap((fiber) => restore(Fiber.join(fiber)))
        )
      )
    }

    let current = yield* offer(beginner)
    const owners = new Map([[beginner.name, current]])
    for (const one of Agent.reachable(agent)) {
      if (owners.has(one.name) || !env.owners.includes(one.name)) continue
      // One that can not say what it offers takes up no call.
      const offered = yield* Effect.option(offer(one))
      if (Option.isSome(offered)) owners.set(one.name, offered.value)
    }

    return {
      current: () => current,
      offerOf: (name) => owners.get(name),
      transfer,
      transferTo: (name) =>
        Effect.suspend((): Effect.Effect<void, TransferError | AgentUnknown, R> => {
          const agents = Agent.reachable(agent)
          const target = agents.find((one) => one.name === name)
          if (target === undefined) {
            return Effect.fail(new AgentUnknown({ agent: name, available: agents.map((one) => one.name) }))
          }
          // It must not wait: a callback that asks for it waits for itself.
          return underWay === undefined
            ? transfer(current.agent.name, target, Effect.void)
            : Effect.fail(new HandoffSuperseded({ by: underWay }))
        })
    }
  })
