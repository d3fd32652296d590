import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { encodePcm16 } from "../audio/Pcm16.js"
import type { Session } from "../Session.js"
import type { Chaos } from "./Chaos.js"
import { type NewMoment, turnDetectionOf } from "./Observation.js"
import type { Action } from "./Program.js"
import type { Readers } from "./readers.js"
import type { Cast } from "./Stage.js"
import type { VirtualTime } from "./VirtualTime.js"

export interface Environment<E> {
  readonly session: Session<E>
  readonly server: Cast
  readonly chaos: Chaos
  readonly time: VirtualTime
  readonly reading: Readers
  readonly note: (moment: NewMoment<E>) => void
  /** The number of the connection that carries the session. */
  readonly carrier: () => number
  readonly defects: Array<string>
}

/** The bytes per second of the voice. */
const voice = 8_000

type CommandError = { readonly _tag: string; readonly message: string }

/** Carries out a program's actions, on both sides of a session. */
export interface Performer {
  readonly act: (action: Action) => Effect.Effect<unknown, never, Scope.Scope>
  readonly command: (effect: Effect.Effect<unknown, CommandError>) => Effect.Effect<unknown, never, Scope.Scope>
  /** Decides on all calls that wait for approval. */
  readonly decide: (approves: boolean, always: boolean) => Effect.Effect<unknown, never, Scope.Scope>
}

export const performer = <E>({
  carrier,
  chaos,
  defects,
  note,
  reading,
  server,
  session,
  time
}: Environment<E>): Performer => {
  /** Nothing waits for the reply to a command. */
  const command = (effect: Effect.Effect<unknown, CommandError>) =>
    Effect.forkScoped(
      Effect.catchAllCause(effect, (cause) =>
        Effect.sync(() => {
          const failure = Cause.failureOption(cause)
          if (failure._tag === "Some") note({ _tag: "CommandFailed", error: failure.value })
          else if (!Cause.isInterruptedOnly(cause)) defects.push(Cause.pretty(cause))
        })
      )
    )

  const decide = (approves: boolean, always: boolean) =>
    Effect.flatMap(session.pendingApprovals, (pending) =>
      Effect.forEach(pending, ({ call }) =>
        command(approves ? session.approve(call.callId, { always }) : session.reject(call.callId, "No.", { always }))
      )
    )

  let written = 0
  let pieces = 0
  /** PCM16 of this loudness. No two pieces are the same: their samples are slightly above it. */
  const sound = (bytes: number, loudness: number): Uint8Array => {
    pieces = (pieces + 1) % 200
    const samples = encodePcm16(new Int16Array(Math.ceil(bytes / 2)).fill(loudness + pieces))
    return samples.subarray(0, bytes)
  }

  const act = (action: Action) =>
    Effect.gen(function* () {
      if (chaos.arm(action)) return
      const latest = yield* server.connection
      // The user is heard on the session's connection; another one may wait to take its place.
      const connection = (yield* server.connections).find(({ number }) => number === carrier()) ?? latest
      switch (action._tag) {
        case "UserWrites": {
          if (action.again === undefined) return yield* command(session.sendText(action.text))
          written += 1
          const say = session.sendText(action.text, { id: `written_${written}` })
          return yield* Effect.zipRight(command(say), command(say))
        }
        case "PutsFirst": {
          const content = [{ type: "input_text" as const, text: action.text }]
          const item = { type: "message" as const, role: "system" as const, content }
          return yield* command(session.send({ type: "conversation.item.create", previous_item_id: "root", item }))
        }
        case "Retrieves": {
          const { items } = yield* session.conversation
          const item = items.at(action.which === "first" ? 0 : -1)
          if (item === undefined) return
          return yield* command(session.send({ type: "conversation.item.retrieve", item_id: item.id }))
        }
        case "UserSpeaks": {
          // In push-to-talk, the server does not detect when the user begins or ends: the button tells it.
          if (turnDetectionOf(yield* connection.session) === undefined) {
            yield* command(session.sendAudio(sound(4_800, voice)))
            if (action.forMs > 0) yield* time.pass(action.forMs)
            return yield* command(session.commitAudio)
          }
          const itemId = yield* connection.speechStarts
          if (action.forMs > 0) yield* time.pass(action.forMs)
          return yield* connection.speechEnds(itemId, action.transcript)
        }
        case "SendsAudio":
          for (let chunk = 0; chunk < action.chunks; chunk += 1) {
            yield* command(session.sendAudio(sound(action.bytes, 0)))
          }
          return action.commits ? yield* command(session.commitAudio) : undefined
        case "SpeaksAloud":
          for (let ms = 0; ms < action.forMs; ms += 100) yield* command(session.sendAudio(sound(4_800, voice)))
          // Long enough for the server to detect the end.
          for (let ms = 0; ms < 600; ms += 100) yield* command(session.sendAudio(sound(4_800, 0)))
          return
        case "ClearsAudio":
          return yield* command(session.clearAudio)
        case "Interrupts":
          return yield* command(session.interrupt)
        case "Waits":
          return yield* time.pass(action.ms)
        case "ClockIsSet":
          return time.setTimeOfDay(action.byMs)
        case "Decides":
          return yield* decide(action.approves, action.always)
        case "AsksForResponse":
          return yield* command(
            action.params === undefined ? session.requestResponse() : session.requestResponse(action.params)
          )
        case "UpdatesAgent":
          return yield* command(session.updateAgent(action.name))
        case "UpdatesTools":
          return yield* command(session.updateTools)
        case "UpdatesConfig":
          return yield* command(session.updateConfig({ max_output_tokens: action.maxOutputTokens }))
        case "Subscribes":
          return yield* reading.subscribe(action)
        case "Closes":
          return yield* command(session.close)
        case "ServerSends":
          return yield* connection.pushText(action.frame)
        case "ServerTruncates":
          return yield* connection.truncates(action.share)
        case "ConnectionDrops":
          return yield* latest.drop
        case "ConnectionCloses":
          return yield* latest.close(action.code)
        case "SessionExpires":
          yield* connection.pushText(
            JSON.stringify({
              type: "error",
              event_id: "event_expired",
              error: { type: "invalid_request_error", code: "session_expired", message: "It was long enough." }
            })
          )
          return yield* connection.close(1001)
        default:
          return undefined
      }
    })

  return { act, command, decide }
}
