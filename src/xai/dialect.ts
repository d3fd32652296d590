/**
 * Grok's voice API differs from OpenAI's in a few fields and events. What goes out has its own shape; what comes in is
 * completed, so that a session sees what OpenAI would have sent.
 */
import * as Predicate from "effect/Predicate"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import { type DecodeOptions, decodeServerFrame, encodeClientEvent, type ServerFrame } from "../protocol/Codec.js"
import { parseJson } from "../protocol/nesting.js"
import type { RealtimeSession } from "../protocol/SessionConfig.js"
import type { Dialect, Step } from "../realtimeModel/Dialect.js"

type Json = { readonly [key: string]: unknown }

/** How many deletions may wait for a confirmation, which does not say what it confirms. The oldest is forgotten first. */
export const maxDeletions = 256

/** How many items are remembered with their responses. The oldest is forgotten first. */
export const maxItems = 256

const nothing: Step = { send: [], frames: [] }

const child = (value: unknown, key: string): Json => {
  const found = Predicate.isRecord(value) ? value[key] : undefined
  return Predicate.isRecord(found) ? found : {}
}

/** `voice` and `turn_detection` are at the top level there. */
const raised = ({ audio, ...session }: RealtimeSession): Json => {
  if (audio === undefined) return session
  const { turn_detection, ...input } = audio.input ?? {}
  const { voice, ...output } = audio.output ?? {}
  return {
    ...session,
    ...(turn_detection === undefined ? {} : { turn_detection }),
    ...(voice === undefined ? {} : { voice }),
    audio: { ...(audio.input === undefined ? {} : { input }), ...(audio.output === undefined ? {} : { output }) }
  }
}

/** The same settings, where OpenAI has them. A setting that the server does not name stays unnamed. */
const lowered = (session: Json): Json => {
  const { turn_detection, voice, ...rest } = session
  const audio = child(rest, "audio")
  return {
    ...rest,
    type: rest["type"] ?? "realtime",
    audio: {
      ...audio,
      input: { ...child(audio, "input"), ...(turn_detection === undefined ? {} : { turn_detection }) },
      output: { ...child(audio, "output"), ...(voice === undefined ? {} : { voice }) }
    }
  }
}

/** A response that was stopped: Grok does not always say that it is over. */
const stopped = (id: string, reason: "turn_detected" | "client_cancelled"): ServerFrame => ({
  _tag: "Known",
  event: {
    type: "response.done",
    response: { id, object: "realtime.response", status: "cancelled", status_details: { type: "cancelled", reason } }
  }
})

const parsed = (text: string): Json | undefined => {
  try {
    const json = parseJson(text)
    return Predicate.isRecord(json) ? json : undefined
  } catch {
    return undefined
  }
}

class Grok implements Dialect {
  /** The response of the conversation that has begun, and that nobody has said to be over. */
  #active: string | undefined
  /** The user speaks into it. */
  #isInterrupted = false
  #interrupts = true
  readonly #deletions: Array<{ readonly itemId: string; readonly eventId: string | undefined }> = []
  readonly #responseOf = new Map<string, string>()

  read = (text: string, options: DecodeOptions): Step => {
    const json = text.length > (options.maxFrameLength ?? text.length) ? undefined : parsed(text)
    const type = json?.["type"]
    if (json === undefined || typeof type !== "string") return { send: [], frames: [decodeServerFrame(text, options)] }
    // Only says that the connection lives, which any message does.
    if (type === "ping") return nothing
    const completed = this.#completed(type, json)
    const frame = decodeServerFrame(completed === json ? text : JSON.stringify(completed), options)
    return { send: [], frames: [...this.#ended(type, json), frame] }
  }

  write = (event: ClientEvent): Step => {
    switch (event.type) {
      case "session.update": {
        if (event.session.type !== "realtime") break
        const detection = event.session.audio?.input?.turn_detection
        if (detection !== undefined) this.#interrupts = detection !== null && detection.interrupt_response !== false
        return { send: [JSON.stringify({ ...event, session: raised(event.session) })], frames: [] }
      }
      case "conversation.item.delete":
        this.#deletions.push({ itemId: event.item_id, eventId: event.event_id })
        if (this.#deletions.length > maxDeletions) this.#deletions.shift()
        break
      case "response.cancel": {
        const id = event.response_id ?? this.#active
        const ends = id !== undefined && id === this.#active
        if (ends) this.#active = undefined
        return { send: [encodeClientEvent(event)], frames: ends ? [stopped(id, "client_cancelled")] : [] }
      }
    }
    return { send: [encodeClientEvent(event)], frames: [] }
  }

  /** With what Grok leaves out, or leaves empty. */
  #completed(type: string, json: Json): Json {
    switch (type) {
      case "session.created":
      case "session.updated":
        return { ...json, session: lowered(child(json, "session")) }
      case "response.done": {
        const response = child(json, "response")
        const usage = response["usage"]
        const isEmpty = Predicate.isRecord(usage) && Object.keys(usage).length === 0
        return isEmpty ? { ...json, response: { ...response, usage: null } } : json
      }
      case "conversation.item.deleted": {
        const id = json["item_id"]
        if (typeof id !== "string" || id === "") return { ...json, item_id: this.#deletions.shift()?.itemId ?? "" }
        this.#deleted(({ itemId }) => itemId === id)
        return json
      }
      case "error": {
        const refused = child(json, "error")["event_id"]
        this.#deleted(({ eventId }) => eventId !== undefined && eventId === refused)
        return json
      }
      case "response.output_item.added": {
        const { id } = child(json, "item")
        if (typeof id === "string" && typeof json["response_id"] === "string") {
          this.#responseOf.set(id, json["response_id"])
          for (const oldest of this.#responseOf.keys()) {
            if (this.#responseOf.size <= maxItems) break
            this.#responseOf.delete(oldest)
          }
        }
        return json
      }
      default: {
        if (!type.startsWith("response.function_call_arguments.") || typeof json["response_id"] === "string")
          return json
        const itemId = json["item_id"]
        const known = typeof itemId === "string" ? this.#responseOf.get(itemId) : undefined
        return {
          ...json,
          item_id: itemId ?? "",
          output_index: json["output_index"] ?? 0,
          response_id: known ?? this.#active ?? ""
        }
      }
    }
  }

  #deleted(isMeant: (deletion: { readonly itemId: string; readonly eventId: string | undefined }) => boolean): void {
    const index = this.#deletions.findIndex(isMeant)
    if (index >= 0) this.#deletions.splice(index, 1)
  }

  /** The end of a response that was left without one: at the latest when the user's turn is over, or another begins. */
  #ended(type: string, json: Json): ReadonlyArray<ServerFrame> {
    switch (type) {
      case "response.created": {
        const { conversation_id, id } = child(json, "response")
        if (typeof id !== "string" || conversation_id === null) return []
        const left = this.#active
        this.#active = id
        this.#isInterrupted = false
        return left === undefined || left === id ? [] : [stopped(left, "turn_detected")]
      }
      case "response.done":
        if (child(json, "response")["id"] === this.#active) this.#active = undefined
        return []
      case "input_audio_buffer.speech_started":
        this.#isInterrupted = this.#interrupts && this.#active !== undefined
        return []
      case "input_audio_buffer.speech_stopped":
      case "input_audio_buffer.committed":
      case "input_audio_buffer.cleared": {
        const left = this.#isInterrupted ? this.#active : undefined
        this.#isInterrupted = false
        if (left === undefined) return []
        this.#active = undefined
        return [stopped(left, "turn_detected")]
      }
      default:
        return []
    }
  }
}

export const make = (): Dialect => new Grok()
