import { forgetOldest } from "../../common/forgetOldest.js"
import type { Call } from "../../machine/CallLedger.js"
import type { CallInfo } from "../../SessionEvent.js"
import type { Tool } from "../../Tool.js"
import type { Parts } from "../Parts.js"
import type { Offer } from "../team/Offer.js"

/** Far more than can be active at a time: a response whose end never came is forgotten at some point. */
const maxLiveResponses = 64

/** The agent and the tool that a call belongs to. */
export interface Owner<out E, out R> {
  readonly agent: string
  /** Absent if the agent has no such tool. */
  readonly tool: Tool<string, E, R> | undefined
}

/** The agent that the calls of a response are for: the one that had the conversation when it began. */
export class ResponseOffers<out E = unknown, out R = unknown> {
  readonly #session: Parts<E, R>
  readonly #offers = new Map<string, Offer<E, R>>()

  constructor(session: Parts<E, R>) {
    this.#session = session
  }

  began(responseId: string): void {
    this.#offers.set(responseId, this.#session.team.current)
    forgetOldest(this.#offers, maxLiveResponses)
  }

  ended(responseId: string): void {
    this.#offers.delete(responseId)
  }

  /** For an unknown response, the agent that has the conversation now. */
  of(responseId: string | undefined): Offer<E, R> {
    return (responseId === undefined ? undefined : this.#offers.get(responseId)) ?? this.#session.team.current
  }

  /** The names of the functions that may be called in this response. */
  available(responseId: string | undefined): ReadonlyArray<string> {
    const offer = this.of(responseId)
    const { current } = this.#session.team
    // Without those that the agent does not have any more.
    return [...(current.agent === offer.agent ? current : offer).functions.keys()]
  }

  ownerOf(call: Call): Owner<E, R> {
    const { agent, functions } = this.of(call.responseId)
    const { current } = this.#session.team
    // The agent may not have it any more. What it has under this name now may be another one.
    const isGone = current.agent === agent && !current.functions.has(call.name)
    return { agent: agent.name, tool: isGone ? undefined : functions.get(call.name) }
  }

  infoOf(call: Call, { agent }: Owner<E, R> = this.ownerOf(call)): CallInfo {
    const { arguments: text, callId, name, responseId } = call
    return { callId, tool: name, agent, responseId, arguments: text }
  }
}
