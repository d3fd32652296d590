import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import { pcm16, pcma, pcmu } from "../../audio/Format.js"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { ServerError } from "../../protocol/ServerEvent.js"
import type { AudioFormat, RealtimeSession } from "../../protocol/SessionConfig.js"
import type { SessionObject } from "../../protocol/SessionObject.js"
import { type SettingsProblem, SettingsRejected } from "../../SessionError.js"
import { problemsOf } from "./settings.js"

/**
 * The settings on their way to the server, and those in force. `session.updated` names no event of ours, but the server
 * answers updates in their order; a refusal names the event.
 */
export interface Configuration {
  readonly update: (settings: RealtimeSession) => {
    readonly send: (reply: (exit: Exit.Exit<void, SettingsRejected>) => void) => void
    /** Nobody waits for this one any more; its place in the order stays. */
    readonly forget: () => void
  }
  readonly confirmed: (session: SessionObject) => void
  /** Sends settings as the application gives them: their confirmation is nobody's, but has its place in the order. */
  readonly sendRaw: (settings: Omit<RealtimeSession, "type">, eventId: string | undefined) => void
  /** What was sent and confirmed, all updates together. */
  readonly confirmedSettings: () => Omit<RealtimeSession, "type">
  /** What a server would refuse of these settings, known before they are sent. */
  readonly problemsOf: (settings: Omit<RealtimeSession, "type">) => ReadonlyArray<SettingsProblem>
  /**
   * A new connection knows no settings: those in force are sent there with `transmit`, and when the server has confirmed
   * them, what was on its way to the old one.
   */
  readonly restore: (
    transmit: (event: ClientEvent) => void,
    restored: () => void,
    rejected: (exit: Exit.Exit<never, SettingsRejected>) => void
  ) => void
  /** Nothing is on its way to the server. */
  readonly isSettled: () => boolean
  /** Whether the refused event was an update. */
  readonly refused: (eventId: string | undefined, error: ServerError) => boolean
  /** Whether the server answers the user's speech by itself. */
  readonly serverReplies: () => boolean
  /** Whether the server stops speaking when the user begins. */
  readonly speechInterrupts: () => boolean
  /** Whether the server tells the turns of the user apart; if not, the application does (push-to-talk). */
  readonly detectsTurns: () => boolean
  readonly inputFormat: () => AudioFormat
  readonly outputFormat: () => AudioFormat
}

interface Update {
  readonly eventId: string | undefined
  readonly settings: Omit<RealtimeSession, "type">
  reply: ((exit: Exit.Exit<void, SettingsRejected>) => void) | undefined
  /** Nobody wants it any more. */
  isForgotten: boolean
}

export interface Environment {
  readonly newId: (prefix: string) => string
  readonly send: (event: ClientEvent) => void
  /** The model that was asked for; absent where the provider chose. */
  readonly model: string | undefined
  readonly hasSpoken: () => boolean
}

/** How many updates that nobody waits for may wait for a server that confirms none. */
export const maxUnconfirmed = 256

/** One more at the end. The oldest that nobody waits for gives way. */
const addTo = (updates: Array<Update>, update: Update): void => {
  updates.push(update)
  if (updates.length <= maxUnconfirmed) return
  const oldest = updates.findIndex(({ reply }) => reply === undefined)
  if (oldest >= 0) updates.splice(oldest, 1)
}

