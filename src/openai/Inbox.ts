/**
 * From a synchronous callback to a bounded mailbox: in order, without a fiber per message. When the reader falls
 * behind, the source is asked to pause, and what it still delivers waits in line.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Mailbox from "effect/Mailbox"
import * as Runtime from "effect/Runtime"

export interface Inbox<in out A, in out E> {
  readonly messages: Mailbox.ReadonlyMailbox<A, E>
  /** `false` when the source can't pause, and as many wait in line as fit in the mailbox. */
  readonly offer: (message: A) => boolean
  /** Fails the mailbox, after all that was offered before. */
  readonly fail: (error: E) => void
  /** Ends the mailbox. What waits in line is dropped. */
  readonly end: Effect.Effect<void>
}

type State<A, E> =
  | { readonly _tag: "Flowing" }
  | {
      readonly _tag: "Backed"
      line: Array<A>
      /** Messages that are in line, or on their way from there. */
      held: number
      readonly limit: number
      readonly fiber: Fiber.Fiber<void>
    }
  | {
      readonly _tag: "Failing"
      line: Array<A>
      readonly error: E
      readonly fiber: Fiber.Fiber<void>
    }
  | { readonly _tag: "Ended" }

/**
 * @param options.capacity how many messages the mailbox holds
 * @param options.onFull called when the mailbox is full: pauses the source, or returns `false` where that can't be
 * @param options.onDrained called when nothing waits in line any more; resume the source here
 */
export const make = <A, E>(options: {
  readonly capacity: number
  readonly onFull: () => boolean
  readonly onDrained: () => void
}): Effect.Effect<Inbox<A, E>> =>
  Effect.gen(function* () {
    const capacity = Math.max(1, options.capacity)
    const runFork = Runtime.runFork(yield* Effect.runtime<never>())
    const mailbox = yield* Mailbox.make<A, E>({
      capacity,
      strategy: "suspend"
    })
    let state: State<A, E> = { _tag: "Flowing" }

    // A pending `offerAll` completes when the reader has made room for all of its messages.
    const drain: Effect.Effect<void> = Effect.suspend(() => {
      if (state._tag !== "Backed" && state._tag !== "Failing") return Effect.void
      const batch = state.line
      state.line = []
      return Effect.flatMap(mailbox.offerAll(batch), () => {
        switch (state._tag) {
          case "Backed": {
            state.held -= batch.length
            if (state.line.length > 0) return drain
            state = { _tag: "Flowing" }
            options.onDrained()
            return Effect.void
          }
          case "Failing": {
            if (state.line.length > 0) return drain
            mailbox.unsafeDone(Exit.fail(state.error))
            state = { _tag: "Ended" }
            return Effect.void
          }
          default:
            return Effect.void
        }
      })
    })

    return {
      messages: mailbox,
      offer: (message) => {
        switch (state._tag) {
          case "Flowing": {
            if (mailbox.unsafeOffer(message)) return true
            // A paused source delivers only what it had read already.
            const limit = options.onFull() ? Number.POSITIVE_INFINITY : capacity
            // The fiber starts on a later tick of the scheduler at the earliest, when the state is in place.
            const fiber = runFork(Effect.zipRight(Effect.yieldNow(), drain))
            state = { _tag: "Backed", line: [message], held: 1, limit, fiber }
            return true
          }
          case "Backed": {
            if (state.held >= state.limit) return false
            state.line.push(message)
            state.held += 1
            return true
          }
          default:
            return true
        }
      },
      fail: (error) => {
        if (state._tag === "Backed") {
          state = {
            _tag: "Failing",
            line: state.line,
            error,
            fiber: state.fiber
          }
        } else if (state._tag === "Flowing") {
          state = { _tag: "Ended" }
          mailbox.unsafeDone(Exit.fail(error))
        }
      },
      end: Effect.suspend(() => {
        const stop = state._tag === "Backed" || state._tag === "Failing" ? Fiber.interrupt(state.fiber) : Effect.void
        state = { _tag: "Ended" }
        return Effect.zipRight(stop, mailbox.end)
      })
    }
  })
