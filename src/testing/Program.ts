import type { ItemParam } from "../protocol/ItemParam.js"
import type { ResponseParams } from "../protocol/Response.js"

/**
 * One thing that the model does in a response.
 *
 * @since 0.1.0
 * @category programs
 */
export type ReplyPart =
  | { readonly _tag: "Says"; readonly text: string }
  /** `repeatsId`: uses the id of the call before. `args`: JSON text, which may be invalid. */
  | { readonly _tag: "Calls"; readonly name: string; readonly args: string; readonly repeatsId: boolean }
  /** A hosted tool, which the server runs: within the response, after it, or after the application's approval. */
  | {
      readonly _tag: "CallsHosted"
      readonly runs: "within" | "after" | "when approved"
      readonly succeeds: boolean
      /** Whether its item is done before or after the event that the call is over. */
      readonly item: "before" | "behind"
      readonly ms: number
    }
  | { readonly _tag: "Pauses"; readonly ms: number }
  | { readonly _tag: "Fails"; readonly code: string }
  | { readonly _tag: "IsCutShort" }
  | { readonly _tag: "Stalls" }

/**
 * One response of the model.
 *
 * @since 0.1.0
 * @category programs
 */
export type Reply = ReadonlyArray<ReplyPart>

/**
 * What the journal's storage does during an outage: it refuses to write, writes half and fails, or does not answer
 * until it is back. Or another process has the session from then on.
 *
 * @since 0.1.0
 * @category programs
 */
export type Outage = "refuses" | "fails halfway" | "is slow" | "is taken"

/**
 * One thing that happens to a session, caused by its application, its user, its model, or the network.
 *
 * @since 0.1.0
 * @category programs
 */
export type Action =
  /** `again`: the application sends the same words a second time, with the same id. */
  | { readonly _tag: "UserWrites"; readonly text: string; readonly again?: true }
  /** Adds an item before all others, and asks for no response. */
  | { readonly _tag: "PutsFirst"; readonly text: string }
  /** Asks the server for an item: the first or the last one that the session knows. */
  | { readonly _tag: "Retrieves"; readonly which: "first" | "last" }
  /** As voice activity detection reports it. */
  | { readonly _tag: "UserSpeaks"; readonly transcript: string; readonly forMs: number }
  | { readonly _tag: "SendsAudio"; readonly chunks: number; readonly bytes: number; readonly commits: boolean }
  /** Into the microphone, loud enough for the server's voice detection, followed by silence. */
  | { readonly _tag: "SpeaksAloud"; readonly forMs: number }
  | { readonly _tag: "ClearsAudio" }
  | { readonly _tag: "Interrupts" }
  | { readonly _tag: "Waits"; readonly ms: number }
  /** Somebody sets the time of day forward or back. No time passes. */
  | { readonly _tag: "ClockIsSet"; readonly byMs: number }
  | { readonly _tag: "Decides"; readonly approves: boolean; readonly always: boolean }
  | { readonly _tag: "AsksForResponse"; readonly params: ResponseParams | undefined }
  | { readonly _tag: "UpdatesAgent"; readonly name: string }
  | { readonly _tag: "UpdatesConfig"; readonly maxOutputTokens: number }
  /** The application says that something changed: which tools and handoffs the agent offers. */
  | { readonly _tag: "UpdatesTools" }
  /** Late: after 8 seconds. In bursts: five events at a time, then a pause of 3 seconds. */
  | {
      readonly _tag: "Subscribes"
      readonly onLag: "skip" | "snapshot" | "fail"
      readonly capacity: number
      readonly reads: "at once" | "late" | "in bursts" | "never"
    }
  | { readonly _tag: "Closes" }
  /**
   * The next request for a response loses a race against a response of the server's own: one that has seen the items
   * before the request, or with `before-item`, one that has not.
   */
  | { readonly _tag: "ServerWinsRace"; readonly order: "created-first" | "error-first" | "before-item" }
  /** The next events of this type are refused: with `made_up` for good, with the other codes for a temporary reason. */
  | {
      readonly _tag: "ServerRefuses"
      readonly type: "response.create" | "session.update" | "function_call_output" | "conversation.item.create"
      readonly code: "made_up" | "server_error" | "rate_limit_exceeded"
      readonly echo: boolean
      /** How many in a row. */
      readonly times: number
    }
  | { readonly _tag: "ServerSends"; readonly frame: string }
  /** The server truncates by itself: it keeps this fraction of the latest audio. */
  | { readonly _tag: "ServerTruncates"; readonly share: number }
  | { readonly _tag: "ServerIsSlow"; readonly ms: number }
  | { readonly _tag: "ServerRepeats"; readonly type: string }
  /** The next event of this type, or the user's next turn, is not answered. */
  | { readonly _tag: "ServerIgnores"; readonly type: "response.create" | "session.update" | "turn" }
  /** The next event of this type is not sent. */
  | { readonly _tag: "ServerWithholds"; readonly type: "response.created" }
  | { readonly _tag: "ConnectionDrops" }
  | { readonly _tag: "ConnectionCloses"; readonly code: number }
  | { readonly _tag: "SessionExpires" }
  /** The next handshakes are refused. */
  | { readonly _tag: "HandshakesFail"; readonly count: number; readonly status: number }
  | { readonly _tag: "JournalIsAway"; readonly how: Outage; readonly forMs: number }

