import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import * as Agent from "../../Agent.js"
import { quietly } from "../../common/quietly.js"
import { AgentUnknown, HandoffSuperseded, type SessionClosed, SettingsInvalid } from "../../SessionError.js"
import type { Parts } from "../Parts.js"
import { configure, type Update } from "../settings/configure.js"
import { merge } from "../settings/merge.js"
import { settingsBetween } from "../settings/settingsBetween.js"
import type { TransferError } from "./handoffTool.js"
import * as Offer from "./Offer.js"

/** The agents of a session. One of them has the conversation. */
export class Team<out E = unknown, out R = unknown> {
  readonly #session: Parts<E, R>
  #current: Offer.Offer<E, R>
  readonly #owners = new Map<string, Offer.Offer<E, R>>()
  readonly #turn = Effect.unsafeMakeSemaphore(1)
  /** The agent that is about to get the conversation, during a handover. */
  #underWay: string | undefined

  constructor(session: Parts<E, R>) {
    this.#session = session
    this.#current = Offer.none(session.beginning.beginner)
  }

  /** Evaluates the offers of the first agent, and of the agents whose calls another process left open. */
  get begin(): Effect.Effect<void, Agent.AgentInvalid, R> {
    const team = this
    return Effect.gen(function* () {
      const { agent, beginner, owners } = team.#session.beginning
      team.#current = yield* Effect.mapError(team.#offer(beginner), ({ invalid }) => invalid)
      team.#owners.set(beginner.name, team.#current)
      for (const one of Agent.reachable(agent)) {
        if (team.#owners.has(one.name) || !owners.includes(one.name)) continue
        // The calls of an agent whose offer fails are not restored.
        const offered = yield* Effect.option(team.#offer(one))
        if (Option.isSome(offered)) team.#owners.set(one.name, offered.value)
      }
    })
  }

  /** The agent that has the conversation, on both sides. */
  get current(): Offer.Offer<E, R> {
    return this.#current
  }

  /** The offer of the first agent, or of an agent whose calls another process left open. */
  offerOf(name: string): Offer.Offer<E, R> | undefined {
    return this.#owners.get(name)
  }

  /**
   * Gives the conversation to an agent, after the preparation, and once the server has the settings. `from`: the agent
   * that the call was made to. If there are several transfers, each one waits for the one before it, and is prepared
   * only if that one failed. `span`: the parent span, by default the call's.
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
    return this.#session.telemetry.handedOver(from, to.name, this.#inTurn(prepared, this.#handOver(to)), span)
  }

  /**
   * Asks again which tools and handoffs the agent offers. The new list counts once the server has it; if it does not
   * take it, the old one stays.
   */
  get updateTools(): Effect.Effect<void, TransferError, R> {
    return this.#unlessUnderWay(() => this.#inTurn(Effect.void, this.#renew))
  }

  /** It must not wait: a callback that asks for it would wait for itself. The next agent is asked anyway. */
  #unlessUnderWay<E2>(act: () => Effect.Effect<void, E2, R>): Effect.Effect<void, E2 | HandoffSuperseded, R> {
    return Effect.suspend(
      (): Effect.Effect<void, E2 | HandoffSuperseded, R> =>
        this.#underWay === undefined ? act() : new HandoffSuperseded({ by: this.#underWay })
    )
  }

  /** One after the other, each prepared when the one before is over. */
  #inTurn<E1, E2>(prepared: Effect.Effect<unknown, E1, R>, act: Effect.Effect<void, E2, R>) {
    const finished = Effect.suspend(() => {
      this.#underWay = undefined
      return this.#turn.release(1)
    })
    /** The caller may stop waiting. What was begun still completes, on both sides. */
    const begun = quietly(() => Effect.forkDaemon(Effect.ensuring(Effect.interruptible(act), finished)))
    return Effect.uninterruptibleMask((restore) =>
      restore(this.#turn.take(1)).pipe(
        Effect.zipRight(Effect.onError(restore(prepared), () => finished)),
        Effect.zipRight(begun),
        Effect.flatMap((fiber) => restore(Fiber.join(fiber)))
      )
    )
  }

