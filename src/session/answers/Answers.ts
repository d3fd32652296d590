import type { Owed } from "../../machine/ResponseScheduler.js"
import type { ResponseParams } from "../../protocol/Response.js"
import type { AudioChunk, SessionEvent } from "../../SessionEvent.js"
import type { Subject } from "../guardrails/Guardrails.js"
import type { Parts } from "../Parts.js"
import type { Awaited } from "./Awaited.js"

/** The answers that callers wait for. Costs nothing while nobody waits. */
export class Answers<out E = unknown> {
  readonly #session: Parts<E>
  #awaited: Set<Awaited<E>> | undefined

  constructor(session: Parts<E>) {
    this.#session = session
  }

  add(awaited: Awaited<E>): void {
    this.#awaited ??= new Set()
    this.#awaited.add(awaited)
    this.#session.publisher.reader = this
  }

  /** Nobody waits for this answer any more. The model goes on. */
  forget(awaited: Awaited<E>): void {
    if (this.#awaited?.delete(awaited) !== true || this.#awaited.size > 0) return
    this.#awaited = undefined
    this.#session.publisher.reader = undefined
  }

  /** A response to this question has begun. */
  began(responseId: string, owed: Owed): void {
    for (const awaited of this.#awaited ?? []) if (awaited.isAbout(owed)) awaited.began(responseId, owed.request.id)
  }

  /** The parameters of the question that one of these responses belongs to: they hold for the whole answer. */
  paramsOf(responseIds: ReadonlyArray<string>): ResponseParams | undefined {
    for (const awaited of this.#awaited ?? []) {
      if (responseIds.some((responseId) => awaited.has(responseId))) return awaited.question.params
    }
    return undefined
  }

  /** A guardrail stopped these words. */
  blocked(subject: Subject, guardrail: string, feedback: string): void {
    const checked = subject._tag === "User" ? "Input" : "Output"
    for (const awaited of this.#awaited ?? []) if (isOf(awaited, subject)) awaited.blocked(checked, guardrail, feedback)
  }

  played(chunk: AudioChunk): void {
    for (const awaited of this.#awaited ?? []) awaited.played(chunk)
  }

  published(event: SessionEvent<E>): void {
    for (const awaited of this.#awaited ?? []) awaited.published(event)
  }

  /** Called when everything caused by an input is done and published: callers with a complete answer get it. */
  settle(): void {
    if (this.#awaited === undefined) return
    const { calls, guardrails, responses } = this.#session
    const owed = responses.owed()
    for (const awaited of this.#awaited) {
      const isOpen = (): boolean =>
        awaited.responseIds.some((responseId) => calls.isOpen(responseId)) ||
        guardrails.isReading((subject) => isOf(awaited, subject))
      const outcome = awaited.outcome(owed, isOpen)
      if (outcome === undefined) continue
      this.forget(awaited)
      awaited.waiter.done(outcome)
    }
  }
}

const isOf = (awaited: Awaited<unknown>, subject: Subject): boolean =>
  subject._tag === "User" ? subject.itemId === awaited.question.itemId : awaited.has(subject.responseId)