/**
 * An action, and how far its consequences go before the next step: all the way, or for a number of the scheduler's
 * turns.
 *
 * @since 0.1.0
 * @category programs
 */
export interface Step {
  readonly action: Action
  readonly thenRuns: "all" | number
}

/**
 * How a session begins: with nothing, with a conversation that the application creates, or as a resume after another
 * process died. `leftCalls`: the state of the calls without an output that the process left. `hosted`: a call of a
 * hosted tool that it left to a server that keeps the conversation: nobody has approved it, or nobody has asked the model
 * to go on after it.
 *
 * @since 0.1.0
 * @category programs
 */
export type Beginning =
  | { readonly _tag: "Afresh" }
  | { readonly _tag: "Edited"; readonly items: ReadonlyArray<ItemParam> }
  | {
      readonly _tag: "Resumed"
      readonly items: ReadonlyArray<ItemParam>
      readonly leftCalls: "Arrived" | "Started" | "Settled"
      readonly hosted?: "asked" | "ended" | undefined
    }

/**
 * A whole program: the model's replies, in order, and what happens in the meantime. When there are no more replies, the
 * model says one sentence.
 *
 * @since 0.1.0
 * @category programs
 */
export interface Program {
  readonly beginning: Beginning
  readonly modality: "text" | "audio"
  /** How `session.audio` is read: at once, or with a small buffer and a pause of 2 seconds after every third chunk. */
  readonly listens: "at once" | "in bursts"
  /** The `tool_choice` of the settings. */
  readonly toolChoice: "auto" | "required"
  readonly rolloverAfterMs: number
  /** Whether the session has a journal, and its `journal` option. A resumed session always has one. */
  readonly journal: "none" | "preferred" | "required"
  /** Whether the user's speech is transcribed; late: after 4 seconds. */
  readonly transcribes: "never" | "at once" | "late"
  /** How the server reads the tools of hosted servers. */
  readonly imports: {
    readonly outcome: "completed" | "failed" | "never"
    readonly item: "before" | "behind" | "never"
    readonly ms: number
  }
  readonly replies: ReadonlyArray<Reply>
  readonly steps: ReadonlyArray<Step>
}

const seconds = (ms: number): string => (ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`)

const describePart = (part: ReplyPart): string => {
  switch (part._tag) {
    case "Says":
      return `says ${JSON.stringify(part.text)}`
    case "Calls":
      return `calls ${part.name}(${part.args})${part.repeatsId ? " under the id of the call before" : ""}`
    case "CallsHosted":
      return `calls a hosted tool, which runs ${part.runs}, for ${seconds(part.ms)}, and ${part.succeeds ? "succeeds" : "fails"} (its item comes ${part.item} that)`
    case "Pauses":
      return `pauses for ${seconds(part.ms)}`
    case "Fails":
      return `fails with ${part.code}`
    case "IsCutShort":
      return "is cut short"
    case "Stalls":
      return "says nothing more, and does not end"
  }
}

/** A step in words. */
export const describeAction = (action: Action): string => {
  switch (action._tag) {
    case "UserWrites":
      return `The user writes ${JSON.stringify(action.text)}${action.again ? ", which is sent twice" : ""}.`
    case "PutsFirst":
      return `The application puts ${JSON.stringify(action.text)} in front of the conversation.`
    case "Retrieves":
      return `The application asks what the server has of the ${action.which} item.`
    case "UserSpeaks":
      return `The user says ${JSON.stringify(action.transcript)} for ${seconds(action.forMs)}.`
    case "SendsAudio":
      return `The user's microphone sends ${action.chunks} × ${action.bytes} bytes${action.commits ? ", which are committed" : ""}.`
    case "SpeaksAloud":
      return `The user speaks into the microphone for ${seconds(action.forMs)}.`
    case "ClearsAudio":
      return "The audio that was sent is cleared."
    case "Interrupts":
      return "The application interrupts."
    case "Waits":
      return `${seconds(action.ms)} pass.`
    case "ClockIsSet":
      return `The clock is set ${action.byMs < 0 ? "back" : "forward"} by ${seconds(Math.abs(action.byMs))}.`
    case "Decides":
      return `The application ${action.approves ? "approves" : "rejects"} what is pending${action.always ? ", always" : ""}.`
    case "AsksForResponse":
      return action.params === undefined
        ? "The application asks for a response."
        : `The application asks for a response with ${JSON.stringify(action.params)}.`
    case "UpdatesAgent":
      return `The application hands the conversation to ${action.name}.`
    case "UpdatesConfig":
      return `The application sets max_output_tokens to ${action.maxOutputTokens}.`
    case "UpdatesTools":
      return "The application asks again which tools the agent offers."
    case "Subscribes":
      return `Somebody subscribes with ${JSON.stringify({ onLag: action.onLag, capacity: action.capacity })}, and reads ${action.reads}.`
    case "Closes":
      return "The application closes the session."
    case "ServerWinsRace":
      return `The next request for a response loses against one of the server's own (${action.order}).`
    case "ServerRefuses":
      return `The server refuses the next ${action.times === 1 ? "" : `${action.times} `}${action.type} with ${action.code}${action.echo ? "" : ", and does not say which event it means"}.`
    case "ServerSends":
      return `The server sends ${action.frame}`
    case "ServerTruncates":
      return `The server keeps ${Math.round(action.share * 100)} % of the latest audio.`
    case "ServerIsSlow":
      return `The server holds its next event back for ${seconds(action.ms)}.`
    case "ServerRepeats":
      return `The server sends its next ${action.type} twice.`
    case "ServerIgnores":
      return `The server does not answer the next ${action.type}.`
    case "ServerWithholds":
      return `The server does not send its next ${action.type} in the conversation.`
    case "ConnectionDrops":
      return "The connection drops without a CLOSE frame."
    case "ConnectionCloses":
      return `The server closes the connection with code ${action.code}.`
    case "SessionExpires":
      return "The server's maximum duration is over."
    case "HandshakesFail":
      return `The next ${action.count} handshakes are refused with status ${action.status}.`
    case "JournalIsAway":
      return action.how === "is taken"
        ? "Another process has the session's journal from now on."
        : `The journal ${action.how}, for ${seconds(action.forMs)}.`
  }
}

