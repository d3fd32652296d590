import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import * as Agent from "../../Agent.js"
import { AgentUnknown, HandoffSuperseded, type SessionClosed, SettingsTimedOut } from "../../SessionError.js"
import { quietly } from "../../tool/quietly.js"
import type { Parts } from "../Parts.js"
import { configure, type Update } from "../settings/configure.js"
import { merge } from "../settings/merge.js"
import type { TransferError } from "./handoffTool.js"
import * as Offer from "./Offer.js"
import { settingsBetween } from "./settingsBetween.js"

/** The agents of a session, of whom one has the conversation. */
export class Team<out E = unknown, out R = unknown> {
  readonly #session: Parts<E, R>
  #current: Offer.Offer<E, R>
  readonly #owners = new Map<string, Offer.Offer<E, R>>()
  readonly #turn = Effect.unsafeMakeSemaphore(1)
  /** Who is to have the conversation, while it is being handed over. */
  #underWay: string | undefined

  constructor(session: Parts<E, R>) {
    this.#session = session
    this.#current = Offer.none(session.beginning.beginner)
  }

  /** Asks who has the conversation first for its offer, and the agents whose calls another process left open. */
  get begin(): Effect.Effect<void, SettingsTimedOut, R> {
    const team = this
    return Effect.gen(function* () {
      const { agent, beginner, owners } = team.#session.beginning
      team.#current = yield* team.#offer(beginner)
      team.#owners.set(beginner.name, team.#current)
      for (const one of Agent.reachable(agent)) {
        if (team.#owners.has(one.name) || !owners.includes(one.name)) continue
        // One that can not say what it offers takes up no call.
        const offered = yield* Effect.option(team.#offer(one))
        if (Option.isSome(offered)) team.#owners.set(one.name, offered.value)
      }
    })
  }

  /** Who has the conversation, on both sides. */
  get current(): Offer.Offer<E, R> {
    return this.#current
  }

  /** Of the one that had the conversation first, and of the agents whose calls another process left open. */
  offerOf(name: string): Offer.Offer<E, R> | undefined {
    return this.#owners.get(name)
  }

  /**
   * Gives the conversation to an agent, once it was prepared for and the server has the settings. `from`: the agent that
   * the call was made to. Of several transfers, each waits for the one before it, and is prepared only if that came to
   * nothing. `span`: what it is a part of, by default the call.
   */
  transfer<E2>(
    from: string,
    to: Agent.Agent<E, R>,
    prepare: Effect.Effect<unknown, E2, R>,
    span?: Tracer.Span
  ): Effect.Effect<void, TransferError | E2, R> {
    const prepared = Effect.suspend((): Effect.Effect<unknown, HandoffSuperseded | E2, R> => {
      const { name } = this.#current.agent
      if (name !== from) return new HandoffSuperseded({ by: name })
      this.#underWay = to.name
      return prepare
    })
    const finished = Effect.suspend(() => {
      this.#underWay = undefined
      return this.#turn.release(1)
    })
    /** Whoever asked may stop waiting; the transfer still comes to its end, on both sides. */
    const begun = quietly(() => Effect.forkDaemon(Effect.ensuring(Effect.interruptible(this.#handOver(to)), finished)))
    const transferred = Effect.uninterruptibleMask((restore) =>
      restore(this.#turn.take(1)).pipe(
        Effect.zipRight(Effect.onError(restore(prepared), () => finished)),
        Effect.zipRight(begun),
        Effect.flatMap((fiber) => restore(Fiber.join(fiber)))
      )
    )
    return this.#session.telemetry.handedOver(from, to.name, transferred, span)
  }

  /** The application's own transfer, to any agent that the conversation may come to. */
  transferTo(name: string): Effect.Effect<void, TransferError | AgentUnknown, R> {
    return Effect.suspend((): Effect.Effect<void, TransferError | AgentUnknown, R> => {
      const agents = Agent.reachable(this.#session.beginning.agent)
      const target = agents.find((one) => one.name === name)
      if (target === undefined) {
        return Effect.fail(new AgentUnknown({ agent: name, available: agents.map((one) => one.name) }))
      }
      // It must not wait: a callback that asks for it waits for itself.
      return this.#underWay === undefined
        ? this.transfer(this.#current.agent.name, target, Effect.void, this.#session.telemetry.spans.session)
        : Effect.fail(new HandoffSuperseded({ by: this.#underWay }))
    })
  }

  /** Instructions and checks are the application's, and may take for ever. */
  #offer(to: Agent.Agent<E, R>): Effect.Effect<Offer.Offer<E, R>, SettingsTimedOut, R> {
    const afterMs = this.#session.options.settingsTimeout
    return Offer.make(to, this.#session).pipe(
      Effect.disconnect,
      Effect.timeoutFail({ duration: afterMs, onTimeout: () => new SettingsTimedOut({ afterMs }) }),
      Effect.interruptible
    )
  }

  /** The server has the settings, or the old agent has the conversation still, on both sides. */
  #handOver(to: Agent.Agent<E, R>) {
    const team = this
    const { configuration, publisher } = this.#session
    return Effect.gen(function* () {
      const before = team.#current
      const next = yield* team.#offer(to)
      yield* configure(
        team.#session,
        () => configuration.withoutFixed(settingsBetween(before.settings, next.settings, configuration.sentSettings())),
        // At the very place in the order of events where the server has them.
        () => {
          team.#current = next
          publisher.publish({ _tag: "HandedOff", from: before.agent.name, to: to.name })
        }
      ).pipe(
        Effect.catchTag("SettingsTimedOut", (error) =>
          // The confirmation may have come in the same moment; if not, the server may have the settings all the same.
          team.#current === next
            ? Effect.void
            : Effect.zipRight(team.#restore(settingsBetween(next.settings, before.settings)), error)
        )
      )
    })
  }

  /** Sends settings whose confirmation nobody waits for. */
  #restore(settings: Update): Effect.Effect<void, SessionClosed> {
    const { asking, configuration } = this.#session
    return asking.ask<void, never>((reply) => {
      // What was changed since the agent took over stays changed.
      const update = merge(settings, configuration.confirmedSettings())
      reply(Exit.succeed(configuration.update({ ...update, type: "realtime" }).send(() => undefined)))
    })
  }
}
