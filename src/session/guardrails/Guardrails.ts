import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Message } from "../../Conversation.js"
import { type Guardrail, pass, trip } from "../../Guardrail.js"
import type { UserMessageParam } from "../../protocol/ItemParam.js"
import { systemEvent } from "../calls/Answer.js"
import type { Parts } from "../Parts.js"
import { prefixes } from "./feedback.js"
import { type Judged, judge, publishJudged } from "./judge.js"
import { TurnOrder } from "./TurnOrder.js"

/** The words that are checked. */
export type Subject =
  | { readonly _tag: "User"; readonly itemId: string }
  /** `turn`: the user's latest turn at that time. */
  | {
      readonly _tag: "Model"
      readonly responseId: string
      readonly kind: "Text" | "Audio"
      readonly outOfBand: boolean
      readonly turn: number
    }

/** A verdict, which comes back through the session's inbox. */
export interface Report {
  readonly judged: Judged
  readonly subject: Subject
  /** Ends the check. Returns whether this is the first trip for these words. */
  readonly done: (hasTripped: boolean) => boolean
}

/** A part of the model's output. Each part is checked separately. */
export interface Place {
  readonly itemId: string
  readonly contentIndex: number
  readonly kind: "Text" | "Audio"
}

/** What one guardrail has seen of one item. */
interface Watch<R> {
  readonly guardrail: Guardrail<R>
  checked: number
  state: { readonly _tag: "Idle" } | { readonly _tag: "Checking"; fiber: Fiber.RuntimeFiber<unknown> | undefined }
  /** Whether there is more to check than the running check has seen, including the end. */
  isDue: boolean
}

interface Item<R> {
  readonly subject: Subject
  readonly itemId: string
  text: string
  readonly watches: ReadonlyArray<Watch<R>>
}

const idle = { _tag: "Idle" } as const

/** How many items are kept for checks that are still running. */
const maxItems = 32

const notRead = "It could not be read: there is no transcript."

/**
 * Checks words while they are said. Checks run in parallel with the speech, one at a time for each item and guardrail.
 */
export class Guardrails<out E = unknown, out R = unknown> {
  readonly #session: Parts<E, R>
  readonly #items = new Map<string, Item<R>>()
  readonly #tripped = new WeakSet<Item<R>>()
  readonly #order = new TurnOrder()

  constructor(session: Parts<E, R>) {
    this.#session = session
  }

  said(responseId: string, at: Place, delta: string): void {
    const item = this.#saidIn(responseId, at)
    if (item === undefined) return
    item.text += delta
    for (const watch of item.watches) {
      if (item.text.length - watch.checked >= watch.guardrail.debounce) this.#check(item, watch)
    }
  }

  /** The part is complete: `text` is all of it. */
  saidAll(responseId: string, at: Place, text: string): void {
    this.#finish(this.#saidIn(responseId, at), text)
  }

  /** Nothing more is said in this response. What was not checked yet is checked, even if the response was cut off. */
  responseEnded(responseId: string): void {
    for (const item of this.#items.values()) {
      if (item.subject._tag === "Model" && item.subject.responseId === responseId) this.#finish(item, item.text)
    }
  }

  /** The user began to say this item. */
  turnBegan(itemId: string): void {
    this.#order.turnBegan(itemId)
  }

  /** A response began, inside or outside the conversation. */
  responseBegan(responseId: string): void {
    this.#order.responseBegan(responseId)
  }

  heard(itemId: string, text: string): void {
    this.#finish(this.#saidByUser(itemId), text)
  }

