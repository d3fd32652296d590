import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Session } from "../Session.js"
import type { SubscriberLagged } from "../SessionError.js"
import type { SessionEvent } from "../SessionEvent.js"
import type { NewMoment } from "./Observation.js"
import type { Action, Program } from "./Program.js"

type Pace = Extract<Action, { readonly _tag: "Subscribes" }>["reads"]

/** The readers of a session's streams. */
export interface Readers {
  readonly subscribe: (
    options: Extract<Action, { readonly _tag: "Subscribes" }>
  ) => Effect.Effect<void, never, Scope.Scope>
  /** Readers no longer pause. */
  readonly hurry: () => void
  /** The streams that have not ended although their readers go on. */
  readonly open: () => ReadonlyArray<string>
}

/** Reads all streams of a session, and records what it gets. */
export const make = <E>(
  session: Session<E>,
  { listens }: Pick<Program, "listens">,
  note: (moment: NewMoment<E>) => void
): Effect.Effect<Readers, never, Scope.Scope> =>
  Effect.gen(function* () {
    const reading = new Map<string, Fiber.RuntimeFiber<unknown, unknown>>()
    let count = 0
    let isHurried = false

    /** The pause between one element and the next. */
    const dawdle = (pace: Pace): (() => Effect.Effect<void>) => {
      let elements = 0
      return () => {
        elements += 1
        if (pace === "never") return Effect.never
        if (isHurried) return Effect.void
        if (pace === "late" && elements === 1) return Effect.sleep("8 seconds")
        return pace === "in bursts" && elements % 5 === 0 ? Effect.sleep("3 seconds") : Effect.void
      }
    }

    const read = (
      name: string,
      of: "events" | "errors",
      from: "start" | "now",
      pace: Pace,
      stream: Stream.Stream<SessionEvent<E>, SubscriberLagged>
    ) =>
      Effect.gen(function* () {
        count += 1
        const reader = count
        const pause = dawdle(pace)
        const program = Effect.suspend(() => {
          note({ _tag: "Subscribed", reader, of, from })
          return Stream.runForEach(stream, (event) => {
            note({ _tag: "Read", reader, event })
            return pause()
          })
        }).pipe(
          Effect.onExit((exit) =>
            Effect.sync(() => {
              if (Exit.isFailure(exit) && Cause.isInterrupted(exit.cause)) return
              const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.failureOption(exit.cause)) : undefined
              note({ _tag: "ReadingEnded", reader, error })
            })
          )
        )
        const fiber = yield* Effect.forkScoped(Effect.ignore(program))
        if (pace !== "never") reading.set(name, fiber)
      })

    let chunks = 0
    const listen = Stream.runForEach(session.audio, (chunk) => {
      note({ _tag: "Heard", chunk })
      chunks += 1
      return listens === "in bursts" && chunks % 3 === 0 && !isHurried ? Effect.sleep("2 seconds") : Effect.void
    })
    yield* read("events", "events", "start", "at once", session.events)
    yield* read("errors", "errors", "start", "at once", session.errors)
    reading.set("audio", yield* Effect.forkScoped(listen))
    for (const name of ["agent", "pendingApprovals", "usage", "conversation"] as const) {
      reading.set(name, yield* Effect.forkScoped(Stream.runDrain<unknown, never, never>(session[name].changes)))
    }

    return {
      subscribe: ({ capacity, onLag, reads }) =>
        read(
          `subscriber ${count + 1} (${onLag}, ${reads})`,
          "events",
          "now",
          reads,
          onLag === "fail" ? session.subscribe({ capacity, onLag }) : session.subscribe({ capacity, onLag })
        ),
      hurry: () => {
        isHurried = true
      },
      open: () => Array.from(reading).flatMap(([name, fiber]) => (fiber.unsafePoll() === null ? [name] : []))
    }
  })
