import * as Exit from "effect/Exit"
import type { ConversationMirror } from "../machine/Conversation.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { Connection } from "../RealtimeModel.js"
import { OutboundOverflow, type SettingsRejected } from "../SessionError.js"
import type { SessionEvent } from "../SessionEvent.js"
import type { Calls } from "./Calls.js"
import type { Configuration } from "./Configuration.js"
import type { Edits } from "./Edits.js"
import type { InputAudio } from "./InputAudio.js"
import type { Line, Link } from "./Link.js"
import type { McpApprovals } from "./McpApprovals.js"
import type { Responses } from "./Responses.js"
import { type Limits, replayOf } from "./replay.js"
import type { Speech } from "./Speech.js"

/** What of a session outlives a connection, and how another one is brought where the last one was. */
export interface Continuity {
  /** An event is on its way to the server. */
  readonly sent: (event: ClientEvent) => void
  /** There is no connection. Whether the event will be sent on the next one. */
  readonly keep: (event: ClientEvent) => boolean
  /** What was under way on a connection has ended with it. */
  readonly disconnected: (epoch: number) => void
  /** Brings the server on another connection where the last one was. */
  readonly restore: (link: Link) => void
  /** Whether this item was told to the server again: its announcement is no news. */
  readonly isReplayed: (itemId: string) => boolean
}

interface Parts {
  readonly calls: Pick<Calls<never>, "abandoned" | "disconnected" | "open" | "reconnected">
  readonly configuration: Configuration
  readonly conversation: ConversationMirror
  readonly edits: Edits
  readonly inputAudio: InputAudio
  readonly mcpApprovals: McpApprovals
  readonly responses: Responses
  readonly speech: Speech
}

export interface Environment {
  readonly newId: (prefix: string) => string
  readonly limits: Limits
  readonly line: Line
  readonly send: (event: ClientEvent) => void
  readonly sendOn: (connection: Connection, event: ClientEvent) => void
  readonly publish: (event: SessionEvent<never>) => void
  readonly end: (exit: Exit.Exit<never, SettingsRejected | OutboundOverflow>) => void
}

export const make = (parts: Parts, env: Environment): Continuity => {
  const { calls, configuration, conversation, edits, inputAudio, mcpApprovals, responses, speech } = parts
  let replayed: ReadonlySet<string> = new Set()

  const remove = (itemId: string): void => {
    edits.acknowledged(itemId)
    if (conversation.remove(itemId)) env.publish({ _tag: "ItemDeleted", itemId })
  }

  /** The conversation, what was said to it meanwhile, and the outputs of calls: in this order, for that is theirs. */
  const tell = (connection: Connection): void => {
    const open = new Set(calls.open())
    const { items, omitted, renamed } = replayOf(conversation.snapshot(), open, env.limits, env.newId)
    for (const itemId of renamed) remove(itemId)
    for (const itemId of omitted) conversation.remove(itemId)
    replayed = new Set(items.map(({ id }) => id))
    for (const item of items) {
      env.sendOn(connection, { type: "conversation.item.create", event_id: item.id, item })
    }
    const known = new Set(["root", ...replayed])
    const creations = edits.creations()
    for (const { previous_item_id: previous, ...creation } of creations) {
      const isKnown = previous !== undefined && previous !== null && known.has(previous)
      env.send(isKnown ? { ...creation, previous_item_id: previous } : creation)
      if (creation.item.id !== undefined) known.add(creation.item.id)
    }
    const deferred = creations.length + calls.reconnected()
    inputAudio.connected()
    env.publish({ _tag: "Reconnected", epoch: env.line.epoch(), replayed: items.length, omitted, deferred })
    responses.reconnected()
  }

  return {
    isReplayed: (itemId) => replayed.has(itemId),
    sent: (event) => {
      if (!edits.sent(event)) env.end(Exit.fail(new OutboundOverflow({ type: event.type })))
    },
    keep: (event) => {
      if (event.type === "conversation.item.delete") remove(event.item_id)
      return event.type === "conversation.item.create" && event.item.type !== "function_call_output"
    },
    disconnected: (epoch) => {
      responses.disconnected()
      calls.disconnected(epoch)
      speech.disconnected()
      mcpApprovals.disconnected()
      inputAudio.disconnected()
      for (const itemId of edits.takeDeletions()) remove(itemId)
      for (const item of conversation.cutShort()) {
        if (item._tag !== "FunctionCall") continue
        const { arguments: text, callId, name, id } = item
        calls.abandoned({ type: "function_call", id, call_id: callId, name, arguments: text }, undefined)
      }
    },
    restore: (link: Link) => {
      configuration.restore(
        (event) => env.sendOn(link.connection, event),
        () => {
          env.line.restored()
          tell(link.connection)
        },
        env.end
      )
    }
  }
}
