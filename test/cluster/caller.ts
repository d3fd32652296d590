/** Callers who talk without end: turn after turn with tools, approvals and hang-ups, through whichever node is there. */
import * as Effect from "effect/Effect"
import { command, type Outcome, type Said, until } from "./calls.js"
import type { Machines, Node } from "./machines.js"
import { type Wanted, words } from "./mind.js"

export interface Talk {
  /** The nodes that commands may be sent through, at this moment. */
  readonly nodes: () => ReadonlyArray<Node>
  /** Whether the caller takes another turn. */
  readonly goesOn: (turn: number) => boolean
  /** The functions that the model is to call in a turn. */
  readonly wanted: (turn: number) => ReadonlyArray<Wanted>
  readonly pauseMs: number
  /** A number from 0 to 1 that is another one each time. */
  readonly random: () => number
  readonly onCommand: (outcome: Outcome) => void
  /** Gets a sentence for each turn to whose end the model does not come in time. */
  readonly onLate: (text: string) => void
}

/** The next number of a sequence that its seed decides, as of mulberry32. */
export const randomOf = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A command through some node. If that node is gone, through another one: words have an id, and are said once. */
export const through = (talk: Talk, call: string, said: Said): Effect.Effect<Outcome> => {
  const itemId = `itm_${Math.floor(talk.random() * 1e15).toString(36)}`
  let tries = 0
  const once = Effect.suspend(() => {
    tries += 1
    const nodes = talk.nodes()
    const node = nodes[Math.floor(talk.random() * nodes.length)]
    return node === undefined ? Effect.dieMessage("No node is left.") : command(node, call, said, { itemId })
  })
  return once.pipe(
    Effect.retry({ times: 20 }),
    Effect.orDie,
    // The node that was asked first had carried it out, and died before it could say so.
    Effect.map(({ error, ...outcome }) =>
      error === undefined || (tries > 1 && error._tag === "ApprovalNotPending") ? outcome : { ...outcome, error }
    ),
    Effect.tap((outcome) => Effect.sync(() => talk.onCommand(outcome)))
  )
}

/** Talks until the caller has had enough; gives the number of turns. Whatever waits for an approval is approved. */
export const talk = (machines: Machines, options: Talk, call: string): Effect.Effect<number> =>
  Effect.gen(function* () {
    let turn = 1
    for (; options.goesOn(turn); turn += 1) {
      const wanted = options.wanted(turn)
      yield* through(options, call, { _tag: "SendText", text: words(call, turn, wanted) })
      if (wanted.some(({ tool }) => tool === "pay")) yield* approve(options, call)
      if (!(yield* isOver(machines, call, turn))) options.onLate(`${call}: turn ${turn} is not done after 2 minutes.`)
      yield* Effect.sleep(options.pauseMs * (0.5 + options.random()))
    }
    return turn - 1
  })

const approve = (options: Talk, call: string): Effect.Effect<void> =>
  until(
    `${call} waits for an approval`,
    60_000,
    Effect.map(through({ ...options, onCommand: () => undefined }, call, { _tag: "Status" }), pendingOf),
    (pending) => pending.length > 0,
    300
  ).pipe(
    Effect.orDie,
    Effect.flatMap((pending) =>
      Effect.forEach(pending, (toolCallId) => through(options, call, { _tag: "Approve", toolCallId }))
    ),
    Effect.asVoid
  )

const pendingOf = ({ value }: Outcome): ReadonlyArray<string> => {
  // The border with JSON: a node's own answer to `Status`.
  const status = value as { readonly pendingApprovals?: ReadonlyArray<{ readonly toolCallId: string }> } | undefined
  return (status?.pendingApprovals ?? []).map(({ toolCallId }) => toolCallId)
}

/** A turn that takes longer is late: something is lost, or the machine has far more to do than it can. */
const patienceMs = 120_000

const isOver = (machines: Machines, call: string, turn: number): Effect.Effect<boolean> =>
  until(`turn ${turn} of ${call} is done`, patienceMs, machines.isDone(call, turn), (isDone) => isDone, 250).pipe(
    Effect.as(true),
    Effect.orElseSucceed(() => false)
  )
