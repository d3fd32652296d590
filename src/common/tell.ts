import * as Predicate from "effect/Predicate"

/**
 * Calls a listener of the application. What it throws, or rejects with where it is asynchronous, is `failed`: an
 * unhandled rejection would end a Node process.
 */
export const tell = <A>(listener: (what: A) => unknown, what: A, failed: (reason: unknown) => void): void => {
  try {
    const result = listener(what)
    // Nothing waits for an asynchronous listener.
    if (Predicate.isPromiseLike(result)) result.then(undefined, failed)
  } catch (thrown) {
    failed(thrown)
  }
}
