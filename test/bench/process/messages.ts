/** What the model of a bench does when it is asked for a response. */
export type Answer =
  /** It speaks, in this many deltas of this many bytes; all at once, or one per interval in milliseconds. */
  | { readonly _tag: "Audio"; readonly deltas: number; readonly bytes: number; readonly everyMs?: number }
  /** It writes, in this many deltas. */
  | { readonly _tag: "Text"; readonly deltas: number }
  /** It calls the tool this many times, and with `thenText` speaks before it does so again. */
  | { readonly _tag: "Calls"; readonly calls: number; readonly thenText: boolean }
  /** It says nothing, but this many items are added to the conversation from elsewhere. */
  | { readonly _tag: "Items"; readonly items: number }

/** What a process is told. */
export type Order =
  | { readonly _tag: "Answer"; readonly answer: Answer }
  /** A command to take this step of its task, with this much work. */
  | { readonly _tag: "Step"; readonly step: string; readonly amount: number }

/** What a step came to. */
export interface Taken {
  /** Of all threads of the process. */
  readonly cpuMs: number
  readonly wallMs: number
  /** How long each part of it took, where the task tells them apart. Milliseconds. */
  readonly samples: ReadonlyArray<number>
  /** Other measurements of the task. */
  readonly values: Readonly<Record<string, number>>
}

/** What a process says. */
export type Report =
  | { readonly _tag: "Listening"; readonly url: string }
  | { readonly _tag: "Ready" }
  | ({ readonly _tag: "Taken" } & Taken)
