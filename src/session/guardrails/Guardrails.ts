import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { type Guardrail, pass, trip } from "../../Guardrail.js"
import { forgetOldest } from "../../machine/forgetOldest.js"
import type { UserMessageParam } from "../../protocol/ItemParam.js"
import type { Offer } from "../team/Offer.js"
import { type Judged, judge } from "./judge.js"

/** Whose words are judged. */
export type Subject =
  | { readonly _tag: "User"; readonly itemId: string }
  /** `turn`: which of the user's was the latest when it was said. */
  | {
      readonly _tag: "Model"
      readonly responseId: string
      readonly kind: "Text" | "Audio"
      readonly outOfBand: boolean
      readonly turn: number
    }

/** A verdict on what was said; it comes back through the session's mailbox. */
export interface Report {
  readonly judged: Judged
  readonly subject: Subject
  /** Whether the verdict is the first trip of what was said; the check is over. */
  readonly done: (hasTripped: boolean) => boolean
}

/** A part of what the model says: each is read by itself. */
export interface Place {
  readonly itemId: string
  readonly contentIndex: number
  readonly kind: "Text" | "Audio"
}

/** Reads along with what is said. Checks run beside the speech, one at a time for each item and guardrail. */
export interface Guardrails {
  readonly said: (responseId: string, at: Place, delta: string) => void
  /** The part is said to its end: `text` is all of it. */
  readonly saidAll: (responseId: string, at: Place, text: string) => void
  /** Nothing more is said in this response: what of it was said and not read yet is read, also if it was cut off. */
  readonly responseEnded: (responseId: string) => void
  /** The user began to say this item. */
  readonly turnBegan: (itemId: string) => void
  readonly heard: (itemId: string, text: string) => void
  /** The application puts this into the conversation for the user. No server writes down what is said aloud there. */
  readonly wrote: (itemId: string, content: UserMessageParam["content"]) => void
  /** No words come for an item that the user said aloud: what would have read them counts by its `onFailure`. */
  readonly notHeard: (itemId: string) => void
  readonly reported: (report: Report) => void
  readonly close: () => Effect.Effect<void>
}

export interface Environment<E, R> {
  /** Whose words these are: the agent that had the conversation when the response began. */
  readonly offerOf: (responseId: string | undefined) => Offer<E, R>
  readonly run: (effect: Effect.Effect<unknown, never, R>) => void
  readonly report: (report: Report) => void
  readonly publish: (judged: Judged) => void
  readonly isOutOfBand: (responseId: string) => boolean
  /** These words must not stand. `isLatestTurn`: the user has begun no other since they were said. */
  readonly tripped: (
    subject: Subject,
    by: { readonly guardrail: string; readonly feedback: string },
    isLatestTurn: boolean
  ) => void
}

/** What one guardrail has seen of one item. */
interface Watch<R> {
  readonly guardrail: Guardrail<R>
  checked: number
  state: { readonly _tag: "Idle" } | { readonly _tag: "Checking"; fiber: Fiber.RuntimeFiber<unknown> | undefined }
  /** There is more to read, or the end, than the check that runs has seen. */
  isDue: boolean
}

interface Item<R> {
  readonly subject: Subject
  readonly itemId: string
  text: string
  readonly watches: ReadonlyArray<Watch<R>>
}

const idle = { _tag: "Idle" } as const

/** Items whose words are kept for checks that still run. */
const maxItems = 32

const notRead = "It could not be read: there is no transcript."

