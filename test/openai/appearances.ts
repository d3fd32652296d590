import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Inspectable from "effect/Inspectable"

/** All texts in which the outcome of an effect may be printed. */
export const appearances = (exit: Exit.Exit<unknown, unknown>) => [
  JSON.stringify(exit),
  String(exit),
  Inspectable.format(exit),
  ...(Exit.isFailure(exit)
    ? [
        Cause.pretty(exit.cause, { renderErrorCause: true }),
        ...[...Cause.failures(exit.cause)].flatMap((error) =>
          error instanceof Error
            ? [error.message, error.stack ?? "", JSON.stringify(error, Object.getOwnPropertyNames(error))]
            : []
        )
      ]
    : [])
]
