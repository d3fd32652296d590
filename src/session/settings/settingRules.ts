/**
 * Rules for settings that servers are known to refuse although their shape is right: ranges, old names, and rules that
 * depend on the model or on the session's history.
 */
import * as Predicate from "effect/Predicate"
import type * as Agent from "../../Agent.js"
import { written } from "../../common/written.js"

/**
 * The session that the settings are for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Context {
  /** If the model is not known, or is not one of OpenAI's, no rule for models applies. */
  readonly model: string | undefined
  /** Whether the model has spoken in this session: its voice can then no longer change. */
  readonly audioHeard: boolean
  /** Whether the session is traced: the trace's settings can then no longer change. */
  readonly tracingOn: boolean
  /** The functions that the model may call once the settings are in force, as far as that is known. */
  readonly toolNames: ReadonlyArray<string> | undefined
  /** The settings in force, to find out whether a voice or a trace has changed. Default: those of a new session. */
  readonly current?: Agent.Settings | undefined
}

interface Limit {
  readonly wanted: string
  readonly holds?: (value: unknown) => boolean
}

const range = (kind: string, min: number, max: number, also = ""): Limit => ({
  wanted: `${kind} from ${min} to ${max}${also}`,
  holds: (value) => typeof value !== "number" || (value >= min && value <= max)
})

const detection = "audio.input.turn_detection"

const format: Limit = { wanted: 'an object such as { type: "audio/pcm", rate: 24000 }' }
const padding: Limit = { wanted: "whole milliseconds, 0 or more" }
const rate: Limit = { wanted: "24000, to which other audio must be resampled" }

/** By the path of the field in `session`. */
const byPath = <A>(entries: Readonly<Record<string, A>>): ReadonlyMap<string, A> =>
  new Map(Object.entries(entries).map(([path, entry]) => [`session.${path}`, entry]))

/** The ranges are from OpenAI's API reference. */
export const limits: ReadonlyMap<string, Limit> = byPath<Limit>({
  "audio.output.speed": range("a number", 0.25, 1.5),
  [`${detection}.threshold`]: range("a number", 0, 1),
  [`${detection}.idle_timeout_ms`]: range("whole milliseconds", 5_000, 30_000, ", or null"),
  [`${detection}.prefix_padding_ms`]: padding,
  [`${detection}.silence_duration_ms`]: padding,
  max_output_tokens: range("a whole number", 1, 4_096, ', or "inf"'),
  "truncation.retention_ratio": range("a number", 0, 1),
  output_modalities: {
    wanted: '["audio"] or ["text"]',
    holds: (value) => Array.isArray(value) && value.length === 1
  },
  "audio.input.format": format,
  "audio.output.format": format,
  "audio.input.format.rate": rate,
  "audio.output.format.rate": rate
})

const ofTheAgent = "belong to the agent: give them to Agent.make."

const renamed = (name: string) => `has been called ${name} since the beta ended: move it there.`

/**
 * Keys that callers may bring from the beta, from other parts of this library, or from another type of turn detection.
 */
export const strays: ReadonlyMap<string, string> = byPath<string>({
  temperature: "is no longer in the protocol: leave it out.",
  modalities: renamed("output_modalities"),
  voice: renamed("audio.output.voice"),
  speed: renamed("audio.output.speed"),
  input_audio_format: renamed("audio.input.format"),
  output_audio_format: renamed("audio.output.format"),
  input_audio_noise_reduction: renamed("audio.input.noise_reduction"),
  input_audio_transcription: renamed("audio.input.transcription"),
  turn_detection: renamed(detection),
  max_response_output_tokens: renamed("max_output_tokens"),
  instructions: ofTheAgent,
  tools: ofTheAgent,
  model: "is chosen when the session connects: give it to Session.make.",
  type: "is always the same: leave it out.",
  [`${detection}.idle_timeout_ms`]: 'is for { type: "server_vad" } only: leave it out, or change the type.'
})

type Rule = (value: unknown, context: Context) => string | undefined

/** OpenAI models without reasoning. `gpt-realtime-2025-08-28` is one, `gpt-realtime-2` is not. */
const unreasoning = /^gpt-(4o-(mini-)?realtime-preview|audio|realtime$|realtime-(1\.5|mini|20\d\d-))/

const reasoningOnly: Rule = (_, { model }) =>
  model !== undefined && unreasoning.test(model)
    ? `is not for ${model}: leave it out, or use a model that reasons, such as gpt-realtime-2.`
    : undefined

/** A field of a value that may not be an object. */
export const child = (value: unknown, key: string): unknown =>
  Predicate.isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined

const unchanged = (since: string, before: unknown, value: unknown): string | undefined =>
  before !== undefined && written(before) === written(value)
    ? undefined
    : `cannot change once ${since}: choose it before, or begin another session.`

const longerThan = (text: string, length: number) => text.length > length && Array.from(text).length > length

export const rules: ReadonlyMap<string, Rule> = byPath<Rule>({
  reasoning: reasoningOnly,
  parallel_tool_calls: reasoningOnly,
  "audio.output.voice": (voice, { audioHeard, current }) =>
    audioHeard ? unchanged("the model has spoken", current?.audio?.output?.voice, voice) : undefined,
  tracing: (tracing, { current, tracingOn }) =>
    tracingOn ? unchanged("it is on", current?.tracing, tracing) : undefined,
  "tracing.metadata": (metadata) => {
    if (!Predicate.isRecord(metadata) || written(metadata) === undefined) return "should be an object of JSON values."
    const entries = Object.entries(metadata)
    if (entries.length > 16) return `should have at most 16 entries, but has ${entries.length}.`
    if (entries.some(([key]) => longerThan(key, 64))) return "should have keys of at most 64 characters."
    const tooLong = entries.find(([, value]) => typeof value === "string" && longerThan(value, 512))
    return tooLong && `should have values of at most 512 characters: shorten that of ${JSON.stringify(tooLong[0])}.`
  },
  tool_choice: (choice, { toolNames }) => {
    const name = child(choice, "type") === "function" ? child(choice, "name") : undefined
    if (typeof name !== "string" || toolNames === undefined || toolNames.includes(name)) return undefined
    const known = toolNames.length === 0 ? "it has none" : `it has ${toolNames.join(", ")}`
    return `names ${JSON.stringify(name)}, which is not a function of the agent: ${known}.`
  }
})
