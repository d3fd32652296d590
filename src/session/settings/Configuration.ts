import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import { pcm16, pcma, pcmu } from "../../audio/Format.js"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { ServerError } from "../../protocol/ServerEvent.js"
import type { AudioFormat, RealtimeSession } from "../../protocol/SessionConfig.js"
import type { SessionObject } from "../../protocol/SessionObject.js"
import { type SettingsProblem, SettingsRejected } from "../../SessionError.js"
import type { Parts } from "../Parts.js"
import { completed, updated } from "./merge.js"
import { problemsOf } from "./settings.js"
import { settingsBetween } from "./settingsBetween.js"

interface Update {
  readonly eventId: string | undefined
  readonly settings: Omit<RealtimeSession, "type">
  reply: ((exit: Exit.Exit<void, SettingsRejected>) => void) | undefined
  /** Nobody waits for it any more. */
  isForgotten: boolean
}

/** How many updates that nobody waits for may be unconfirmed, with a server that confirms none. */
export const maxUnconfirmed = 256

/** Adds an update. The oldest one that nobody waits for gives way. */
const addTo = (updates: Array<Update>, update: Update): void => {
  updates.push(update)
  if (updates.length <= maxUnconfirmed) return
  const oldest = updates.findIndex(({ reply }) => reply === undefined)
  if (oldest >= 0) updates.splice(oldest, 1)
}

/**
 * The settings that were sent to the server, and those in force. `session.updated` does not name the event that it
 * confirms, but the server answers updates in order. A refusal does name the event.
 */
export class Configuration {
  readonly #session: Parts
  readonly #pending: Array<Update> = []
  /** All settings that were sent and confirmed. */
  #settings: Update["settings"] = {}
  #inForce: SessionObject | undefined
  /** Updates that wait until a new connection has the settings of the old one. */
  #held: Array<Update> | undefined
  /** The settings of the old connection. They are sent again on each connection, and dropped when that is lost. */
  #restoring: Update | undefined

  constructor(session: Parts) {
    this.#session = session
  }

