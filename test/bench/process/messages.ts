/** What the model of a bench does when it is asked for a response. */
export type Answer =
  /** It speaks, in so many deltas of so many bytes; all at once, or one every so many milliseconds. */
  | { readonly _tag: "Audio"; readonly deltas: number; readonly bytes: number; readonly everyMs?: number }
  /** It writes, in so many deltas. */
  | { readonly _tag: "Text"; readonly deltas: number }
  /** It calls the tool so many times, and with `thenText` speaks before it does so again. */
  | { readonly _tag: "Calls"; readonly calls: number; readonly thenText: boolean }
  /** It says nothing, but so many items come into the conversation from elsewhere. */
  | { readonly _tag: "Items"; readonly items: number }

/** What a process is told. */
export type Order =
  | { readonly _tag: "Answer"; readonly answer: Answer }
  /** To take this step of its task, with so much work in it. */
  | { readonly _tag: "Step"; readonly step: string; readonly amount: number }

/** What a step came to. */
export interface Taken {
  /** Of all threads of the process. */
  readonly cpuMs: number
  readonly wallMs: number
  /** How long each part of it took, where the task tells them apart. Milliseconds. */
  readonly samples: ReadonlyArray<number>
  /** What else the task measured. */
  readonly values: Readonly<Record<string, number>>
}

/** What a process says. */
export type Report =
  | { readonly _tag: "Listening"; readonly url: string }
  | { readonly _tag: "Ready" }
  | ({ readonly _tag: "Taken" } & Taken)
