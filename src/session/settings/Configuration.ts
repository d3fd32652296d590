import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import { pcm16, pcma, pcmu } from "../../audio/Format.js"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { ServerError } from "../../protocol/ServerEvent.js"
import type { AudioFormat, RealtimeSession } from "../../protocol/SessionConfig.js"
import type { SessionObject } from "../../protocol/SessionObject.js"
import { type SettingsProblem, SettingsRejected } from "../../SessionError.js"
import { completed, updated } from "./merge.js"
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
  /** The update with what is known of the objects in it: what it does not name stays as it is. */
  readonly completed: (update: Omit<RealtimeSession, "type">) => Omit<RealtimeSession, "type">
  /** What was sent, all updates together: also what the server has not confirmed yet. */
  readonly sentSettings: () => Omit<RealtimeSession, "type">
  /** What was sent and confirmed, all updates together. */
  readonly confirmedSettings: () => Omit<RealtimeSession, "type">
  /** Without what can not change any more, so that it stays as it is: the voice, once the model has spoken. */
  readonly withoutFixed: <S extends Pick<RealtimeSession, "audio">>(settings: S) => S
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
  /** Whether the model speaks, or only writes. */
  readonly speaks: () => boolean
  /** Whether the server writes down what the user says. */
  readonly transcribes: () => boolean
  /** Whether the settings in force make the model call something, whatever there is to say. */
  readonly forcesCalls: () => boolean
  /** As the server names it. */
  readonly sessionId: () => string | undefined
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

  const sentSettings = () => [...pending, ...(held ?? [])].map((one) => one.settings).reduce(updated, settings)

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
      const index = answeredBy(session, pending)
      const update = index < 0 ? undefined : pending.splice(0, index + 1).at(-1)
      if (update === undefined) return
      settings = updated(settings, update.settings)
      update.reply?.(Exit.void)
    },
    sendRaw: (raw, eventId) => begin({ eventId, settings: raw, reply: undefined, isForgotten: false }),
    completed: (update) => completed(sentSettings(), update),
    sentSettings,
    confirmedSettings: () => settings,
    withoutFixed: (update) => {
      if (!hasSpoken() || update.audio?.output?.voice === undefined) return update
      const { voice: _, ...output } = update.audio.output
      return { ...update, audio: { ...update.audio, output } }
    },
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
    speaks: () => modalitiesOf(inForce)?.includes("audio") ?? settings.output_modalities?.includes("audio") ?? true,
    transcribes: () => (audioOf(inForce)?.input ?? settings.audio?.input)?.transcription != null,
    forcesCalls: () => {
      const choice = settings.tool_choice ?? "auto"
      return choice !== "auto" && choice !== "none"
    },
    sessionId: () => inForce?.id || undefined,
    inputFormat: () => formatOf(audioOf(inForce)?.input?.format?.type),
    outputFormat: () => formatOf(audioOf(inForce)?.output?.format?.type)
  }
}

/**
 * Which update the server answers. It answers them in their order, but an answer may be lost, and one may come that
 * nobody asked for; so what the settings in it look like decides first. They need not look the same: a server trims
 * instructions, takes those of a stored prompt, or fills a value in. Only other functions are certainly another update's.
 */
const answeredBy = (session: SessionObject, pending: ReadonlyArray<Update>): number => {
  const echoes = pending.map(({ settings }) => echoOf(session, settings))
  const find = (fits: (update: Update, echo: Echo) => boolean): number | undefined => {
    const index = pending.findIndex((update, index) => fits(update, echoes[index] ?? nothing))
    return index < 0 ? undefined : index
  }
  return (
    find(({ reply }, { differs, says }) => reply !== undefined && says && differs.length === 0) ??
    find(({ isForgotten }, { differs, says }) => differs.length === 0 && (says || !isForgotten)) ??
    // Nobody hears of it if it is not the answer to what nobody waits for: there, values tell as well.
    find(({ isForgotten, reply }, { differs }) =>
      reply === undefined ? !isForgotten && differs.every((key) => key === "instructions") : !differs.includes("tools")
    ) ??
    -1
  )
}

/** What a session object says of an update: whether anything, and which settings are there with another value. */
interface Echo {
  readonly says: boolean
  readonly differs: ReadonlyArray<string>
}

const nothing: Echo = { says: false, differs: [] }

/** Instructions, names of functions, and what else is plain text or a number. */
const echoOf = (session: SessionObject, update: Omit<RealtimeSession, "type">): Echo => {
  const said: Readonly<Record<string, unknown>> = { ...session }
  const differs: Array<string> = []
  let says = false
  for (const [key, value] of Object.entries(update)) {
    const echo = said[key]
    const pair = key === "tools" ? [namesOf(echo), namesOf(value)] : [echo, value]
    if (pair.some((one) => one === undefined || one === null || typeof one === "object")) continue
    says = true
    if (pair[0] !== pair[1]) differs.push(key)
  }
  return { says, differs }
}

const namesOf = (tools: unknown): string | undefined =>
  Array.isArray(tools)
    ? JSON.stringify(tools.map((tool) => (Predicate.hasProperty(tool, "name") ? tool.name : undefined)))
    : undefined

/** A session object of either kind, as far as audio goes. */
const audioOf = (session: SessionObject | undefined) =>
  session !== undefined && session.type === "realtime" ? (session.audio ?? undefined) : undefined

const modalitiesOf = (session: SessionObject | undefined) =>
  session !== undefined && session.type === "realtime" ? (session.output_modalities ?? undefined) : undefined

const detectionOf = (session: SessionObject | undefined) => audioOf(session)?.input?.turn_detection ?? undefined

const formatOf = (type: string | null | undefined): AudioFormat =>
  type === "audio/pcmu" ? pcmu : type === "audio/pcma" ? pcma : pcm16
