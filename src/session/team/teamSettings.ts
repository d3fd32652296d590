import * as Effect from "effect/Effect"
import * as Agent from "../../Agent.js"
import { SettingsInvalid, type SettingsProblem } from "../../SessionError.js"
import type { Options } from "../options.js"
import { merge } from "../settings/merge.js"
import { problem, problemsOf } from "../settings/settings.js"

type Wishes<A> = ReadonlyArray<{ readonly agent: string; readonly wish: A }>

/** The different values that agents ask for, each with the first agent that asks for it. */
const wishesOf = <A>(agents: ReadonlyArray<Agent.Agent>, ask: (settings: Agent.Settings) => A | null | undefined) => {
  const wishes = new Map<string, Wishes<A>[number]>()
  for (const { name, settings } of agents) {
    const wish = ask(settings)
    if (wish === undefined || wish === null) continue
    const key = JSON.stringify(wish)
    if (!wishes.has(key)) wishes.set(key, { agent: name, wish })
  }
  return [...wishes.values()]
}

const listed = (wishes: Wishes<unknown>): string =>
  wishes.map(({ agent, wish }) => `${agent} asks for ${JSON.stringify(wish)}`).join(", ")

/** An agent that only writes has no voice. */
const voiceOf = ({ audio, output_modalities: modalities }: Agent.Settings) =>
  modalities !== undefined && !modalities.includes("audio") ? undefined : audio?.output?.voice

/**
 * Settings for every agent of a team: the session's settings, and the voice, because it cannot change once the model
 * has spoken, whoever speaks next. Settings of any reachable agent that a server would refuse later are an error now.
 */
export const teamSettings = (
  agent: Agent.Agent,
  { model, onDifferentVoices, settings = {} }: Options<never>
): Effect.Effect<Agent.Settings, SettingsInvalid> => {
  const agents = Agent.reachable(agent)
  const ownSettings = agents.map((one) => ({ ...one, settings: merge(one.settings, settings) }))
  const voices = wishesOf(ownSettings, voiceOf)
  const traces = wishesOf(ownSettings, ({ tracing }) => tracing)
  const problems: Array<SettingsProblem> = ownSettings.flatMap((one) =>
    problemsOf(one.settings, { model, audioHeard: false, tracingOn: false, toolNames: Agent.functionNames(one) })
  )
  if (voices.length > 1 && onDifferentVoices !== "keepFirst") {
    const voice = `cannot change once the model has spoken, but ${listed(voices)}: give all agents one voice, or keep the first with onDifferentVoices: "keepFirst".`
    problems.push(problem("session.audio.output.voice", voice))
  }
  if (traces.length > 1) {
    const trace = `cannot change once it is on, but ${listed(traces)}: give all agents the same.`
    problems.push(problem("session.tracing", trace))
  }
  if (problems.length > 0) return new SettingsInvalid({ problems })
  const [first] = voices
  return Effect.succeed(first === undefined ? settings : merge(settings, { audio: { output: { voice: first.wish } } }))
}
