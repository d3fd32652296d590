/**
 * Conversations in text files. A line is what the guest says; the lines below it that begin with `>` say what the model
 * does wrong, and what the guest says to a call that needs approval.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A call that the model is made to make, instead of what it would do by itself. */
export interface WrongCall {
  readonly name: string
  /** Sent as they are: they need not be JSON. */
  readonly arguments: string
}

/** The outcome of a call that needs approval. */
export type Decision = { readonly _tag: "Approve" } | { readonly _tag: "Reject"; readonly reason: string | undefined }

export interface Turn {
  /** Absent if the model goes on by itself. */
  readonly says: string | undefined
  /** Audio that is sent instead of a text: PCM16, mono, 24,000 samples per second. */
  readonly sound?: Uint8Array
  readonly calls: ReadonlyArray<WrongCall>
  /** For the calls of this turn that need approval, in their order. */
  readonly decisions: ReadonlyArray<Decision>
}

/** The file has no conversation to play. */
export class ConversationUnreadable extends Schema.TaggedError<ConversationUnreadable>()("ConversationUnreadable", {
  file: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.file}: ${this.problem}`
  }
}

export const read = (file: string): Effect.Effect<ReadonlyArray<Turn>, ConversationUnreadable, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const text = yield* Effect.mapError(
      files.readFileString(file),
      (error) =>
        new ConversationUnreadable({
          file,
          problem:
            error._tag === "SystemError" && error.reason === "NotFound"
              ? "there is no such file. Give a text file with one sentence a line."
              : "it can not be read. Give a text file with one sentence a line."
        })
    )
    return yield* parse(file, text)
  })

export const parse = (file: string, text: string): Effect.Effect<ReadonlyArray<Turn>, ConversationUnreadable> =>
  Effect.gen(function* () {
    const turns: Array<Turn> = []
    for (const [index, raw] of text.split(/\r?\n/).entries()) {
      const line = raw.trim()
      if (line === "" || line.startsWith("#")) continue
      if (!line.startsWith(">")) {
        turns.push({ says: line, calls: [], decisions: [] })
        continue
      }
      const added = directive(line.slice(1).trim(), turns.pop())
      if (added === undefined) {
        return yield* new ConversationUnreadable({
          file,
          problem: `line ${index + 1} should be \`> call TOOL ARGUMENTS\`, \`> approve\` or \`> reject REASON\`.`
        })
      }
      turns.push(added)
    }
    if (turns.length === 0) {
      return yield* new ConversationUnreadable({
        file,
        problem: "nobody says anything in it. Write one sentence a line."
      })
    }
    return turns
  })

const directive = (text: string, turn: Turn = { says: undefined, calls: [], decisions: [] }): Turn | undefined => {
  const call = /^call\s+(\S+)\s*(.*)$/.exec(text)
  if (call !== null) {
    return { ...turn, calls: [...turn.calls, { name: call[1] ?? "", arguments: call[2] || "{}" }] }
  }
  if (text === "approve") return { ...turn, decisions: [...turn.decisions, { _tag: "Approve" }] }
  const reject = /^reject(?:\s+(.+))?$/.exec(text)
  return reject === null
    ? undefined
    : { ...turn, decisions: [...turn.decisions, { _tag: "Reject", reason: reject[1] }] }
}
