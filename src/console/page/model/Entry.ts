/** What happened in a call, and when. Everything on the page is derived from these entries, live or in a replay. */
import type { SessionEvent } from "../../../SessionEvent.js"

/** The times are milliseconds from the beginning of the call. */
export type Entry =
  | { readonly _tag: "Event"; readonly atMs: number; readonly event: SessionEvent }
  /** A piece of the model's audio has arrived. It plays after the pieces that arrived before it. */
  | {
      readonly _tag: "Spoken"
      readonly atMs: number
      readonly itemId: string
      readonly durationMs: number
      /** The loudest sample of each `levelMs` milliseconds, from 0 to 1. */
      readonly levels: ReadonlyArray<number>
    }
  /** The loudest sample of the microphone in the last `levelMs` milliseconds, from 0 to 1. */
  | { readonly _tag: "Heard"; readonly atMs: number; readonly level: number }
  /** The user has sent a text. */
  | { readonly _tag: "Typed"; readonly atMs: number }
  /** The user has let the button go, which ends the turn, after holding it for this long. */
  | { readonly _tag: "Released"; readonly atMs: number; readonly heldMs: number }
  /** Something went wrong on the page, or between it and the server. */
  | { readonly _tag: "Problem"; readonly atMs: number; readonly title: string; readonly message: string }

/** How long one level lasts, in milliseconds. */
export const levelMs = 50
