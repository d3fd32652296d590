/** Lets a guest and the concierge talk, and shows it. */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { type Audio, Session, type SessionError, type SessionEvent } from "effect-realtime"
import type { concierge } from "./agent.js"
import type { WrongCall } from "./conversation.js"
import type { Guest } from "./guest.js"
import * as Progress from "./progress.js"
import type { Timeline } from "./timeline.js"

/** The conversation does not come to an end. */
export class TurnStuck extends Schema.TaggedError<TurnStuck>()("TurnStuck", { said: Schema.String }) {
  override get message(): string {
    return `Nothing came of ${JSON.stringify(this.said)} within ${Duration.format(turnTimeout)}.`
  }
}

/** Past the two minutes that a guest has to approve a call, and past every timeout of a tool or of a response. */
const turnTimeout = Duration.minutes(3)

export const play = (
  agent: typeof concierge,
  guest: Guest,
  timeline: Timeline,
  /** Absent if the model cannot be told to make a wrong call. */
  mislead: ((calls: ReadonlyArray<WrongCall>) => Effect.Effect<void>) | undefined
) =>
  Effect.gen(function* () {
    const spoken: Array<Uint8Array> = []
    const session = yield* Session.make(agent, { onAudio: ({ bytes }) => void spoken.push(bytes) })
    const events: Array<SessionEvent.SessionEvent> = []
    const shown = yield* Deferred.make<void>()
    const progress = yield* SubscriptionRef.make(Progress.idle)

    const decide = (call: SessionEvent.CallInfo) =>
      Effect.flatMap(guest.decide(call), (decision) =>
        decision._tag === "Approve" ? session.approve(call.callId) : session.reject(call.callId, decision.reason)
      ).pipe(
        // Too late: its time was over, or the session. Events report both.
        Effect.catchTags({ ApprovalNotPending: () => Effect.void, SessionClosed: () => Effect.void })
      )

    const listening = yield* Effect.fork(
      Stream.runForEach(session.events, (event) =>
        Effect.gen(function* () {
          events.push(event)
          const lines = timeline.show(event, yield* Clock.currentTimeMillis)
          if (lines.length > 0) yield* Console.log(lines.join("\n"))
          if (event._tag === "SessionStarted") yield* Deferred.succeed(shown, undefined)
          if (event._tag === "ToolApprovalRequested") yield* Effect.forkScoped(decide(event.call))
          yield* SubscriptionRef.update(progress, (now) => Progress.follow(now, event))
        })
      )
    )

    // The session has been shown before the guest is asked.
    yield* Effect.raceFirst(Deferred.await(shown), Fiber.join(listening))
    const turnOver = progress.changes.pipe(Stream.filter(Progress.isOver), Stream.runHead)

    const converse: Effect.Effect<void, TurnStuck | SessionError.SessionClosed | Audio.InvalidAudio> = Effect.gen(
      function* () {
        const turn = yield* guest.next
        if (Option.isNone(turn)) return
        const { calls, says, sound } = turn.value
        if (calls.length > 0 && mislead === undefined) {
          yield* Console.log(`\n(left out, since only the embedded model can be told to call wrongly: ${says ?? ""})`)
          return yield* converse
        }
        if (mislead !== undefined) yield* mislead(calls)
        yield* SubscriptionRef.update(progress, Progress.begin)
        if (sound !== undefined) yield* session.sendAudio(sound)
        else yield* says === undefined ? session.requestResponse() : session.sendText(says)
        yield* Effect.timeoutFail(turnOver, {
          duration: turnTimeout,
          onTimeout: () => new TurnStuck({ said: says ?? "a call" })
        })
        if (!(yield* Ref.get(progress)).ended) yield* converse
      }
    )

    // The event that says why the session ended has been shown.
    yield* Effect.catchTag(converse, "SessionClosed", () => Effect.void)
    const { items } = yield* session.conversation
    yield* session.close
    yield* Fiber.join(listening)
    return { events, items, sound: spoken }
  }).pipe(Effect.scoped)