  /** A transfer by the application, to any agent that the conversation can reach. */
  transferTo(name: string): Effect.Effect<void, TransferError | AgentUnknown, R> {
    return Effect.suspend((): Effect.Effect<void, TransferError | AgentUnknown, R> => {
      const agents = Agent.reachable(this.#session.beginning.agent)
      const target = agents.find((one) => one.name === name)
      if (target === undefined) return new AgentUnknown({ agent: name, available: agents.map((one) => one.name) })
      return this.#unlessUnderWay(() =>
        this.transfer(this.#current.agent.name, target, Effect.void, this.#session.telemetry.spans.session)
      )
    })
  }

  #offer(to: Agent.Agent<E, R>) {
    this.#session.hostedImports ??= to.hostedTools[0]?.imports(this.#session.hostOfImports)
    // Also for a session that is made where nothing may be interrupted.
    return Effect.interruptible(Offer.make(to, this.#session))
  }

  /** Afterwards, either the server has the settings, or the old agent still has the conversation, on both sides. */
  #handOver(to: Agent.Agent<E, R>) {
    const team = this
    const { configuration, publisher } = this.#session
    return Effect.gen(function* () {
      const before = team.#current
      const next = yield* inSettings(team.#offer(to))
      yield* team.#replace(
        before,
        next,
        () => configuration.withoutFixed(settingsBetween(before.settings, next.settings, configuration.sentSettings())),
        () => publisher.publish({ _tag: "HandedOff", from: before.agent.name, to: to.name })
      )
    })
  }

  /** `taken` runs at the exact place in the order of events where the server has the settings. */
  #replace(before: Offer.Offer<E, R>, next: Offer.Offer<E, R>, settings: () => Update, taken: () => void) {
    return configure(this.#session, settings, () => {
      this.#current = next
      taken()
    }).pipe(
      Effect.catchTag("SettingsTimedOut", (error) =>
        // The confirmation may have come at the same moment; if not, the server may still have the settings.
        this.#current === next
          ? Effect.void
          : Effect.zipRight(this.#restore(settingsBetween(next.settings, before.settings)), error)
      )
    )
  }

  get #renew(): Effect.Effect<void, TransferError, R> {
    const team = this
    const { asking, publisher } = this.#session
    return Effect.gen(function* () {
      const before = team.#current
      const next = yield* inSettings(Offer.renewed(before, team.#session))
      const { tools } = next.settings
      // Handlers may be others under the same names.
      if (JSON.stringify(tools) === JSON.stringify(before.settings.tools)) {
        return yield* asking.command(() => {
          team.#current = next
        })
      }
      yield* team.#replace(
        before,
        next,
        () => ({ tools }),
        () => publisher.publish({ _tag: "ToolsUpdated", agent: next.agent.name, functions: [...next.functions.keys()] })
      )
    })
  }

  /** Sends settings without waiting for their confirmation. */
  #restore(settings: Update): Effect.Effect<void, SessionClosed> {
    const { asking, configuration } = this.#session
    return asking.ask<void, never>((reply) => {
      // Settings that were changed since the agent took over stay changed.
      const update = merge(settings, configuration.confirmedSettings())
      reply(Exit.succeed(configuration.update({ ...update, type: "realtime" }).send(() => undefined)))
    })
  }
}

/** What an agent cannot be offered with is a problem of the settings that it would be in. */
const inSettings = <A, R2>(offer: Effect.Effect<A, Offer.Refusal, R2>): Effect.Effect<A, SettingsInvalid, R2> =>
  Effect.mapError(offer, ({ invalid: { agent, problems }, param }) => {
    const whose = `The agent ${JSON.stringify(agent)}`
    return new SettingsInvalid({ problems: problems.map((message) => ({ param, message: `${whose}: ${message}` })) })
  })
