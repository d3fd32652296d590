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
  /** `repeatsId`: under the id of the call before. `args`: JSON text, or what should be some. */
  | { readonly _tag: "Calls"; readonly name: string; readonly args: string; readonly repeatsId: boolean }
  /** A hosted tool, which the server runs: within the response, after it, or when the application has approved. */
  | {
      readonly _tag: "CallsHosted"
      readonly runs: "within" | "after" | "when approved"
      readonly succeeds: boolean
      /** Whether its item is done before the call is said to be, or behind that. */
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
 * What a storage of journals does while it is away: it refuses to write, writes a half and says that it failed, or says
 * nothing until it is back. Or another process has the session from then on.
 *
 * @since 0.1.0
 * @category programs
 */
export type Outage = "refuses" | "fails halfway" | "is slow" | "is taken"

/**
 * What happens to a session, by its application, its user, its model, or the network.
 *
 * @since 0.1.0
 * @category programs
 */
export type Action =
  | { readonly _tag: "UserWrites"; readonly text: string }
  /** Puts an item in front of all others, and asks for nothing. */
  | { readonly _tag: "PutsFirst"; readonly text: string }
  /** Asks the server for what it has of an item: the first or the last that the session knows. */
  | { readonly _tag: "Retrieves"; readonly which: "first" | "last" }
  /** As voice activity detection hears it. */
  | { readonly _tag: "UserSpeaks"; readonly transcript: string; readonly forMs: number }
  | { readonly _tag: "SendsAudio"; readonly chunks: number; readonly bytes: number; readonly commits: boolean }
  /** Into the microphone, loud enough for the server's voice detection, and then nothing. */
  | { readonly _tag: "SpeaksAloud"; readonly forMs: number }
  | { readonly _tag: "ClearsAudio" }
  | { readonly _tag: "Interrupts" }
  | { readonly _tag: "Waits"; readonly ms: number }
  /** Somebody sets the time of day, forward or back, while no time passes. */
  | { readonly _tag: "ClockIsSet"; readonly byMs: number }
  | { readonly _tag: "Decides"; readonly approves: boolean; readonly always: boolean }
  | { readonly _tag: "AsksForResponse"; readonly params: ResponseParams | undefined }
  | { readonly _tag: "UpdatesAgent"; readonly name: string }
  | { readonly _tag: "UpdatesConfig"; readonly maxOutputTokens: number }
  /** Late: after 8 seconds. In bursts: five events at a time, then none for 3 seconds. */
  | {
      readonly _tag: "Subscribes"
      readonly onLag: "skip" | "snapshot" | "fail"
      readonly capacity: number
      readonly reads: "at once" | "late" | "in bursts" | "never"
    }
  | { readonly _tag: "Closes" }
  /**
   * The next request for a response loses the race against one of the server's own: one that has seen the items before
   * the request, or with `before-item`, one that has not.
   */
  | { readonly _tag: "ServerWinsRace"; readonly order: "created-first" | "error-first" | "before-item" }
  /** The next events of this type are refused: for good with `made_up`, for a reason that passes with the others. */
  | {
      readonly _tag: "ServerRefuses"
      readonly type: "response.create" | "session.update" | "function_call_output" | "conversation.item.create"
      readonly code: "made_up" | "server_error" | "rate_limit_exceeded"
      readonly echo: boolean
      /** How often, one after the other. */
      readonly times: number
    }
  | { readonly _tag: "ServerSends"; readonly frame: string }
  /** By itself: of what was said aloud last, it keeps this share of the audio. */
  | { readonly _tag: "ServerTruncates"; readonly share: number }
  | { readonly _tag: "ServerIsSlow"; readonly ms: number }
  | { readonly _tag: "ServerRepeats"; readonly type: string }
  /** The next event of this type is not answered, or the user's next turn is not. */
  | { readonly _tag: "ServerIgnores"; readonly type: "response.create" | "session.update" | "turn" }
  /** The next event of this type is never sent. */
  | { readonly _tag: "ServerWithholds"; readonly type: "response.created" }
  | { readonly _tag: "ConnectionDrops" }
  | { readonly _tag: "ConnectionCloses"; readonly code: number }
  | { readonly _tag: "SessionExpires" }
  /** The next handshakes are refused. */
  | { readonly _tag: "HandshakesFail"; readonly count: number; readonly status: number }
  | { readonly _tag: "JournalIsAway"; readonly how: Outage; readonly forMs: number }

/**
 * What happens, and how far its consequences come before the next step: all the way, or a number of turns of the
 * scheduler.
 *
 * @since 0.1.0
 * @category programs
 */
export interface Step {
  readonly action: Action
  readonly thenRuns: "all" | number
}

/**
 * Where a session begins: with nothing, with a conversation that the application puts in its place, or where another
 * process died. That one had left its calls without an output as `leftCalls` says.
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
    }

/**
 * A whole program: what the model replies, in the order of its responses, and what happens meanwhile. A response for which
 * there is no reply left says one sentence.
 *
 * @since 0.1.0
 * @category programs
 */
export interface Program {
  readonly beginning: Beginning
  readonly modality: "text" | "audio"
  /** How `session.audio` is read: with a pause of 2 seconds behind every third chunk, and a small buffer, or at once. */
  readonly listens: "at once" | "in bursts"
  /** That of the settings. */
  readonly toolChoice: "auto" | "required"
  readonly rolloverAfterMs: number
  /** Whether there is one, and what the session is without it. One that is resumed has one in any case. */
  readonly journal: "none" | "preferred" | "required"
  /** Whether what the user says is transcribed: late, after 4 seconds. */
  readonly transcribes: "never" | "at once" | "late"
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
      return `The user writes ${JSON.stringify(action.text)}.`
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
      return `The application ${action.approves ? "approves" : "rejects"} what is pending${action.always ? ", for ever" : ""}.`
    case "AsksForResponse":
      return action.params === undefined
        ? "The application asks for a response."
        : `The application asks for a response with ${JSON.stringify(action.params)}.`
    case "UpdatesAgent":
      return `The application gives the conversation to ${action.name}.`
    case "UpdatesConfig":
      return `The application sets max_output_tokens to ${action.maxOutputTokens}.`
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
      return `The server keeps ${Math.round(action.share * 100)} % of what was said aloud last.`
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

const describeBeginning = (beginning: Beginning): ReadonlyArray<string> => {
  switch (beginning._tag) {
    case "Afresh":
      return []
    case "Edited":
      return beginning.items.length === 0
        ? ["The application empties the conversation before anything is said."]
        : ["The application begins it with this conversation:", ...beginning.items.map(describeItem)]
    case "Resumed":
      return beginning.items.length === 0
        ? ["It is taken up where a process died before anything was said."]
        : [
            `It is taken up where a process died, whose calls without an output were ${beginning.leftCalls}:`,
            ...beginning.items.map(describeItem)
          ]
  }
}

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
  ...describeBeginning(beginning),
  ...describeReplies(replies),
  "What happens:",
  ...steps.map(
    ({ action, thenRuns }, index) =>
      `  ${index + 1}. ${describeAction(action)}${thenRuns === "all" ? "" : ` (the next step comes after ${thenRuns} turns)`}`
  ),
  "  Then approvals are given until nothing more is to come, and the session is closed."
]