  update({ type: _, ...given }: RealtimeSession): {
    readonly send: (reply: (exit: Exit.Exit<void, SettingsRejected>) => void) => void
    /** Stops waiting for this update. Its place in the order stays. */
    readonly forget: () => void
  } {
    const settings = this.#session.connections.traits.audio === "elsewhere" ? withoutSound(given) : given
    const update: Update = { eventId: this.#session.newId("upd"), settings, reply: undefined, isForgotten: false }
    return {
      send: (reply) => {
        update.reply = reply
        this.#begin(update)
      },
      forget: () => {
        update.reply = undefined
        update.isForgotten = true
      }
    }
  }

  /**
   * Sends the application's settings as they are. Nobody waits for their confirmation, but it has its place in the
   * order.
   */
  sendRaw(settings: Omit<RealtimeSession, "type">, eventId: string | undefined): void {
    this.#begin({ eventId, settings, reply: undefined, isForgotten: false })
  }

  confirmed(session: SessionObject): void {
    this.#inForce = session
    const index = answeredBy(session, this.#pending)
    const update = index < 0 ? undefined : this.#pending.splice(0, index + 1).at(-1)
    if (update === undefined) return
    this.#settings = updated(this.#settings, update.settings)
    if (update.settings.tools !== undefined) this.#session.hostedImports?.expected(update.settings.tools)
    update.reply?.(Exit.void)
  }

  /** Returns whether the refused event was an update. */
  refused(eventId: string | undefined, { code, message, param }: ServerError): boolean {
    const pending = this.#pending
    // A refusal that names a setting but no event is for the oldest update.
    const isNameless = eventId === undefined && param?.startsWith("session.") === true
    const index = isNameless
      ? 0
      : pending.findIndex((update) => update.eventId !== undefined && update.eventId === eventId)
    const [update] = index < 0 ? [] : pending.splice(index, 1)
    if (update === undefined) return false
    const error = new SettingsRejected({ code: code ?? undefined, param: param ?? undefined, reason: message })
    update.reply?.(Exit.fail(error))
    return true
  }

  /**
   * A new connection has no settings, except beside a conversation that lives on the server: there it may have those
   * that it had not confirmed. The settings in force are sent with `transmit`. When the server has confirmed them, the
   * updates that the old connection had not confirmed follow.
   */
  restore(
    transmit: (event: ClientEvent) => void,
    restored: () => void,
    rejected: (exit: Exit.Exit<never, SettingsRejected>) => void
  ): void {
    const isKept = this.#session.connections.traits.conversation === "server"
    const settings = isKept ? settingsBetween(this.sentSettings(), this.#settings) : this.#settings
    const waiting = this.#pending.splice(0).filter((update) => update !== this.#restoring)
    this.#held = [...waiting, ...(this.#held ?? [])]
    const reply: Update["reply"] = (exit) => {
      const wanted = this.#held?.filter(({ isForgotten }) => !isForgotten) ?? []
      this.#held = undefined
      if (Exit.isFailure(exit)) {
        rejected(Exit.failCause(exit.cause))
        return
      }
      restored()
      for (const update of wanted) this.#begin(update)
    }
    this.#restoring = { eventId: this.#session.newId("upd"), settings, reply, isForgotten: false }
    this.#transmit(this.#restoring, transmit)
  }

  /** Whether no update is waiting for confirmation. */
  isSettled(): boolean {
    // If a server never answered an update, and nobody waits for it any more, it does not count.
    return this.#held === undefined && this.#pending.every(({ isForgotten }) => isForgotten)
  }

  /**
   * Completes the objects in the update with the known fields, so that fields that it does not name stay as they are.
   */
  completed(update: Omit<RealtimeSession, "type">): Omit<RealtimeSession, "type"> {
    return completed(this.sentSettings(), update)
  }

  /** All settings that were sent, including what the server has not confirmed yet. */
  sentSettings(): Omit<RealtimeSession, "type"> {
    return [...this.#pending, ...(this.#held ?? [])].map(({ settings }) => settings).reduce(updated, this.#settings)
  }

  /** All settings that were sent and confirmed. */
  confirmedSettings(): Omit<RealtimeSession, "type"> {
    return this.#settings
  }

  /** The name of the model, according to the server. */
  model(): string | undefined {
    return this.#inForce?.type === "realtime" ? (this.#inForce.model ?? undefined) : undefined
  }

  /** Leaves out what can no longer change, so that it stays as it is: the voice, once the model has spoken. */
  withoutFixed<S extends Pick<RealtimeSession, "audio">>(settings: S): S {
    if (!this.#session.hasSpoken() || settings.audio?.output?.voice === undefined) return settings
    const { voice: _, ...output } = settings.audio.output
    return { ...settings, audio: { ...settings.audio, output } }
  }

  /** What a server would refuse in these settings, as far as that is known before they are sent. */
  problemsOf(settings: Omit<RealtimeSession, "type">): ReadonlyArray<SettingsProblem> {
    const current = this.#settings
    const { instructions: _, tools = [], ...rest } = { tools: current.tools, ...settings }
    return problemsOf(rest, {
      model: this.#session.options.model,
      audioHeard: this.#session.hasSpoken(),
      tracingOn: (current.tracing ?? null) !== null,
      toolNames: tools.flatMap((tool) => ("name" in tool && tool.name !== undefined ? [tool.name] : [])),
      current
    })
  }

  /** Whether the server answers the user's speech by itself: if turn detection is on, unless it is told not to. */
  serverReplies(): boolean {
    const detection = detectionOf(this.#inForce)
    return detection !== undefined && detection.create_response !== false
  }

  /**
   * Whether the server stops speaking when the user begins to speak: if turn detection is on, unless it is told not to.
   */
  speechInterrupts(): boolean {
    const detection = detectionOf(this.#inForce)
    return detection !== undefined && detection.interrupt_response !== false
  }

  /** Whether the server detects the user's turns. If not, the application ends them (push-to-talk). */
  detectsTurns(): boolean {
    return detectionOf(this.#inForce) !== undefined
  }

  /** Whether the model speaks. Otherwise it only writes. */
  speaks(): boolean {
    const modalities = modalitiesOf(this.#inForce) ?? this.#settings.output_modalities
    return modalities?.includes("audio") ?? true
  }

  /** Whether the server transcribes the user's speech. */
  transcribes(): boolean {
    return (audioOf(this.#inForce)?.input ?? this.#settings.audio?.input)?.transcription != null
  }

  /** Whether the settings in force force the model to call a function. */
  forcesCalls(): boolean {
    const choice = this.#settings.tool_choice ?? "auto"
    return choice !== "auto" && choice !== "none"
  }

  /** The server's id for the session. */
  sessionId(): string | undefined {
    return this.#inForce?.id || undefined
  }

  inputFormat(): AudioFormat {
    return formatOf(audioOf(this.#inForce)?.input?.format?.type)
  }

  outputFormat(): AudioFormat {
    return formatOf(audioOf(this.#inForce)?.output?.format?.type)
  }

  #begin(update: Update): void {
    if (this.#held === undefined) this.#transmit(update, (event) => this.#session.outbox.send(event))
    else addTo(this.#held, update)
  }

  #transmit(update: Update, transmit: (event: ClientEvent) => void): void {
    const { eventId, settings } = update
    addTo(this.#pending, update)
    const session = { ...settings, type: "realtime" } as const
    transmit({ type: "session.update", ...(eventId === undefined ? {} : { event_id: eventId }), session })
  }
}

/**
 * Finds the update that the server answers. The server answers updates in order, but an answer may be lost, and one may
 * come that nobody asked for. So the settings in the answer decide first. They need not be equal: a server trims
 * instructions, takes those of a stored prompt, or fills in a value. Only different functions certainly mean another
 * update.
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
    // A wrong match with an update that nobody waits for does no harm, so there the values decide too.
    find(({ isForgotten, reply }, { differs }) =>
      reply === undefined ? !isForgotten && differs.every((key) => key === "instructions") : !differs.includes("tools")
    ) ??
    -1
  )
}

/**
 * A comparison of a session object with an update: whether it says anything about the update, and which settings
 * differ.
 */
interface Echo {
  readonly says: boolean
  readonly differs: ReadonlyArray<string>
}

const nothing: Echo = { says: false, differs: [] }

/** Compares instructions, names of functions, and other settings that are plain text or numbers. */
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

/** Of functions: hosted servers, whose tools have no names yet, are listed in any way. */
const namesOf = (tools: unknown): string | undefined =>
  Array.isArray(tools)
    ? JSON.stringify(tools.flatMap((tool) => (Predicate.hasProperty(tool, "name") ? [tool.name] : [])))
    : undefined

/** Leaves out what whoever made the call has chosen, and a server may refuse to change: the voice, and the formats. */
const withoutSound = (settings: Update["settings"]): Update["settings"] => {
  if (settings.audio === undefined) return settings
  const { input: { format: _input, ...input } = {}, output: { format: _output, voice: _, ...output } = {} } =
    settings.audio
  return { ...settings, audio: { input, output } }
}

/** The audio settings of a session object of either type. */
const audioOf = (session: SessionObject | undefined) =>
  session !== undefined && session.type === "realtime" ? (session.audio ?? undefined) : undefined

const modalitiesOf = (session: SessionObject | undefined) =>
  session !== undefined && session.type === "realtime" ? (session.output_modalities ?? undefined) : undefined

const detectionOf = (session: SessionObject | undefined) => audioOf(session)?.input?.turn_detection ?? undefined

const formatOf = (type: string | null | undefined): AudioFormat =>
  type === "audio/pcmu" ? pcmu : type === "audio/pcma" ? pcma : pcm16
