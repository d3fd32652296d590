/**
 * A process with one session, written down as it goes; it says what it published, line by line, until it is killed:
 * `<url> <name> <directory> <session id, or empty> <talks | ends>`. One that ends takes one more turn, and closes.
 */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs"
import { join } from "node:path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Agent from "../../src/Agent.js"
import * as Conversation from "../../src/Conversation.js"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import * as Session from "../../src/Session.js"
import * as SessionJournal from "../../src/SessionJournal.js"
import * as Tool from "../../src/Tool.js"
import * as Caller from "./Caller.js"
import type { Report } from "./Chain.js"
import { done } from "./mind.js"

const [url = "", name = "", directory = "", sessionId = "", end = "talks"] = process.argv.slice(2)

/** Written to the pipe synchronously: a process that is killed could not write it later. */
const tell = (report: Report): void => void writeSync(1, `${JSON.stringify(report)}\n`)

/** What a handler does to the world, durably. */
const act = (tool: string, key: string): void => {
  const file = openSync(join(directory, "effects"), "a")
  writeSync(file, `${tool} ${key}\n`)
  fsyncSync(file)
  closeSync(file)
}

const tool = (tool: string, policy: { readonly approval?: boolean; readonly idempotent?: boolean }, ms: number) =>
  Tool.make(tool, {
    description: `The tool ${tool}.`,
    parameters: { turn: Schema.Int },
    ...policy,
    handler: ({ turn }, { idempotencyKey }) =>
      Effect.sync(() => act(tool, idempotencyKey)).pipe(
        Effect.delay(ms),
        Effect.as(`${tool} in turn ${turn}`),
        Effect.delay(ms)
      )
  })

const agent = Agent.make("Desk", {
  instructions: "Be brief.",
  tools: [tool("note", {}, 0), tool("pay", { approval: true }, 3), tool("renew", { idempotent: true }, 3)]
})

const turns: ReadonlyArray<ReadonlyArray<string>> = [["note"], ["pay"], [], ["renew", "note"], ["note", "pay", "renew"]]

// So little that processes die also while they make their journals shorter.
const options = { model: name, settings: { output_modalities: ["text"] }, journalCompactAfter: 2000 } as const

/** The number of the turn that the user took last, as the conversation has it. */
const lastTurn = ({ items }: Conversation.Conversation): number => {
  const said = items.flatMap((item) =>
    item._tag === "Message" && item.role === "user" ? (/^Turn (\d+):/.exec(Conversation.textOf(item))?.[1] ?? []) : []
  )
  return Number(said.at(-1) ?? 0)
}

const program = Effect.gen(function* () {
  const session = yield* sessionId === "" ? Session.make(agent, options) : Session.resume(agent, sessionId, options)
  const conversation = yield* session.conversation
  tell({ _tag: "Began", sessionId: session.id, items: conversation.items })
  yield* Effect.forkScoped(
    Stream.runForEach(session.events, (event) =>
      Effect.sync(() => {
        if (event._tag === "ItemCompleted") tell({ _tag: "ItemCompleted", item: event.item })
        if (event._tag === "ItemDeleted") tell({ _tag: "ItemDeleted", itemId: event.itemId })
        if (event._tag === "SessionResumed") tell({ _tag: "Omitted", itemIds: event.omitted })
        // One that only lags says so on a machine that is busy.
        if (event._tag === "JournalFailed" || event._tag === "InputFailed")
          tell({ _tag: "Failed", message: event.message })
      })
    )
  )
  yield* Effect.forkScoped(Caller.decide(session, () => "yes"))
  let n = lastTurn(conversation)
  // The answer that the user was waiting for when the process before died.
  if (n > 0) yield* Caller.heard(session, done(n))
  do {
    n += 1
    yield* Caller.take(session, n, turns[n % turns.length] ?? [])
  } while (end === "talks")
  // Confirmed after everything that was sent before.
  yield* session.updateConfig({ max_output_tokens: 4000 })
  tell({ _tag: "Done", turns: n })
})

await program.pipe(
  Effect.scoped,
  Effect.provide(OpenAiRealtime.layer({ apiKey: Redacted.make("key"), url })),
  Effect.provide(SessionJournal.layerFile({ directory, fsync: "never" }).pipe(Layer.provide(NodeContext.layer))),
  Effect.runPromise
)