  /** The application adds this for the user. No server transcribes audio in such an item. */
  wrote(itemId: string, content: UserMessageParam["content"]): void {
    this.#told(
      itemId,
      content.flatMap((part) =>
        part.type === "input_image" ? [] : [part.type === "input_text" ? part.text : part.transcript]
      )
    )
  }

  /**
   * Another process had this question, and the model is still to go on after it: nobody knows how far its checks came.
   * `responseIds`: what the model has begun to answer with.
   */
  recovered(question: Message, responseIds: ReadonlyArray<string>): void {
    this.#order.recovered(question.id, responseIds)
    this.#told(
      question.id,
      question.content.flatMap((part) =>
        part._tag === "Text" ? [part.text] : part._tag === "Audio" ? [part.transcript] : []
      )
    )
  }

  /** An item that the user said will not get a transcript: the `onFailure` of its guardrails decides. */
  notHeard(itemId: string): void {
    const item = this.#saidByUser(itemId)
    if (item === undefined || item.text !== "") return
    const { agent } = this.#session.calls.offers.of(undefined)
    for (const { guardrail } of item.watches) {
      const verdict = guardrail.onFailure === "open" ? pass : trip(notRead)
      const judged: Judged = { guardrail, agent: agent.name, itemId, verdict, failure: { _tag: "NoTranscript" } }
      publishJudged(judged, this.#session.outbox)
      if (verdict._tag === "Trip" && this.#isFirstTrip(item)) {
        this.#trippedBy(guardrail.name, verdict.feedback, item.subject)
      }
    }
  }

  reported({ done, judged, subject }: Report): void {
    const { guardrail, verdict } = judged
    const isFirst = done(verdict._tag === "Trip")
    publishJudged(judged, this.#session.outbox)
    if (verdict._tag === "Trip" && isFirst) this.#trippedBy(guardrail.name, verdict.feedback, subject)
  }

  /** Whether a check of such words is running. */
  isReading(isMeant: (subject: Subject) => boolean): boolean {
    for (const { subject, watches } of this.#items.values()) {
      if (watches.some(({ state }) => state._tag === "Checking") && isMeant(subject)) return true
    }
    return false
  }

  close(): Effect.Effect<void> {
    return Fiber.interruptAll(
      Array.from(this.#items.values()).flatMap(({ watches }) =>
        watches.flatMap(({ state }) => (state._tag === "Checking" ? (state.fiber ?? []) : []))
      )
    )
  }

  /** The words of an item's parts, of which some may not be known. */
  #told(itemId: string, texts: ReadonlyArray<string | undefined>): void {
    const words = texts.filter((text) => text !== undefined)
    if (words.length < texts.length) this.notHeard(itemId)
    if (words.length > 0) this.heard(itemId, words.join(" "))
  }

  #readersOf(subject: Guardrail["subject"], responseId: string | undefined): ReadonlyArray<Guardrail<R>> {
    const { guardrails } = this.#session.calls.offers.of(responseId).agent
    return guardrails.length === 0 ? guardrails : guardrails.filter((guardrail) => guardrail.subject === subject)
  }

  #itemOf(
    guardrails: ReadonlyArray<Guardrail<R>>,
    key: string,
    itemId: string,
    subject: () => Subject
  ): Item<R> | undefined {
    if (guardrails.length === 0) return undefined
    const watches = guardrails.map((guardrail) => ({ guardrail, checked: 0, state: idle, isDue: false }))
    const item: Item<R> = { subject: subject(), itemId, text: "", watches }
    this.#items.set(key, item)
    for (const [oldest, { watches }] of this.#items) {
      if (this.#items.size <= maxItems) break
      if (watches.every(({ state }) => state._tag === "Idle")) this.#items.delete(oldest)
    }
    return item
  }

  #saidIn(responseId: string, { contentIndex, itemId, kind }: Place): Item<R> | undefined {
    const key = `${itemId}/${contentIndex}`
    return (
      this.#items.get(key) ??
      this.#itemOf(this.#readersOf("Output", responseId), key, itemId, () => {
        const outOfBand = this.#session.responses.isOutOfBand(responseId)
        return { _tag: "Model", responseId, kind, outOfBand, turn: this.#order.latest }
      })
    )
  }

  #saidByUser(itemId: string): Item<R> | undefined {
    const key = `${itemId}/0`
    return (
      this.#items.get(key) ??
      this.#itemOf(this.#readersOf("Input", undefined), key, itemId, () => ({ _tag: "User", itemId }))
    )
  }

  /** One trip is enough; other trips are still published. */
  #isFirstTrip(item: Item<R>): boolean {
    if (this.#tripped.has(item)) return false
    this.#tripped.add(item)
    return true
  }

  /** Starts a check. If one is running, the newest text is checked after it. */
  #check(item: Item<R>, watch: Watch<R>): void {
    watch.isDue = true
    if (watch.state._tag === "Checking" || this.#tripped.has(item)) return
    const { calls, inbox, outbox, telemetry } = this.#session
    const checking: Watch<R>["state"] = { _tag: "Checking", fiber: undefined }
    watch.state = checking
    watch.isDue = false
    watch.checked = item.text.length
    const { itemId, subject, text } = item
    const { agent } = calls.offers.of(subject._tag === "Model" ? subject.responseId : undefined)
    const done = (hasTripped: boolean): boolean => {
      watch.state = idle
      const isFirst = hasTripped && this.#isFirstTrip(item)
      if (watch.isDue && watch.checked < item.text.length) this.#check(item, watch)
      return isFirst
    }
    const check = judge(watch.guardrail, text, { agent: agent.name, tool: undefined }, itemId)
    const parent = subject._tag === "Model" ? telemetry.spanOf(subject.responseId) : telemetry.spans.session
    outbox.run(
      telemetry.checked(watch.guardrail, check, parent).pipe(
        Effect.map((judged) => inbox.offer({ _tag: "Judged", report: { judged, subject, done } })),
        Effect.forkDaemon,
        Effect.tap((fiber) =>
          Effect.sync(() => {
            checking.fiber = fiber
          })
        )
      )
    )
  }

  #finish(item: Item<R> | undefined, text: string): void {
    if (item === undefined) return
    const isOther = text !== item.text
    item.text = text
    for (const watch of item.watches) {
      // The text that was checked is not the final text, even if it has the same length.
      if (isOther) watch.checked = Math.min(watch.checked, text.length - 1)
      if (watch.checked < text.length) this.#check(item, watch)
    }
  }

  /** These words must not stand. The model is told, if there is anything left for it to correct. */
  #trippedBy(guardrail: string, feedback: string, subject: Subject): void {
    this.#session.answers.blocked(subject, guardrail, feedback)
    if (!this.#stop(subject, guardrail)) return
    const { newId, outbox, responses } = this.#session
    const id = newId(prefixes[subject._tag])
    outbox.send(systemEvent(id, feedback))
    responses.askAbout(id)
  }

  /** Stops words that must not stand. Returns whether there is anything left for the model to correct. */
  #stop(subject: Subject, guardrail: string): boolean {
    return subject._tag === "User"
      ? this.#withdrawAnswers(subject.itemId, guardrail)
      : this.#stopResponse(subject, guardrail)
  }

  #stopResponse(subject: Extract<Subject, { readonly _tag: "Model" }>, guardrail: string): boolean {
    const { responses, speech } = this.#session
    const { kind, outOfBand, responseId, turn } = subject
    // Text stands until the user goes on; audio that was heard cannot be taken back.
    const stands = kind === "Text" && turn === this.#order.latest && speech.accepts(responseId)
    const wasUnheard = speech.cancelled(responseId, guardrail, stands)
    const wasActive = responses.cancel(responseId)
    return !outOfBand && (wasActive || wasUnheard || stands)
  }

  /** Withdraws the answer to the user's words, and nothing else: answers to other turns stay. */
  #withdrawAnswers(itemId: string, guardrail: string): boolean {
    const { calls, responses, speech } = this.#session
    const turn = this.#order.turnOf(itemId)
    const answers = new Set(this.#order.answersTo(turn))
    calls.withdraw(answers)
    if (turn === this.#order.latest) {
      speech.withdraw(answers, guardrail)
      responses.withdraw({ itemId, responseIds: answers, blockedBy: guardrail })
      return true
    }
    // The conversation has gone on: the rest of the answer is stopped, and what was heard or read of it stands.
    let wasStopped = false
    for (const responseId of answers) {
      if (responses.isOutOfBand(responseId)) continue
      const wasUnheard = speech.cancelled(responseId, guardrail)
      wasStopped = responses.cancel(responseId) || wasUnheard || wasStopped
    }
    return wasStopped
  }
}
