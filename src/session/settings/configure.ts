import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Settings } from "../../Agent.js"
import type { RealtimeSession } from "../../protocol/SessionConfig.js"
import { type SessionClosed, SettingsInvalid, type SettingsRejected, SettingsTimedOut } from "../../SessionError.js"
import type { Parts } from "../Parts.js"

/** The settings that an update may change. */
export type Update = Settings & Pick<RealtimeSession, "instructions" | "tools">

/** Why settings are not in force. */
export type ConfigureError = SettingsInvalid | SettingsRejected | SettingsTimedOut | SessionClosed

/**
 * Changes settings, and waits for the server to confirm them, within the session's `settingsTimeout`. Both functions run
 * in the loop: `settings` where the update takes its place behind those before it, so that it knows them; `confirmed` at
 * the very place in the order of events where the server has them.
 */
export const configure = (
  { asking, configuration, options }: Parts,
  settings: () => Update,
  confirmed: () => void = () => undefined
): Effect.Effect<void, ConfigureError> =>
  Effect.suspend((): Effect.Effect<void, ConfigureError> => {
    const { settingsTimeout: timeout } = options
    let isForgotten = false
    let forget = (): void => undefined
    return asking
      .ask<void, SettingsInvalid | SettingsRejected>((reply) => {
        if (isForgotten) return
        const wanted = settings()
        const problems = configuration.problemsOf(wanted)
        if (problems.length > 0) return reply(Exit.fail(new SettingsInvalid({ problems })))
        const update = configuration.update({ ...wanted, type: "realtime" })
        forget = update.forget
        update.send((exit) => {
          if (Exit.isSuccess(exit)) confirmed()
          reply(exit)
        })
      })
      .pipe(
        Effect.onInterrupt(() =>
          Effect.sync(() => {
            isForgotten = true
            forget()
          })
        ),
        Effect.timeoutFail({ duration: timeout, onTimeout: () => new SettingsTimedOut({ afterMs: timeout }) }),
        // The time limit also applies to a caller in an uninterruptible region.
        Effect.interruptible
      )
  })
