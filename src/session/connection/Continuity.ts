import * as Exit from "effect/Exit"
import type { Item } from "../../Conversation.js"
import type { Recovered } from "../../journal/Fold.js"
import type { ConversationMirror } from "../../machine/Conversation.js"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { ServerError } from "../../protocol/ServerEvent.js"
import { mayPass } from "../../protocol/Severity.js"
import type { Connection } from "../../RealtimeModel.js"
import { OutboundOverflow, type SettingsRejected } from "../../SessionError.js"
import type { SessionEvent } from "../../SessionEvent.js"
import type { Calls } from "../calls/Calls.js"
import type { HostedCalls } from "../calls/HostedCalls.js"
import { type Cuts, truncation } from "../conversation/Cuts.js"
import { type Edits, outlives } from "../conversation/Edits.js"
import type { Hearing } from "../conversation/Hearing.js"
import { isEmpty, paramOf } from "../conversation/itemParam.js"
import { type Limits, replayOf } from "../conversation/replay.js"
import type { Transcripts } from "../conversation/Transcripts.js"
import type { TurnAudio } from "../conversation/TurnAudio.js"
import type { Recorder } from "../Recorder.js"
import type { Responses } from "../Responses.js"
import type { Speech } from "../Speech.js"
import type { Configuration } from "../settings/Configuration.js"
import type { InputAudio } from "./InputAudio.js"
import type { Line, Link } from "./Link.js"

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
  /** Takes up what another process left: after the settings, on the connection that the session begins with. */
  readonly resume: (recovered: Omit<Recovered, "sessionId" | "agent" | "settings">) => void
  /** Whether this item was told to the server again: its announcement is no news. */
  readonly isReplayed: (itemId: string) => boolean
  /** Whether the server did not take this call at first, and was told it once more. */
  readonly isToldAgain: (callId: string) => boolean
  /** The server did not take this event. Whether it is told the item of it again. */
  readonly refused: (eventId: string, error: ServerError) => boolean
  /** This is what is left of an item. A server that was told more of it has it replaced. */
  readonly correct: (item: Item) => void
  /** Whether this event was sent again to a server that may have carried it out already. */
  readonly isResent: (eventId: string) => boolean
}

interface Parts {
  readonly calls: Pick<Calls<never>, "abandoned" | "carryOn" | "disconnected" | "open" | "reconnected" | "recover">
  readonly configuration: Configuration
  readonly conversation: ConversationMirror
  readonly hearing: Pick<Hearing, "owed" | "renamed">
  readonly cuts: Pick<Cuts, "ended" | "leftBehind">
  readonly edits: Edits
  readonly inputAudio: InputAudio
  readonly hostedCalls: HostedCalls
  readonly responses: Responses
  readonly speech: Speech
  readonly transcripts: Transcripts
  readonly turnAudio: TurnAudio
}

export interface Environment {
  readonly newId: (prefix: string) => string
  readonly limits: Limits
  readonly line: Line
  readonly send: (event: ClientEvent) => void
  readonly sendOn: (connection: Connection, event: ClientEvent) => void
  /** Called when all that was wanted before is done. */
  readonly afterwards: (act: () => void) => void
  readonly recorder: Recorder
  readonly publish: (event: SessionEvent<never>) => void
  readonly end: (exit: Exit.Exit<never, SettingsRejected | OutboundOverflow>) => void
}

/** What another connection was told. */
interface Told {
  readonly replayed: number
  /** Not at all, or not whole. */
  readonly omitted: ReadonlyArray<string>
  readonly deferred: number
}

const nothingTold: Told = { replayed: 0, omitted: [], deferred: 0 }

/** The model had not spoken yet, or not to its end: behind what it said or did last, there is something to answer. */
const isAwaitingAnswer = (
  items: ReadonlyArray<Item>,
  isToAnswer: (itemId: string) => boolean,
  isTold: (itemId: string) => boolean
): boolean => {
  const isBehind = (item: Item): boolean =>
    item._tag === "FunctionCallOutput" || (item._tag === "Message" && item.role === "system")
  const last = items.findLast((item) => isTold(item.id) && (isToAnswer(item.id) || !isBehind(item)))
  return last !== undefined && isToAnswer(last.id)
}

