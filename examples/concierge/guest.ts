/** Who talks to the concierge: a file that is played, or a person who types. */
import { createInterface } from "node:readline"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import type { SessionEvent } from "effect-realtime"
import * as Conversation from "./conversation.js"
import * as Recording from "./recording.js"

export interface Guest {
  /** What the guest does next; nothing when the guest is gone. */
  readonly next: Effect.Effect<Option.Option<Conversation.Turn>>
  /** What the guest says to a call that needs approval. */
  readonly decide: (call: SessionEvent.CallInfo) => Effect.Effect<Conversation.Decision>
}

const nobodyApproved: Conversation.Decision = { _tag: "Reject", reason: "the guest did not approve it." }

/** Plays a file. A call that its conversation does not decide on is rejected. */
export const fromFile = (
  file: string
): Effect.Effect<Guest, Conversation.ConversationUnreadable, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const turns = yield* Conversation.read(file)
    const position = yield* Ref.make(0)
    const decisions = yield* Ref.make<ReadonlyArray<Conversation.Decision>>([])
    return {
      next: Effect.gen(function* () {
        const turn = Option.fromNullable(turns[yield* Ref.getAndUpdate(position, (now) => now + 1)])
        if (Option.isSome(turn)) yield* Ref.set(decisions, turn.value.decisions)
        return turn
      }),
      decide: () => Ref.modify(decisions, ([decision = nobodyApproved, ...rest]) => [decision, rest])
    }
  })

/** Plays a WAV file as the one thing that the guest says. Calls that need approval are rejected. */
export const fromRecording = (
  file: string
): Effect.Effect<Guest, Recording.RecordingUnreadable, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const turns = [{ says: undefined, sound: yield* Recording.read(file), calls: [], decisions: [] }]
    return {
      next: Effect.sync(() => Option.fromNullable(turns.pop())),
      decide: () => Effect.succeed(nobodyApproved)
    }
  })

/** Reads what a person types. Ctrl-C and Ctrl-D end it once the model has answered. */
export const fromTerminal: Effect.Effect<Guest, never, Scope.Scope> = Effect.gen(function* () {
  const lines = yield* Mailbox.make<string>()
  let open = true
  const terminal = yield* Effect.acquireRelease(
    Effect.sync(() => createInterface({ input: process.stdin, output: process.stdout, terminal: process.stdin.isTTY })),
    (opened) => Effect.sync(() => opened.close())
  )
  terminal.on("line", (line) => lines.unsafeOffer(line.trim()))
  terminal.on("SIGINT", () => terminal.close())
  terminal.on("close", () => {
    open = false
    Effect.runFork(lines.end)
  })

  const ask = (prompt: string): Effect.Effect<Option.Option<string>> =>
    Effect.zipRight(
      Effect.sync(() => {
        // A prompt after the end would keep the process waiting for input.
        if (!open || !process.stdin.isTTY) return
        terminal.setPrompt(prompt)
        terminal.prompt()
      }),
      Effect.option(lines.take)
    )

  const next: Guest["next"] = Effect.flatMap(ask("\nyou > "), (line) => {
    if (Option.isNone(line)) return Effect.succeedNone
    return line.value === "" ? next : Effect.succeedSome({ says: line.value, calls: [], decisions: [] })
  })
  const decide: Guest["decide"] = (call) =>
    Effect.flatMap(ask(`${call.tool} ${call.arguments}: approve? (y/n) `), (line) => {
      if (Option.isNone(line)) return Effect.succeed(nobodyApproved)
      if (/^y(es)?$/i.test(line.value)) return Effect.succeed<Conversation.Decision>({ _tag: "Approve" })
      return /^no?$/i.test(line.value) ? Effect.succeed(nobodyApproved) : decide(call)
    })
  return { next, decide }
})
