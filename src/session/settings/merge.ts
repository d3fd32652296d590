import * as Predicate from "effect/Predicate"
import type { RealtimeSession } from "../../protocol/SessionConfig.js"

/** Objects that differ in one of these fields are different things: fields of one have no meaning in the other. */
const identity = ["type", "id", "server_label"]

/**
 * Merges settings into others, field by field, to any depth: fields that `upper` does not name keep their value from
 * `lower`. Lists, and objects of another kind (another type of turn detection, another stored prompt), are replaced as
 * a whole.
 */
export const merge = <A>(lower: A, upper: A): A => {
  if (upper === undefined) return lower
  if (!Predicate.isRecord(lower) || !Predicate.isRecord(upper)) return upper
  if (identity.some((key) => lower[key] !== upper[key] && key in lower && key in upper)) return upper
  const both = Object.keys(upper).filter((key) => key in lower)
  return { ...lower, ...upper, ...Object.fromEntries(both.map((key) => [key, merge(lower[key], upper[key])])) }
}

type Settings = Omit<RealtimeSession, "type">

const mergedIn = <S extends object>(lower: S | undefined, upper: S): S => {
  const merged = { ...upper }
  if (lower !== undefined) for (const key in upper) merged[key] = merge(lower[key], upper[key])
  return merged
}

/** Completes each object in an update with what is known, because a server may replace an object as a whole. */
export const completed = (known: Settings, update: Settings): Settings => {
  const { audio, ...others } = update
  if (audio === undefined) return mergedIn(known, others)
  return {
    ...mergedIn(known, others),
    audio: {
      ...audio,
      ...(audio.input === undefined ? {} : { input: mergedIn(known.audio?.input, audio.input) }),
      ...(audio.output === undefined ? {} : { output: mergedIn(known.audio?.output, audio.output) })
    }
  }
}

/** The settings of a server after an update: the last value of each setting. */
export const updated = (settings: Settings, update: Settings): Settings => {
  const [before, after] = [settings.audio, update.audio]
  const both = { ...settings, ...update }
  if (before === undefined || after === undefined) return both
  const audio = {
    ...before,
    ...after,
    ...(before.input && after.input ? { input: { ...before.input, ...after.input } } : {}),
    ...(before.output && after.output ? { output: { ...before.output, ...after.output } } : {})
  }
  return { ...both, audio }
}