export const make = <E, R>(env: Environment<E, R>): Guardrails => {
  const items = new Map<string, Item<R>>()
  const tripped = new WeakSet<Item<R>>()
  /** The user's items in their order: a transcript may come when the talk has gone on. */
  const turns = new Map<string, number>()
  let turn = 0

  const readersOf = (subject: Guardrail["subject"], responseId: string | undefined): ReadonlyArray<Guardrail<R>> =>
    env.offerOf(responseId).agent.guardrails.filter((guardrail) => guardrail.subject === subject)

  const itemOf = (
    guardrails: ReadonlyArray<Guardrail<R>>,
    key: string,
    itemId: string,
    subject: () => Subject
  ): Item<R> | undefined => {
    if (guardrails.length === 0) return undefined
    const watches = guardrails.map((guardrail) => ({ guardrail, checked: 0, state: idle, isDue: false }))
    const item: Item<R> = { subject: subject(), itemId, text: "", watches }
    items.set(key, item)
    for (const [oldest, { watches }] of items) {
      if (items.size <= maxItems) break
      if (watches.every(({ state }) => state._tag === "Idle")) items.delete(oldest)
    }
    return item
  }

  const saidIn = (responseId: string, { contentIndex, itemId, kind }: Place): Item<R> | undefined => {
    const key = `${itemId}/${contentIndex}`
    return (
      items.get(key) ??
      itemOf(readersOf("Output", responseId), key, itemId, () => {
        return { _tag: "Model", responseId, kind, outOfBand: env.isOutOfBand(responseId), turn }
      })
    )
  }

  const saidByUser = (itemId: string): Item<R> | undefined => {
    const key = `${itemId}/0`
    return items.get(key) ?? itemOf(readersOf("Input", undefined), key, itemId, () => ({ _tag: "User", itemId }))
  }

  const isLatestTurn = (subject: Subject): boolean =>
    (subject._tag === "Model" ? subject.turn : (turns.get(subject.itemId) ?? turn)) === turn

  /** One trip is enough; what else the checks find is published all the same. */
  const isFirstTrip = (item: Item<R>): boolean => {
    if (tripped.has(item)) return false
    tripped.add(item)
    return true
  }

  /** Starts a check, unless one runs: then the newest text is read when that is over. */
  const check = (item: Item<R>, watch: Watch<R>): void => {
    watch.isDue = true
    if (watch.state._tag === "Checking" || tripped.has(item)) return
    const checking: Watch<R>["state"] = { _tag: "Checking", fiber: undefined }
    watch.state = checking
    watch.isDue = false
    watch.checked = item.text.length
    const { itemId, subject, text } = item
    const { agent } = env.offerOf(subject._tag === "Model" ? subject.responseId : undefined)
    const done = (hasTripped: boolean): boolean => {
      watch.state = idle
      const isFirst = hasTripped && isFirstTrip(item)
      if (watch.isDue && watch.checked < item.text.length) check(item, watch)
      return isFirst
    }
    env.run(
      judge(watch.guardrail, text, { agent: agent.name, tool: undefined }, itemId).pipe(
        Effect.map((judged) => env.report({ judged, subject, done })),
        Effect.forkDaemon,
        Effect.tap((fiber) =>
          Effect.sync(() => {
            checking.fiber = fiber
          })
        )
      )
    )
  }

  const finish = (item: Item<R> | undefined, text: string): void => {
    if (item === undefined) return
    const isOther = text !== item.text
    item.text = text
    for (const watch of item.watches) {
      // What was read is not what it came to be, also where that is as long.
      if (isOther) watch.checked = Math.min(watch.checked, text.length - 1)
      if (watch.checked < text.length) check(item, watch)
    }
  }

  const heard = (itemId: string, text: string): void => {
    finish(saidByUser(itemId), text)
  }

  const notHeard = (itemId: string): void => {
    const item = saidByUser(itemId)
    if (item === undefined || item.text !== "") return
    const { agent } = env.offerOf(undefined)
    for (const { guardrail } of item.watches) {
      const verdict = guardrail.onFailure === "open" ? pass : trip(notRead)
      env.publish({ guardrail, agent: agent.name, itemId, verdict, failure: "NoTranscript" })
      if (verdict._tag === "Trip" && isFirstTrip(item)) {
        const by = { guardrail: guardrail.name, feedback: verdict.feedback }
        env.tripped(item.subject, by, isLatestTurn(item.subject))
      }
    }
  }

  return {
    said: (responseId, at, delta) => {
      const item = saidIn(responseId, at)
      if (item === undefined) return
      item.text += delta
      for (const watch of item.watches) {
        if (item.text.length - watch.checked >= watch.guardrail.debounce) check(item, watch)
      }
    },
    saidAll: (responseId, at, text) => finish(saidIn(responseId, at), text),
    responseEnded: (responseId) => {
      for (const item of items.values()) {
        if (item.subject._tag === "Model" && item.subject.responseId === responseId) finish(item, item.text)
      }
    },
    turnBegan: (itemId) => {
      if (turns.has(itemId)) return
      turn += 1
      turns.set(itemId, turn)
      forgetOldest(turns, maxItems)
    },
    heard,
    wrote: (itemId, content) => {
      const texts = content.flatMap((part) =>
        part.type === "input_image" ? [] : [part.type === "input_text" ? part.text : part.transcript]
      )
      const words = texts.filter((text) => text !== undefined)
      if (words.length < texts.length) notHeard(itemId)
      if (words.length > 0) heard(itemId, words.join(" "))
    },
    notHeard,
    reported: ({ done, judged, subject }) => {
      const { verdict } = judged
      const isFirst = done(verdict._tag === "Trip")
      env.publish(judged)
      if (verdict._tag !== "Trip" || !isFirst) return
      const by = { guardrail: judged.guardrail.name, feedback: verdict.feedback }
      env.tripped(subject, by, isLatestTurn(subject))
    },
    close: () =>
      Fiber.interruptAll(
        Array.from(items.values()).flatMap(({ watches }) =>
          watches.flatMap(({ state }) => (state._tag === "Checking" ? (state.fiber ?? []) : []))
        )
      )
  }
}