export const make = ({ hasSpoken, model, newId, send }: Environment): Configuration => {
  const pending: Array<Update> = []
  /** What was sent and confirmed, all updates together. */
  let settings: Update["settings"] = {}
  let inForce: SessionObject | undefined

  /** What waits until a new connection has the settings of the old. */
  let held: Array<Update> | undefined
  /** The settings of the old: sent anew on each connection, and of no use once that is lost. */
  let restoring: Update | undefined

  const transmitNow = (update: Update, transmit: (event: ClientEvent) => void): void => {
    const { eventId, settings } = update
    addTo(pending, update)
    const session = { ...settings, type: "realtime" } as const
    transmit({ type: "session.update", ...(eventId === undefined ? {} : { event_id: eventId }), session })
  }

  const begin = (update: Update): void => {
    if (held === undefined) transmitNow(update, send)
    else addTo(held, update)
  }

  return {
    update: ({ type: _, ...settings }) => {
      const update: Update = { eventId: newId("upd"), settings, reply: undefined, isForgotten: false }
      return {
        send: (reply) => {
          update.reply = reply
          begin(update)
        },
        forget: () => {
          update.reply = undefined
          update.isForgotten = true
        }
      }
    },
    restore: (transmit, restored, rejected) => {
      held = [...pending.splice(0).filter((update) => update !== restoring), ...(held ?? [])]
      const reply: Update["reply"] = (exit) => {
        const wanted = held?.filter(({ isForgotten }) => !isForgotten) ?? []
        held = undefined
        if (Exit.isFailure(exit)) {
          rejected(Exit.failCause(exit.cause))
          return
        }
        restored()
        for (const update of wanted) begin(update)
      }
      restoring = { eventId: newId("upd"), settings, reply, isForgotten: false }
      transmitNow(restoring, transmit)
    },
    // A server that never answered an update, which nobody waits for any more, does not settle it later either.
    isSettled: () => held === undefined && pending.every(({ isForgotten }) => isForgotten),
    confirmed: (session) => {
      inForce = session
      // An update that nobody asked for confirms nothing; and one whose confirmation was lost does not hold the next.
      const isConfirmed = ({ settings }: Update): boolean => echoes(session, settings)
      const awaited = pending.findIndex((update) => update.reply !== undefined && isConfirmed(update))
      const index = awaited < 0 ? pending.findIndex(isConfirmed) : awaited
      const update = index < 0 ? undefined : pending.splice(0, index + 1).at(-1)
      if (update === undefined) return
      settings = merge(settings, update.settings)
      update.reply?.(Exit.void)
    },
    sendRaw: (raw, eventId) => begin({ eventId, settings: raw, reply: undefined, isForgotten: false }),
    confirmedSettings: () => settings,
    problemsOf: (update) => {
      const { instructions: _, tools = [], ...rest } = { tools: settings.tools, ...update }
      return problemsOf(rest, {
        model,
        audioHeard: hasSpoken(),
        tracingOn: (settings.tracing ?? null) !== null,
        toolNames: tools.flatMap((tool) => ("name" in tool && tool.name !== undefined ? [tool.name] : [])),
        current: settings
      })
    },
    refused: (eventId, { code, message, param }) => {
      // A refusal that names a setting and no event is that of the oldest update.
      const isNameless = eventId === undefined && param?.startsWith("session.") === true
      const index = isNameless
        ? 0
        : pending.findIndex((update) => update.eventId !== undefined && update.eventId === eventId)
      const [update] = index < 0 ? [] : pending.splice(index, 1)
      if (update === undefined) return false
      const error = new SettingsRejected({ code: code ?? undefined, param: param ?? undefined, reason: message })
      update.reply?.(Exit.fail(error))
      return true
    },
    // With turn detection on, the server does both unless it is told not to.
    serverReplies: () => detectionOf(inForce) !== undefined && detectionOf(inForce)?.create_response !== false,
    speechInterrupts: () => detectionOf(inForce) !== undefined && detectionOf(inForce)?.interrupt_response !== false,
    detectsTurns: () => detectionOf(inForce) !== undefined,
    inputFormat: () => formatOf(audioOf(inForce)?.input?.format?.type),
    outputFormat: () => formatOf(audioOf(inForce)?.output?.format?.type)
  }
}

/**
 * Whether these are the settings of this update, as far as the server says them: instructions, names of functions, and
 * what else is plain text or a number.
 */
const echoes = (session: SessionObject, update: Omit<RealtimeSession, "type">): boolean => {
  const said: Readonly<Record<string, unknown>> = { ...session }
  const isSame = ([key, value]: readonly [string, unknown]): boolean => {
    const echo = said[key]
    if (echo === undefined || echo === null) return true
    if (key === "tools") return namesOf(echo) === undefined || namesOf(echo) === namesOf(value)
    return typeof value === "object" || typeof echo === "object" || value === echo
  }
  return Object.entries(update).every(isSame)
}

const namesOf = (tools: unknown): string | undefined =>
  Array.isArray(tools)
    ? JSON.stringify(tools.map((tool) => (Predicate.hasProperty(tool, "name") ? tool.name : undefined)))
    : undefined

/** An update changes what it mentions; of the audio settings, each side by itself. */
const merge = (settings: Update["settings"], update: Update["settings"]): Update["settings"] => ({
  ...settings,
  ...update,
  ...(update.audio === undefined
    ? {}
    : {
        audio: {
          input: { ...settings.audio?.input, ...update.audio.input },
          output: { ...settings.audio?.output, ...update.audio.output }
        }
      })
})

/** A session object of either kind, as far as audio goes. */
const audioOf = (session: SessionObject | undefined) =>
  session !== undefined && session.type === "realtime" ? (session.audio ?? undefined) : undefined

const detectionOf = (session: SessionObject | undefined) => audioOf(session)?.input?.turn_detection ?? undefined

const formatOf = (type: string | null | undefined): AudioFormat =>
  type === "audio/pcmu" ? pcmu : type === "audio/pcma" ? pcma : pcm16
