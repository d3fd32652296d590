/** A process that writes a journal until it is killed, and says how far it came: `<directory> <session id> <from>`. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SessionJournal from "../../src/SessionJournal.js"

const [directory = "", sessionId = "", from = "0"] = process.argv.slice(2)

const program = Effect.gen(function* () {
  const writer = yield* Effect.flatMap(SessionJournal.SessionJournal, (journal) => journal.open(sessionId))
  for (let at = Number(from); ; at += 3) {
    // Records of many lengths, so that the process dies at any place of a line.
    const reason = "…".repeat((at * 37) % 5000)
    yield* writer.append([at, at + 1, at + 2].map((at) => ({ _tag: "SessionEnded", at, reason })))
    process.stdout.write(`${at + 3}\n`)
  }
})

const journals = SessionJournal.layerFile({ directory, fsync: "never" }).pipe(Layer.provide(NodeContext.layer))
Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(journals)))