const describeImports = ({ item, ms, outcome }: Program["imports"]): ReadonlyArray<string> =>
  outcome === "completed" && ms === 0 && item === "behind"
    ? []
    : [
        `The tools of hosted servers are ${outcome === "never" ? "never read" : `read in ${seconds(ms)}: ${outcome}`} (the item comes ${item}).`
      ]

const describeBeginning = (beginning: Beginning): ReadonlyArray<string> => {
  switch (beginning._tag) {
    case "Afresh":
      return []
    case "Edited":
      return beginning.items.length === 0
        ? ["The application empties the conversation before anything is said."]
        : ["The application begins it with this conversation:", ...beginning.items.map(describeItem)]
    case "Resumed": {
      const { hosted, items, leftCalls } = beginning
      const left = hosted === undefined ? [] : [`  and a call of a hosted tool, which ${states[hosted]}`]
      return items.length === 0 && left.length === 0
        ? ["It resumes after a process died before anything was said."]
        : [
            `It resumes after a process died, whose calls without an output were ${leftCalls}:`,
            ...items.map(describeItem),
            ...left
          ]
    }
  }
}

const states = { asked: "waits for approval", ended: "has ended" } as const

const describeItem = (item: ItemParam): string => `  ${JSON.stringify(item)}`

const describeReplies = (replies: ReadonlyArray<Reply>): ReadonlyArray<string> =>
  replies.length === 0
    ? ["Each of the model's responses is one sentence."]
    : [
        "The model's responses:",
        ...replies.map((parts, index) => `  ${index + 1}. It ${parts.map(describePart).join(", ") || "says nothing"}.`),
        `  ${replies.length + 1}. and all others: one sentence.`
      ]

/** A program in words, one line for each thing. */
export const describe = ({
  beginning,
  imports,
  journal,
  listens,
  modality,
  replies,
  rolloverAfterMs,
  steps,
  toolChoice,
  transcribes
}: Program): ReadonlyArray<string> => [
  `A session in ${modality}${journal === "none" ? "" : `, whose journal is ${journal}`}${toolChoice === "auto" ? "" : `, with tool_choice "${toolChoice}"`}${listens === "at once" ? "" : `, heard ${listens}`}, whose connections are replaced after ${seconds(rolloverAfterMs)}${transcribes === "never" ? "" : `, and whose user is transcribed ${transcribes}`}.`,
  ...describeImports(imports),
  ...describeBeginning(beginning),
  ...describeReplies(replies),
  "What happens:",
  ...steps.map(
    ({ action, thenRuns }, index) =>
      `  ${index + 1}. ${describeAction(action)}${thenRuns === "all" ? "" : ` (the next step comes after ${thenRuns} turns)`}`
  ),
  "  Then all approvals are given until nothing more happens, and the session is closed."
]
