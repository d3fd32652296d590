/** The calls that a node has, and what it does with each. */
import type * as Deferred from "effect/Deferred"
import type * as Scope from "effect/Scope"
import type * as Session from "../Session.js"
import type { Answers } from "./Answers.js"
import type { CallEnded, CallUnreachable } from "./ClusterError.js"
import type { CallRow, Holding } from "./directory.js"
import type { Listening } from "./Listening.js"

/** A session that runs here. */
export interface Live<E> {
  readonly _tag: "Live"
  row: CallRow
  readonly session: Session.Session<E>
  readonly scope: Scope.CloseableScope
  readonly listening: Listening<E>
  readonly answers: Answers
}

/** Another node had it, and it is resumed here. */
export interface Taking<E> {
  readonly _tag: "Taking"
  readonly done: Deferred.Deferred<Live<E>, CallEnded | CallUnreachable>
}

export type Held<E> =
  | { readonly _tag: "Starting" }
  | Taking<E>
  | Live<E>
  /** It is closed here, and given to another node. */
  | { readonly _tag: "Leaving" }
  /** It has ended, and the directory does not know yet. */
  | { readonly _tag: "Over"; readonly row: Holding; readonly state: "ended" | "failed" }
