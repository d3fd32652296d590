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

interface Update {
  readonly eventId: string | undefined
  readonly settings: Omit<RealtimeSession, "type">
  reply: ((exit: Exit.Exit<void, SettingsRejected>) => void) | undefined
  /** Nobody wants it any more. */
  isForgotten: boolean
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

/**
 * The settings on their way to the server, and those in force. `session.updated` names no event of ours, but the server
 * answers updates in their order; a refusal names the event.
 */
export class Configuration {
  readonly #session: Parts
  readonly #pending: Array<Update> = []
  /** What was sent and confirmed, all updates together. */
  #settings: Update["settings"] = {}
  #inForce: SessionObject | undefined
  /** What waits until a new connection has the settings of the old. */
  #held: Array<Update> | undefined
  /** The settings of the old: sent anew on each connection, and of no use once that is lost. */
  #restoring: Update | undefined

  constructor(session: Parts) {
    this.#session = session
  }

  update({ type: _, ...settings }: RealtimeSession): {
    readonly send: (reply: (exit: Exit.Exit<void, SettingsRejected>) => void) => void
    /** Nobody waits for this one any more; its place in the order stays. */
    readonly forget: () => void
  } {
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

  /** Sends settings as the application gives them: their confirmation is nobody's, but has its place in the order. */
  sendRaw(settings: Omit<RealtimeSession, "type">, eventId: string | undefined): void {
    this.#begin({ eventId, settings, reply: undefined, isForgotten: false })
  }

  confirmed(session: SessionObject): void {
    this.#inForce = session
    const index = answeredBy(session, this.#pending)
    const update = index < 0 ? undefined : this.#pending.splice(0, index + 1).at(-1)
    if (update === undefined) return
    this.#settings = updated(this.#settings, update.settings)
    update.reply?.(Exit.void)
  }

  /** Whether the refused event was an update. */
  refused(eventId: string | undefined, { code, message, param }: ServerError): boolean {
    const pending = this.#pending
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
  }

  /**
   * A new connection knows no settings: those in force are sent there with `transmit`, and when the server has confirmed
   * them, what was on its way to the old one.
   */
  restore(
    transmit: (event: ClientEvent) => void,
    restored: () => void,
    rejected: (exit: Exit.Exit<never, SettingsRejected>) => void
  ): void {
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
    this.#restoring = { eventId: this.#session.newId("upd"), settings: this.#settings, reply, isForgotten: false }
    this.#transmit(this.#restoring, transmit)
  }

  /** Nothing is on its way to the server. */
  isSettled(): boolean {
    // A server that never answered an update, which nobody waits for any more, does not settle it later either.
    return this.#held === undefined && this.#pending.every(({ isForgotten }) => isForgotten)
  }

  /** The update with what is known of the objects in it: what it does not name stays as it is. */
  completed(update: Omit<RealtimeSession, "type">): Omit<RealtimeSession, "type"> {
    return completed(this.sentSettings(), update)
  }

  /** What was sent, all updates together: also what the server has not confirmed yet. */
  sentSettings(): Omit<RealtimeSession, "type"> {
    return [...this.#pending, ...(this.#held ?? [])].map(({ settings }) => settings).reduce(updated, this.#settings)
  }

  /** What was sent and confirmed, all updates together. */
  confirmedSettings(): Omit<RealtimeSession, "type"> {
    return this.#settings
  }

  /** The name of the model, as the server says it. */
  model(): string | undefined {
    return this.#inForce?.type === "realtime" ? (this.#inForce.model ?? undefined) : undefined
  }

  /** Without what can not change any more, so that it stays as it is: the voice, once the model has spoken. */
  withoutFixed<S extends Pick<RealtimeSession, "audio">>(settings: S): S {
    if (!this.#session.hasSpoken() || settings.audio?.output?.voice === undefined) return settings
    const { voice: _, ...output } = settings.audio.output
    return { ...settings, audio: { ...settings.audio, output } }
  }

  /** What a server would refuse of these settings, known before they are sent. */
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

  /** Whether the server answers the user's speech by itself: with turn detection on, unless it is told not to. */
  serverReplies(): boolean {
    const detection = detectionOf(this.#inForce)
    return detection !== undefined && detection.create_response !== false
  }

  /** Whether the server stops speaking when the user begins: with turn detection on, unless it is told not to. */
  speechInterrupts(): boolean {
    const detection = detectionOf(this.#inForce)
    return detection !== undefined && detection.interrupt_response !== false
  }

  /** Whether the server tells the turns of the user apart; if not, the application does (push-to-talk). */
  detectsTurns(): boolean {
    return detectionOf(this.#inForce) !== undefined
  }

  /** Whether the model speaks, or only writes. */
  speaks(): boolean {
    const modalities = modalitiesOf(this.#inForce) ?? this.#settings.output_modalities
    return modalities?.includes("audio") ?? true
  }

  /** Whether the server writes down what the user says. */
  transcribes(): boolean {
    return (audioOf(this.#inForce)?.input ?? this.#settings.audio?.input)?.transcription != null
  }

  /** Whether the settings in force make the model call something, whatever there is to say. */
  forcesCalls(): boolean {
    const choice = this.#settings.tool_choice ?? "auto"
    return choice !== "auto" && choice !== "none"
  }

  /** As the server names it. */
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
