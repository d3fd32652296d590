/** What a bench wants to hear of a conversation. What it does not ask for, no contender listens to. */
export interface Wishes {
  /** Each piece of what the model says. */
  readonly onAudio?: (bytes: Uint8Array) => void
  /** Each item of the conversation that is complete. */
  readonly onItem?: () => void
  /** The end of each response. */
  readonly onResponseDone?: () => void
  /** What the model's tool does. */
  readonly onCall?: () => string | Promise<string>
  /** How many tools there are; the model calls the first. Default: one if there is `onCall`, else none. */
  readonly tools?: number
}

/** A conversation that is open, as each contender offers it to its users. */
export interface Client {
  /** Says something as the user, and asks for a response. */
  readonly say: (text: string) => void
  readonly askForResponse: () => void
  readonly sendAudio: (bytes: Uint8Array<ArrayBuffer>) => void
  /** Ends the user's turn. */
  readonly commitAudio: () => void
  readonly close: () => Promise<void>
}

export type Connect = (url: string, wishes: Wishes) => Promise<Client>

export const instructions = "Call lookup, again and again."
/** As long as a real one: what looks for it in frames takes its time. */
export const apiKey = `sk-proj-${"0123456789abcdef".repeat(9)}`

/** The tools of an agent with this many: their names and descriptions. */
export const toolsOf = (wishes: Wishes): ReadonlyArray<{ readonly name: string; readonly description: string }> =>
  Array.from({ length: wishes.tools ?? (wishes.onCall === undefined ? 0 : 1) }, (_, index) => ({
    name: index === 0 ? "lookup" : `lookup_${index}`,
    description: "Looks a step up"
  }))
