import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { SettingsInvalid, type SettingsRejected, SettingsTimedOut } from "../../SessionError.js"
import type { Asking } from "../Asking.js"
import type { ConfigureError } from "../team/handoffTool.js"
import type { Update } from "../team/Team.js"
import type { Configuration } from "./Configuration.js"

/**
 * Changes settings, and waits for the server to confirm them: for `timeout` milliseconds at most. `confirmed` runs in the
 * loop, at the very place in the order of events where the server has them.
 */
export const configureWith =
  ({ ask }: Asking, configuration: Configuration, timeout: number) =>
  (settings: Update, confirmed: () => void = () => undefined): Effect.Effect<void, ConfigureError> =>
    Effect.suspend((): Effect.Effect<void, ConfigureError> => {
      const problems = configuration.problemsOf(settings)
      if (problems.length > 0) return new SettingsInvalid({ problems })
      const update = configuration.update({ ...settings, type: "realtime" })
      return ask<void, SettingsRejected>((reply) =>
        update.send((exit) => {
          if (Exit.isSuccess(exit)) confirmed()
          reply(exit)
        })
      ).pipe(
        Effect.onInterrupt(() => Effect.sync(update.forget)),
        Effect.timeoutFail({ duration: timeout, onTimeout: () => new SettingsTimedOut({ afterMs: timeout }) }),
        // The time is up also for one who waits in a region that can not be interrupted.
        Effect.interruptible
      )
    })
