import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import * as Stream from "effect/Stream"

/** A callback in front of a `Stream` that a fiber reads; there is neither before the first call. */
export const streamed = <A>(
  read: (value: A) => Effect.Effect<void, unknown>,
  fork: (reading: Effect.Effect<void, unknown>) => void = (reading) => void Effect.runFork(reading)
): ((value: A) => void) => {
  let mailbox: Mailbox.Mailbox<A> | undefined
  return (value) => {
    if (mailbox === undefined) {
      mailbox = Effect.runSync(Mailbox.make<A>())
      fork(Stream.runForEach(Mailbox.toStream(mailbox), read))
    }
    mailbox.unsafeOffer(value)
  }
}