/** The responses of the calls that nobody has spoken after. */
const lastResponses = (items: ReadonlyArray<Item>, openCalls: Recovered["openCalls"]): ReadonlyArray<string> => {
  const after = items.findLastIndex(({ _tag }) => _tag === "Message")
  const last = new Set(items.slice(after + 1).flatMap((item) => (item._tag === "FunctionCall" ? item.callId : [])))
  return openCalls.flatMap(({ callId, responseId }) => (responseId !== undefined && last.has(callId) ? responseId : []))
}

/** How often an item is told to one server that lacks what it is to follow. */
const timesToldAtMost = 4

/** Refused for its place, and not for what it is. */
const lacksPrevious = ({ message, param }: ServerError): boolean =>
  param?.endsWith("previous_item_id") === true || /previous item/i.test(message)

export const make = (parts: Parts, env: Environment): Continuity => {
  const {
    calls,
    configuration,
    conversation,
    cuts,
    edits,
    hearing,
    hostedCalls,
    inputAudio,
    responses,
    speech,
    transcripts,
    turnAudio
  } = parts
  let replayed = new Set<string>()
  /** How often items were told to this server that it refused. */
  const timesTold = new Map<string, number>()
  /** What it did not take, and another server may. */
  const untaken = new Set<string>()
  /** What no server has, but for the last: all that another one is told. */
  let before: ReadonlySet<string> = new Set()
  let resent: ReadonlySet<string> = new Set()
  /** The conversation lives on the server, whoever is connected: as the provider says, or as the server shows. */
  let livesOn = false

  /** Another server is told these items, and has refused none. */
  const beginTelling = (itemIds: ReadonlyArray<string>): void => {
    replayed = new Set(itemIds)
    timesTold.clear()
    untaken.clear()
  }

  /** Here at once. The server, if it still has it, is told when there is a connection. */
  const remove = (itemId: string): void => {
    turnAudio.forget(itemId)
    if (!conversation.remove(itemId)) return
    env.recorder.removed(itemId)
    env.publish({ _tag: "ItemDeleted", itemId })
  }

  /** The item stays where it is, under an id that a client may give. */
  const rename = (from: string, to: string): void => {
    const item = conversation.rename(from, to)
    if (item === undefined) return
    turnAudio.rename(from, to)
    hearing.renamed(from, to)
    env.publish({ _tag: "ItemDeleted", itemId: from })
    env.publish({ _tag: "ItemAdded", item })
  }

  /** The item that it follows, of those that the server has or is told again. */
  const placeOf = (itemId: string): string => {
    let previous = conversation.previousOf(itemId) ?? "root"
    while (previous !== "root" && untaken.has(previous)) previous = conversation.previousOf(previous) ?? "root"
    return previous
  }

  /**
   * Once more, in its place; one that only lacked what it was to follow is told until that is there, within a bound. What
   * the server refuses for good leaves the conversation. What it may take another time stays, for the next connection.
   */
  const refused = (itemId: string, error: ServerError): boolean => {
    const item = conversation.get(itemId)
    if (item === undefined || !replayed.has(itemId)) return false
    const connection = env.line.connection()
    const param = paramOf(item, itemId, turnAudio.told)
    const times = timesTold.get(itemId) ?? 1
    const isSpent = times >= (lacksPrevious(error) ? timesToldAtMost : 2)
    if (connection === undefined || param === undefined || isSpent) {
      replayed.delete(itemId)
      if (mayPass(error) || lacksPrevious(error)) untaken.add(itemId)
      else remove(itemId)
      return false
    }
    timesTold.set(itemId, times + 1)
    const previous_item_id = placeOf(itemId)
    env.sendOn(connection, { type: "conversation.item.create", event_id: itemId, previous_item_id, item: param })
    return true
  }

  const correct = (item: Item): void => {
    const connection = env.line.connection()
    if (connection === undefined || !replayed.has(item.id)) return
    const previous_item_id = conversation.previousOf(item.id)
    env.sendOn(connection, { type: "conversation.item.delete", event_id: env.newId("del"), item_id: item.id })
    // A deleted id may not be used again at once.
    const id = env.newId("itm")
    const param = paramOf(item, id, turnAudio.told)
    if (previous_item_id === undefined || param === undefined || isEmpty(param)) {
      remove(item.id)
      return
    }
    env.sendOn(connection, { type: "conversation.item.create", event_id: id, previous_item_id, item: param })
    replayed.add(id)
    rename(item.id, id)
  }

  /**
   * A server that has the conversation is told what it may not have heard, under the same ids: it takes each item once.
   * Outputs of calls come last, so that the model has all before it goes on.
   */
  const tellTheRest = (): Told => {
    beginTelling([])
    const waiting = edits.unacknowledged()
    for (const event of waiting) env.send(event)
    const outputs = calls.reconnected("same")
    // Those are among them.
    resent = new Set([...waiting, ...edits.outputs()].flatMap(({ event_id: id }) => id ?? []))
    inputAudio.connected()
    return { replayed: 0, omitted: [], deferred: waiting.length + outputs }
  }

  /** The conversation, the outputs of its calls, and what was said meanwhile: a deferred result may be among that. */
  const tell = (connection: Connection): Told => {
    if (livesOn) return tellTheRest()
    resent = new Set()
    const open = new Set(calls.open())
    // What was said on this connection already, its server has.
    const toTell = { items: conversation.snapshot().items.filter(({ id }) => before.has(id)) }
    const { incomplete, items, omitted, renamed } = replayOf(toTell, open, env.limits, env.newId, turnAudio.told)
    for (const { from, to } of renamed) rename(from, to)
    for (const itemId of omitted) {
      conversation.remove(itemId)
      turnAudio.forget(itemId)
    }
    beginTelling(items.map(({ id }) => id))
    // In front of what is said meanwhile.
    let previous_item_id = "root"
    for (const item of items) {
      env.sendOn(connection, { type: "conversation.item.create", event_id: item.id, previous_item_id, item })
      previous_item_id = item.id
    }
    edits.begunAnew()
    const outputs = calls.reconnected("another")
    const known = new Set(["root", ...replayed])
    const creations = edits.creations()
    for (const { previous_item_id: previous, ...creation } of creations) {
      const isKnown = previous !== undefined && previous !== null && known.has(previous)
      env.send(isKnown ? { ...creation, previous_item_id: previous } : creation)
      if (creation.item.id !== undefined) known.add(creation.item.id)
    }
    inputAudio.connected()
    return { replayed: items.length, omitted: [...omitted, ...incomplete], deferred: creations.length + outputs }
  }

  /** No more of it was heard when the process before ended. A server that has the conversation has all of it. */
  const leftBehind = (item: Item, isOwed: boolean): void => {
    cuts.leftBehind(item, isOwed)
    if (!livesOn || item._tag !== "Message") return
    for (const [contentIndex, part] of item.content.entries()) {
      if (part._tag !== "Audio" || part.cut === undefined) continue
      env.send(truncation(env.newId("trc"), { itemId: item.id, contentIndex, heardMs: part.cut.heardMs }))
    }
  }

  /** One response sees it all: it is asked for when the outputs are on the wire. */
  const askAgain = (): void => env.afterwards(responses.reconnected)

  return {
    isReplayed: (itemId) => replayed.has(itemId),
    isToldAgain: (callId) =>
      Array.from(timesTold.keys()).some((itemId) => {
        const item = conversation.get(itemId)
        return item?._tag === "FunctionCall" && item.callId === callId
      }),
    refused,
    correct,
    isResent: (eventId) => resent.has(eventId),
    sent: (event) => {
      turnAudio.sent(event)
      // The server's word for an item that comes first, no previous one, also means the last.
      if (
        event.type === "conversation.item.create" &&
        event.previous_item_id === "root" &&
        event.item.id !== undefined
      ) {
        conversation.expectFirst(event.item.id)
      }
      if (!edits.sent(event)) env.end(Exit.fail(new OutboundOverflow({ type: event.type })))
    },
    keep: (event) => {
      if (event.type === "conversation.item.delete") remove(event.item_id)
      return event.type === "conversation.item.create" && outlives(event)
    },
    disconnected: (epoch) => {
      livesOn ||= env.line.connection()?.joins === true
      const isAwaited = responses.awaited().length > 0
      if (livesOn) responses.left()
      else {
        hostedCalls.disconnected()
        responses.disconnected(calls.carryOn(responses.awaited()))
      }
      calls.disconnected(epoch)
      speech.disconnected()
      inputAudio.disconnected()
      transcripts.disconnected(livesOn)
      for (const itemId of edits.deletions()) remove(itemId)
      before = new Set(conversation.snapshot().items.map(({ id }) => id))
      if (livesOn) return
      for (const item of conversation.cutShort()) {
        env.recorder.item(cuts.ended(item, "Lost") ?? item, conversation.previousOf(item.id))
        if (item._tag !== "FunctionCall") continue
        const { arguments: text, callId, name, id } = item
        calls.abandoned({ type: "function_call", id, call_id: callId, name, arguments: text }, undefined)
      }
      if (isAwaited) hearing.owed()
    },
    resume: ({ cutShort, ended, items, openCalls, owed, toAnswer, turnAudio: heard }) => {
      const connection = env.line.connection()
      // Lost in this very moment: what is loaded is told to the next one.
      responses.disconnected(new Set())
      turnAudio.load(heard)
      // What is too old to be told is not taken up at all: there may be hours of it.
      const open = new Set(openCalls.map(({ callId }) => callId))
      const replay = replayOf({ items }, open, env.limits, env.newId, turnAudio.told)
      const told = new Set(replay.items.map(({ id }) => id))
      for (const { from } of replay.renamed) told.add(from)
      livesOn ||= connection?.joins === true
      const loaded = livesOn ? items : items.filter(({ id }) => told.has(id))
      for (const { itemId } of heard) if (!livesOn && !told.has(itemId)) turnAudio.forget(itemId)
      conversation.load(loaded)
      before = new Set(loaded.map(({ id }) => id))
      // Who ended the session wanted no more of it. Written down, as this process may die before it has asked.
      const isWanted = ended === undefined
      for (const item of loaded) {
        if (cutShort.has(item.id)) leftBehind(item, isWanted)
        else if (owed.has(item.id)) env.recorder.item(item, conversation.previousOf(item.id), { isOwed: isWanted })
      }
      const proceed = calls.recover(openCalls, items)
      const now = connection === undefined ? nothingTold : tell(connection)
      env.publish({
        _tag: "SessionResumed",
        openCalls: openCalls.map(({ callId }) => callId),
        ...now,
        omitted: livesOn ? [] : [...replay.omitted, ...now.omitted]
      })
      // A call that was not written down as one is told to nobody: what came before it waits for an answer still.
      const isUntold = (itemId: string): boolean =>
        // What was told in part is in the conversation still.
        !livesOn && (!told.has(itemId) || (now.omitted.includes(itemId) && conversation.get(itemId) === undefined))
      // What was being said, or was asked for again, when the process died.
      const unsaid = new Set(isWanted ? [...cutShort, ...owed] : [])
      const isOwed =
        isAwaitingAnswer(
          items,
          (itemId) => toAnswer.has(itemId) || unsaid.has(itemId),
          (itemId) => unsaid.has(itemId) || !isUntold(itemId)
        ) && calls.carryOn(lastResponses(items, openCalls)).size === 0
      proceed()
      if (isOwed) responses.ask([])
      askAgain()
    },
    restore: (link: Link) => {
      const sessionId = configuration.sessionId()
      configuration.restore(
        (event) => env.sendOn(link.connection, event),
        () => {
          env.line.restored()
          // A server may change its ways between two connections: the one that there is now counts.
          livesOn =
            link.connection.joins === true || (sessionId !== undefined && sessionId === configuration.sessionId())
          env.publish({ _tag: "Reconnected", epoch: env.line.epoch(), ...tell(link.connection) })
          askAgain()
        },
        env.end
      )
    }
  }
}
