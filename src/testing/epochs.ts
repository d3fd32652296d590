import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { SessionEvent } from "../SessionEvent.js"
import { idAt } from "./beginning.js"
import { both, type Law } from "./Law.js"
import { createdItem, field, isRecord, outputOf, refusedEvent, responseIdOf, type Scene } from "./Observation.js"

/** Errors of lost races, and of actions that make no sense. */
const benignCodes: ReadonlySet<unknown> = new Set([
  "conversation_already_has_active_response",
  "response_cancel_not_active",
  "input_audio_buffer_commit_empty",
  "made_up",
  "rate_limit_exceeded",
  "server_error"
])

/** Errors of a server that keeps the conversation, and has done before what it is asked for again. */
const thereCodes: ReadonlySet<unknown> = new Set(["item_create_duplicate_id", "item_delete_invalid_item_id"])

interface Refusal {
  readonly code?: unknown
  readonly message?: unknown
}

/** `refused`: the items that the server refused before, and the calls among them. */
const isBenign = (
  { code, message }: Refusal,
  event: { readonly [key: string]: unknown },
  refused: ReadonlySet<unknown>,
  { conversation }: Scene["traits"]
): boolean => {
  // What a provider has no word for is refused for good.
  if (typeof code === "string" && code.startsWith("unsupported_")) return true
  // It may be told again what it may not have: it takes each item once.
  if (conversation === "server" && (thereCodes.has(code) || String(message).includes("already exists"))) return true
  if (benignCodes.has(code) || String(message).includes("already shorter than")) return true
  const { item, previous_item_id: previous } = event
  return refused.has(previous) || (isRecord(item) && item["type"] !== "function_call" && refused.has(item["call_id"]))
}

/** The ids by which others refer to this item. */
const namesOf = (item: unknown): ReadonlyArray<unknown> =>
  isRecord(item) ? [item["id"], item["call_id"]].filter((name) => typeof name === "string") : []

/** What exists on one connection and can be referred to. */
interface Known {
  readonly items: Set<string>
  readonly spoken: Set<string>
  readonly responses: Set<string>
  readonly calls: Set<string>
}

/** The ids in this event that this connection does not know. */
const strange = (event: ClientEvent, known: Known): ReadonlyArray<string> => {
  switch (event.type) {
    case "response.cancel":
      return event.response_id === undefined || known.responses.has(event.response_id) ? [] : [event.response_id]
    case "conversation.item.truncate":
      return known.spoken.has(event.item_id) ? [] : [`audio of ${event.item_id}`]
    case "conversation.item.delete":
      return known.items.has(event.item_id) ? [] : [event.item_id]
    case "conversation.item.create": {
      const callId = outputOf(event)?.callId
      return callId === undefined || known.calls.has(callId) ? [] : [callId]
    }
    default:
      return []
  }
}

/** Events that only the connection that carries the session may cause. */
const responseOf = (event: SessionEvent): string | undefined =>
  event._tag === "ResponseStarted" || event._tag === "TextDelta" ? event.responseId : undefined

export const epochs: Law = both(
  "Epochs",
  "Events for one connection are never sent on another, and later events from an older one are not published: the server only refuses what lost a race.",
  ({ program: { beginning }, traits }) => {
    const connections = new Map<number, Known>()
    const begunOn = new Map<string, number>()
    const sentAs = new Map<string, ClientEvent>()
    const refusedItems = new Set<unknown>()
    let newest = 0
    let before = 0
    /** What the newest connection was sent before the session said whether the conversation lives on there. */
    let early: Array<ClientEvent> | undefined

    const on = (number: number): Known => {
      // What one connection to such a server knows, they all know.
      const connection = traits.conversation === "server" ? 0 : number
      const known = connections.get(connection)
      if (known !== undefined) return known
      const fresh = { items: new Set(""), spoken: new Set(""), responses: new Set(""), calls: new Set("") }
      connections.set(connection, fresh)
      return fresh
    }

    const learnItem = (known: Known, item: unknown): void => {
      if (!isRecord(item)) return
      if (typeof item["id"] === "string") known.items.add(item["id"])
      if (item["type"] === "function_call" && typeof item["call_id"] === "string") known.calls.add(item["call_id"])
    }

    // Such a server has what another process told it.
    if (beginning._tag === "Resumed" && traits.conversation === "server") {
      for (const [index, item] of beginning.items.entries()) learnItem(on(0), { ...item, id: idAt(index) })
    }

    const learn = (connection: number, event: { readonly [key: string]: unknown }): void => {
      const known = on(connection)
      learnItem(known, event["item"])
      const output = field(event["response"], "output")
      if (Array.isArray(output)) for (const item of output) learnItem(known, item)
      if (event["type"] === "response.output_audio.delta" && typeof event["item_id"] === "string") {
        known.spoken.add(event["item_id"])
      }
      const responseId = responseIdOf(event)
      if (responseId !== undefined) {
        known.responses.add(responseId)
        begunOn.set(responseId, connection)
      }
    }

    /** A connection that was told nothing knows what the one before knew, or refuses what it is sent. */
    const goesOn = (): void => {
      const known = on(newest)
      for (const itemId of on(before).items) known.items.add(itemId)
      for (const callId of on(before).calls) known.calls.add(callId)
    }

    const violationsOf = (event: ClientEvent): ReadonlyArray<string> =>
      strange(event, on(newest)).map(
        (what) => `${event.type} was sent on connection ${newest}, which does not know ${what}.`
      )

    const reconnected = (replayed: number): ReadonlyArray<string> => {
      if (replayed === 0) goesOn()
      const events = early ?? []
      early = undefined
      return events.flatMap(violationsOf)
    }

    const outdated = (responseId: string | undefined): boolean =>
      responseId !== undefined && (begunOn.get(responseId) ?? newest) < newest

    return (moment) => {
      switch (moment._tag) {
        case "Sent": {
          const { connection, event } = moment
          if (connection < newest) return [`${event.type} was sent on connection ${connection}, after ${newest}.`]
          if (connection > newest) {
            before = newest
            early = before === 0 ? undefined : []
          }
          newest = connection
          if (event.event_id !== undefined) sentAs.set(event.event_id, event)
          early?.push(event)
          const violations = early === undefined ? violationsOf(event) : []
          if (event.type === "conversation.item.create") learnItem(on(connection), event.item)
          return violations
        }
        case "Answered": {
          learn(moment.connection, moment.event)
          const refused = sentAs.get(refusedEvent(moment) ?? "")
          const { error } = moment.event
          if (refused === undefined || !isRecord(error)) return []
          const isKnown = isBenign(error, { ...refused }, refusedItems, traits)
          for (const name of namesOf(createdItem(refused))) refusedItems.add(name)
          if (isKnown) return []
          return [`Connection ${moment.connection} refused ${JSON.stringify(refused)}: ${String(error["message"])}`]
        }
        case "Published":
          if (moment.event._tag === "Reconnected") return reconnected(moment.event.replayed)
          return outdated(responseOf(moment.event))
            ? [`${moment.event._tag} is about a connection before ${newest}.`]
            : []
        case "Played":
          return outdated(moment.chunk.responseId) ? [`Audio of a connection before ${newest} was played.`] : []
        default:
          return []
      }
    }
  },
  ({ connections, traits }) =>
    connections.flatMap(({ number, refused }) => {
      const items = new Set(refused.flatMap(({ event }) => namesOf(event["item"])))
      return refused.flatMap(({ event, refusal }) =>
        isBenign(refusal, event, items, traits)
          ? []
          : [`Connection ${number} refused ${JSON.stringify(event)}: ${refusal.message}`]
      )
    })
)
