/**
 * Servers that speak OpenAI's protocol with differences. The embedded server itself speaks OpenAI's; a dialect says what
 * becomes of its events on their way out, and of a client's on their way in.
 */
import { isObject, type JsonObject } from "./Shape.js"

/**
 * - `"openai"`: as OpenAI's own server.
 * - `"xai"`: as xAI's: `voice` and `turn_detection` at the top level of a session, a `ping` now and then, responses that
 *   are left without an end when they are stopped, and events without some of their fields.
 *
 * @since 0.1.0
 * @category options
 */
export type Dialect = "openai" | "xai"

/** What is written and read on one connection. */
export interface Wire {
  readonly outgoing: (event: JsonObject) => ReadonlyArray<JsonObject>
  readonly incoming: (text: string) => string
}

type Rewrite = (event: JsonObject) => ReadonlyArray<JsonObject>

const child = (value: unknown, key: string): JsonObject => {
  const found = isObject(value) ? value[key] : undefined
  return isObject(found) ? found : {}
}

const without = (object: JsonObject, key: string): JsonObject => {
  const { [key]: _, ...rest } = object
  return rest
}

/** A user's item follows one that nobody was told of. */
const strangelyAnchored: Rewrite = (event) => {
  const item = child(event, "item")
  const isSpoken = event["type"] === "input_audio_buffer.committed" || item["role"] === "user"
  return [isSpoken ? { ...event, previous_item_id: "item_never_announced" } : event]
}

/** After this many events comes a `ping`. */
const pingEvery = 5

const xai: {
  readonly outgoing: { readonly [type: string]: Rewrite }
  readonly session: (sent: JsonObject) => JsonObject
} = {
  outgoing: {
    "session.created": ({ event_id }) => [
      { type: "conversation.created", event_id, conversation: { id: "conv_grok" } }
    ],
    "session.updated": (event) => {
      const session = child(event, "session")
      const audio = child(session, "audio")
      const [input, output] = [child(audio, "input"), child(audio, "output")]
      const shown = { input: without(input, "turn_detection"), output: without(output, "voice") }
      const raised = { voice: output["voice"], turn_detection: input["turn_detection"] ?? null }
      return [{ ...event, session: { ...session, ...raised, audio: shown } }]
    },
    "response.done": (event) => {
      const response = child(event, "response")
      return response["status"] === "cancelled" ? [] : [{ ...event, response: { ...response, usage: {} } }]
    },
    "response.function_call_arguments.done": (event) => [without(event, "response_id")],
    "conversation.item.deleted": (event) => [{ ...event, item_id: "" }],
    "conversation.item.added": strangelyAnchored,
    "conversation.item.done": strangelyAnchored,
    "input_audio_buffer.committed": strangelyAnchored
  },
  // What OpenAI has under `audio` is not looked for there.
  session: ({ turn_detection, voice, ...session }) => {
    const audio = child(session, "audio")
    const input = without(child(audio, "input"), "turn_detection")
    const output = without(child(audio, "output"), "voice")
    return {
      ...session,
      audio: {
        input: turn_detection === undefined ? input : { ...input, turn_detection },
        output: voice === undefined ? output : { ...output, voice }
      }
    }
  }
}

const asGrok = (): Wire => {
  let count = 0
  return {
    outgoing: (event) => {
      count += 1
      const type = event["type"]
      const rewrite = typeof type === "string" && Object.hasOwn(xai.outgoing, type) ? xai.outgoing[type] : undefined
      const events = rewrite === undefined ? [event] : rewrite(event)
      return count % pingEvery === 0 ? [{ type: "ping", timestamp: count }, ...events] : events
    },
    incoming: (text) => {
      try {
        const event: unknown = JSON.parse(text)
        if (!isObject(event) || event["type"] !== "session.update" || !isObject(event["session"])) return text
        return JSON.stringify({ ...event, session: xai.session(event["session"]) })
      } catch {
        return text
      }
    }
  }
}

const unchanged: Wire = { outgoing: (event) => [event], incoming: (text) => text }

/** For one connection. */
export const wireOf = (dialect: Dialect | undefined): Wire => (dialect === "xai" ? asGrok() : unchanged)
