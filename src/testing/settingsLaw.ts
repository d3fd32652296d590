import { both, type Law } from "./Law.js"
import { isRecord, type Moment } from "./Observation.js"

/**
 * Settings that an agent may change over time, that a program changes, or that belong to the connection: they may
 * differ each time an agent has the conversation.
 */
const others: ReadonlySet<string> = new Set(["id", "expires_at", "instructions", "tools", "max_output_tokens"])

/** As text, independent of the order of the fields. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) =>
    isRecord(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) : one
  )

const settingsOf = (moment: Moment): string | undefined => {
  if (moment._tag !== "Answered" || moment.event["type"] !== "session.updated") return undefined
  const { session } = moment.event
  return isRecord(session)
    ? textOf(Object.fromEntries(Object.entries(session).filter(([key]) => !others.has(key))))
    : undefined
}

export const settings: Law = both(
  "Settings",
  "An agent has the same settings whenever it has the conversation, whoever had it before, and on each connection.",
  () => {
    const known = new Map<string, string>()
    let agent = ""
    let latest: string | undefined
    return (moment) => {
      latest = settingsOf(moment) ?? latest
      if (moment._tag !== "Published") return []
      const { event } = moment
      if (event._tag === "SessionStarted") agent = event.agent
      else if (event._tag === "HandedOff") agent = event.to
      else if (event._tag !== "Reconnected") return []
      if (latest === undefined) return []
      const before = known.get(agent)
      known.set(agent, before ?? latest)
      return before === undefined || before === latest
        ? []
        : [`${agent} has different settings than before: ${latest} instead of ${before}.`]
    }
  }
)
