import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Agent from "../../../../src/Agent.js"
import * as OpenAiRealtime from "../../../../src/OpenAiRealtime.js"
import * as Session from "../../../../src/Session.js"
import type { SessionEvent } from "../../../../src/SessionEvent.js"
import * as Tool from "../../../../src/Tool.js"
import { apiKey, type Client, instructions, toolsOf, type Wishes } from "./Client.js"

const lookup = (named: { readonly name: string; readonly description: string }, wishes: Wishes) =>
  Tool.make(named.name, {
    description: named.description,
    parameters: { step: Schema.Number, city: Schema.String },
    // Longer than the laps of the other contenders, which a call may have to wait for.
    timeout: "10 minutes",
    handler: () =>
      Effect.suspend(() => {
        const output = wishes.onCall?.() ?? ""
        return typeof output === "string" ? Effect.succeed(output) : Effect.promise(() => output)
      })
  })

const listen =
  ({ onItem, onResponseDone }: Wishes) =>
  (event: SessionEvent): Effect.Effect<void> =>
    Effect.sync(() => {
      if (event._tag === "ItemCompleted") onItem?.()
      else if (event._tag === "ResponseDone") onResponseDone?.()
    })

/** A session as an application has it: arguments checked, a deadline on each call, and a reader of its events. */
export const openSession = (
  url: string,
  wishes: Wishes,
  /** Listens to what the model says, and gives what the user's audio is sent with. */
  audioOf: (session: Session.Session, scope: Scope.Scope) => Effect.Effect<Client["sendAudio"]>
): Promise<Client> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const agent = Agent.make("bench", { instructions, tools: toolsOf(wishes).map((named) => lookup(named, wishes)) })
    const options = { maxCallsPerTurn: Number.POSITIVE_INFINITY, maxOutputLength: Number.POSITIVE_INFINITY }
    const session = yield* Session.make(agent, options).pipe(
      Effect.provide(OpenAiRealtime.layer({ url, apiKey: Redacted.make(apiKey) })),
      Scope.extend(scope)
    )
    yield* Effect.forkIn(Stream.runForEach(session.events, listen(wishes)), scope)
    const sendAudio = yield* audioOf(session, scope)
    const run = <A, E>(effect: Effect.Effect<A, E>): void => void Effect.runFork(effect)
    const client: Client = {
      say: (text) => run(session.sendText(text)),
      askForResponse: () => run(session.requestResponse()),
      sendAudio,
      commitAudio: () => run(session.commitAudio),
      close: () => Effect.runPromise(Scope.close(scope, Exit.void))
    }
    return client
  }).pipe(Effect.runPromise)
