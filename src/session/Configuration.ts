import * as Exit from "effect/Exit"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { ServerError } from "../protocol/ServerEvent.js"
import type { SessionConfig } from "../protocol/SessionConfig.js"
import type { SessionObject } from "../protocol/SessionObject.js"
import { SettingsRejected } from "../SessionError.js"

/**
 * The settings on their way to the server, and those in force. `session.updated` names no event of ours, but the server
 * answers updates in their order; a refusal names the event.
 */
export interface Configuration {
  readonly update: (settings: SessionConfig) => {
    readonly send: (reply: (exit: Exit.Exit<void, SettingsRejected>) => void) => void
    /** Nobody waits for this one any more; its place in the order stays. */
    readonly forget: () => void
  }
  readonly confirmed: (session: SessionObject) => void
  /** Whether the refused event was an update. */
  readonly refused: (eventId: string, error: ServerError) => boolean
  /** Whether the server answers the user's speech by itself. */
  readonly serverReplies: () => boolean
}

interface Update {
  readonly eventId: string
  reply: ((exit: Exit.Exit<void, SettingsRejected>) => void) | undefined
}

export const make = (newId: (prefix: string) => string, send: (event: ClientEvent) => void): Configuration => {
  const pending: Array<Update> = []
  let serverReplies = false
  return {
    update: (session) => {
      const update: Update = { eventId: newId("upd"), reply: undefined }
      return {
        send: (reply) => {
          update.reply = reply
          pending.push(update)
          send({ type: "session.update", event_id: update.eventId, session })
        },
        forget: () => {
          update.reply = undefined
        }
      }
    },
    confirmed: (session) => {
      serverReplies = doesServerReply(session)
      pending.shift()?.reply?.(Exit.void)
    },
    refused: (eventId, { code, message, param }) => {
      const index = pending.findIndex((update) => update.eventId === eventId)
      const [update] = index < 0 ? [] : pending.splice(index, 1)
      if (update === undefined) return false
      const error = new SettingsRejected({ code: code ?? undefined, param: param ?? undefined, reason: message })
      update.reply?.(Exit.fail(error))
      return true
    },
    serverReplies: () => serverReplies
  }
}

/** With turn detection on, the server responds to a turn unless `create_response` says no. */
const doesServerReply = (session: SessionObject): boolean => {
  const detection = "audio" in session ? session.audio?.input?.turn_detection : undefined
  return detection !== undefined && detection !== null && detection.create_response !== false
}
