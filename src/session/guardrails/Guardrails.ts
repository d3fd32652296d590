import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Guardrail } from "../../Guardrail.js"
import { forgetOldest } from "../../machine/forgetOldest.js"
import type { Offer } from "../team/Offer.js"
import { type Judged, judge } from "./judge.js"

/** A verdict on what was said; it comes back through the session's mailbox. */
export interface Report {
  readonly judged: Judged
  /** The response that said it; absent for the user's words. */
  readonly responseId: string | undefined
  /** Whether the verdict is the first trip of what was said; the check is over. */
  readonly done: (hasTripped: boolean) => boolean
}

/** A part of an item: each is read by itself. */
export interface Place {
  readonly itemId: string
  readonly contentIndex: number
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
  readonly reported: (report: Report) => void
  readonly close: () => Effect.Effect<void>
}

export interface Environment<E, R> {
  /** Whose words these are: the agent that had the conversation when the response began. */
  readonly offerOf: (responseId: string | undefined) => Offer<E, R>
  readonly run: (effect: Effect.Effect<unknown, never, R>) => void
  readonly report: (report: Report) => void
  readonly publish: (judged: Judged) => void
  /** A response, or the words of the user that it is about to answer, must not stand. */
  readonly tripped: (responseId: string | undefined, feedback: string) => void
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
  readonly responseId: string | undefined
  readonly itemId: string
  text: string
  readonly watches: ReadonlyArray<Watch<R>>
}

const idle = { _tag: "Idle" } as const

/** Items whose words are kept for checks that still run. */
const maxItems = 32

export const make = <E, R>(env: Environment<E, R>): Guardrails => {
  const items = new Map<string, Item<R>>()
  const tripped = new WeakSet<Item<R>>()
  /** The user's items in their order: a transcript may come when the talk has gone on. */
  const turns = new Map<string, number>()
  let turn = 0

  const itemOf = (
    subject: Guardrail["subject"],
    responseId: string | undefined,
    { contentIndex, itemId }: Place
  ): Item<R> | undefined => {
    const key = `${itemId}/${contentIndex}`
    const known = items.get(key)
    if (known !== undefined) return known
    const guardrails = env.offerOf(responseId).agent.guardrails.filter((guardrail) => guardrail.subject === subject)
    if (guardrails.length === 0) return undefined
    const watches = guardrails.map((guardrail) => ({ guardrail, checked: 0, state: idle, isDue: false }))
    const item: Item<R> = { responseId, itemId, text: "", watches }
    items.set(key, item)
    for (const [oldest, { watches }] of items) {
      if (items.size <= maxItems) break
      if (watches.every(({ state }) => state._tag === "Idle")) items.delete(oldest)
    }
    return item
  }

  /** Starts a check, unless one runs: then the newest text is read when that is over. */
  const check = (item: Item<R>, watch: Watch<R>): void => {
    watch.isDue = true
    if (watch.state._tag === "Checking" || tripped.has(item)) return
    const checking: Watch<R>["state"] = { _tag: "Checking", fiber: undefined }
    watch.state = checking
    watch.isDue = false
    watch.checked = item.text.length
    const { itemId, responseId, text } = item
    const { agent } = env.offerOf(responseId)
    const done = (hasTripped: boolean): boolean => {
      watch.state = idle
      // One trip is enough; what else the checks find is published all the same.
      const isFirst = hasTripped && !tripped.has(item)
      if (hasTripped) tripped.add(item)
      if (watch.isDue && watch.checked < item.text.length) check(item, watch)
      return isFirst
    }
    env.run(
      judge(watch.guardrail, text, { agent: agent.name, tool: undefined }, itemId).pipe(
        Effect.map((judged) => env.report({ judged, responseId, done })),
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

  return {
    said: (responseId, at, delta) => {
      const item = itemOf("Output", responseId, at)
      if (item === undefined) return
      item.text += delta
      for (const watch of item.watches) {
        if (item.text.length - watch.checked >= watch.guardrail.debounce) check(item, watch)
      }
    },
    saidAll: (responseId, at, text) => finish(itemOf("Output", responseId, at), text),
    responseEnded: (responseId) => {
      for (const item of items.values()) if (item.responseId === responseId) finish(item, item.text)
    },
    turnBegan: (itemId) => {
      if (turns.has(itemId)) return
      turn += 1
      turns.set(itemId, turn)
      forgetOldest(turns, maxItems)
    },
    heard: (itemId, text) => finish(itemOf("Input", undefined, { itemId, contentIndex: 0 }), text),
    reported: ({ done, judged, responseId }) => {
      const { verdict } = judged
      const isFirst = done(verdict._tag === "Trip")
      env.publish(judged)
      // What answers a later turn is not to be stopped for what was said before.
      const isPast = (turns.get(judged.itemId ?? "") ?? turn) < turn
      if (verdict._tag === "Trip" && isFirst && !isPast) env.tripped(responseId, verdict.feedback)
    },
    close: () =>
      Fiber.interruptAll(
        Array.from(items.values()).flatMap(({ watches }) =>
          watches.flatMap(({ state }) => (state._tag === "Checking" ? (state.fiber ?? []) : []))
        )
      )
  }
}
