import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Agent from "../../../../src/Agent.js"
import * as OpenAiRealtime from "../../../../src/OpenAiRealtime.js"
import type { RealtimeModel } from "../../../../src/RealtimeModel.js"
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

/** Tells an event to whom it is for. */
export const tell = (event: SessionEvent, { onItem, onResponseDone }: Wishes): void => {
  if (event._tag === "ItemCompleted") onItem?.()
  else if (event._tag === "ResponseDone") onResponseDone?.()
}

/** A process has one of its kind, however many sessions it opens. */
let runtime: ManagedRuntime.ManagedRuntime<RealtimeModel, never> | undefined
const runtimeFor = (url: string): ManagedRuntime.ManagedRuntime<RealtimeModel, never> => {
  runtime ??= ManagedRuntime.make(Layer.orDie(OpenAiRealtime.layer({ url, apiKey: Redacted.make(apiKey) })))
  return runtime
}

type Listeners = Pick<Session.Options, "onAudio" | "onEvent">

/** A session as an application has it: arguments checked, a deadline on each call, and a listener for its events. */
export const openSession = (
  url: string,
  wishes: Wishes,
  listeners: Listeners,
  /** Reads what the listeners are not told, and gives what the user's audio is sent with. */
  read: (session: Session.Session, scope: Scope.Scope) => Effect.Effect<Client["sendAudio"]>
): Promise<Client> =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const agent = Agent.make("bench", { instructions, tools: toolsOf(wishes).map((named) => lookup(named, wishes)) })
    const unlimited = { maxCallsPerTurn: Number.POSITIVE_INFINITY, maxOutputLength: Number.POSITIVE_INFINITY }
    const session = yield* Session.make(agent, { ...unlimited, ...listeners }).pipe(Scope.extend(scope))
    const sendAudio = yield* read(session, scope)
    const run = <A, E>(effect: Effect.Effect<A, E>): void => void Effect.runFork(effect)
    const client: Client = {
      say: (text) => run(session.sendText(text)),
      askForResponse: () => run(session.requestResponse()),
      sendAudio,
      commitAudio: () => run(session.commitAudio),
      close: () => Effect.runPromise(Scope.close(scope, Exit.void))
    }
    return client
  }).pipe(runtimeFor(url).runPromise)
