import * as Exit from "effect/Exit"
import type { Item } from "../../Conversation.js"
import type { Recovered } from "../../journal/Fold.js"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { Connection } from "../../RealtimeModel.js"
import { OutboundOverflow } from "../../SessionError.js"
import { recover } from "../calls/CallRecovery.js"
import { truncation } from "../conversation/Cuts.js"
import { outlives } from "../conversation/Edits.js"
import { removeItem, renameItem } from "../conversation/items.js"
import { type Replay, replayOf } from "../conversation/replay.js"
import type { Parts } from "../Parts.js"
import type { Link } from "./Link.js"

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

/** What of a session outlives a connection, and how another one is brought where the last one was. */
export class Continuity<out E = unknown, out R = unknown> {
  readonly #session: Parts<E, R>

  /** What no server has, but for the last: all that another one is told. */
  #before: ReadonlySet<string> = new Set()
  /** The conversation lives on the server, whoever is connected: as the provider says, or as the server shows. */
  #livesOn = false

  constructor(session: Parts<E, R>) {
    this.#session = session
  }

  /** An event is on its way to the server. */
  sent(event: ClientEvent): void {
    const { conversation, edits, outbox } = this.#session
    if (event.type === "conversation.item.create") {
      this.#session.turnAudio.sent(event)
      // The server's word for an item that comes first, no previous one, also means the last.
      if (event.previous_item_id === "root" && event.item.id !== undefined) conversation.expectFirst(event.item.id)
    }
    if (!edits.sent(event)) outbox.end(Exit.fail(new OutboundOverflow({ type: event.type })))
  }

  /** There is no connection. Whether the event will be sent on the next one. */
  keep(event: ClientEvent): boolean {
    if (event.type === "conversation.item.delete") removeItem(this.#session, event.item_id)
    return event.type === "conversation.item.create" && outlives(event)
  }

  /** What was under way on a connection has ended with it. */
  disconnected(epoch: number): void {
    const { calls, connections, conversation, cuts, edits, hearing, hostedCalls, recorder, responses } = this.#session
    this.#livesOn ||= connections.current?.joins === true
    const isAwaited = responses.awaited().length > 0
    if (this.#livesOn) responses.left()
    else {
      hostedCalls.disconnected()
      responses.disconnected(calls.carryOn(responses.awaited()))
    }
    calls.disconnected(epoch)
    this.#session.speech.disconnected()
    this.#session.inputAudio.disconnected()
    this.#session.transcripts.disconnected(this.#livesOn)
    for (const itemId of edits.deletions()) removeItem(this.#session, itemId)
    this.#before = new Set(conversation.snapshot().items.map(({ id }) => id))
    if (this.#livesOn) return
    for (const item of conversation.cutShort()) {
      recorder.item(cuts.ended(item, "Lost") ?? item, conversation.previousOf(item.id))
      if (item._tag !== "FunctionCall") continue
      const { arguments: text, callId, name, id } = item
      calls.abandoned({ type: "function_call", id, call_id: callId, name, arguments: text }, undefined)
    }
    if (isAwaited) hearing.owed()
  }

  /** Brings the server on another connection where the last one was. */
  restore(link: Link): void {
    const { configuration, connections, outbox } = this.#session
    const sessionId = configuration.sessionId()
    configuration.restore(
      (event) => outbox.sendOn(link.connection, event),
      () => {
        connections.restored()
        // A server may change its ways between two connections: the one that there is now counts.
        this.#livesOn =
          link.connection.joins === true || (sessionId !== undefined && sessionId === configuration.sessionId())
        outbox.publish({ _tag: "Reconnected", epoch: connections.epoch, ...this.#tell(link.connection) })
        this.#askAgain()
      },
      (exit) => outbox.end(exit)
    )
  }

  /** Takes up what another process left: after the settings, on the connection that the session begins with. */
  resume(recovered: Omit<Recovered, "sessionId" | "agent" | "settings">): void {
    const { cutShort, ended, items, openCalls, owed, toAnswer, turnAudio: heard } = recovered
    const { calls, connections, conversation, outbox, recorder, responses, turnAudio } = this.#session
    const connection = connections.current
    // Lost in this very moment: what is loaded is told to the next one.
    responses.disconnected(new Set())
    turnAudio.load(heard)
    // What is too old to be told is not taken up at all: there may be hours of it.
    const replay = this.#replayOf(items, new Set(openCalls.map(({ callId }) => callId)))
    const told = new Set(replay.items.map(({ id }) => id))
    for (const { from } of replay.renamed) told.add(from)
    this.#livesOn ||= connection?.joins === true
    const loaded = this.#livesOn ? items : items.filter(({ id }) => told.has(id))
    for (const { itemId } of heard) if (!this.#livesOn && !told.has(itemId)) turnAudio.forget(itemId)
    conversation.load(loaded)
    this.#before = new Set(loaded.map(({ id }) => id))
    // Who ended the session wanted no more of it. Written down, as this process may die before it has asked.
    const isWanted = ended === undefined
    for (const item of loaded) {
      if (cutShort.has(item.id)) this.#leftBehind(item, isWanted)
      else if (owed.has(item.id)) recorder.item(item, conversation.previousOf(item.id), isWanted)
    }
    const proceed = recover(this.#session, openCalls, items)
    const now = connection === undefined ? nothingTold : this.#tell(connection)
    const omitted = this.#livesOn ? [] : [...replay.omitted, ...now.omitted]
    outbox.publish({ _tag: "SessionResumed", openCalls: openCalls.map(({ callId }) => callId), ...now, omitted })
    // A call that was not written down as one is told to nobody: what came before it waits for an answer still.
    const isUntold = (itemId: string): boolean =>
      // What was told in part is in the conversation still.
      !this.#livesOn && (!told.has(itemId) || (now.omitted.includes(itemId) && conversation.get(itemId) === undefined))
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
    this.#askAgain()
  }

  #replayOf(items: ReadonlyArray<Item>, openCalls: ReadonlySet<string>): Replay {
    const { newId, options, turnAudio } = this.#session
    return replayOf({ items }, openCalls, options.replay, newId, turnAudio)
  }

  /** The conversation, the outputs of its calls, and what was said meanwhile: a deferred result may be among that. */
  #tell(connection: Connection): Told {
    if (this.#livesOn) return this.#tellTheRest()
    const { calls, conversation, edits, inputAudio, outbox, retelling, turnAudio } = this.#session
    // What was said on this connection already, its server has.
    const before = conversation.snapshot().items.filter(({ id }) => this.#before.has(id))
    const { incomplete, items, omitted, renamed } = this.#replayOf(before, new Set(calls.open()))
    for (const ids of renamed) renameItem(this.#session, ids)
    for (const itemId of omitted) {
      conversation.remove(itemId)
      turnAudio.forget(itemId)
    }
    retelling.begin(items.map(({ id }) => id))
    // In front of what is said meanwhile.
    let previous_item_id = "root"
    for (const item of items) {
      outbox.sendOn(connection, { type: "conversation.item.create", event_id: item.id, previous_item_id, item })
      previous_item_id = item.id
    }
    edits.begunAnew()
    const outputs = calls.reconnected("another")
    const known = new Set(["root", ...items.map(({ id }) => id)])
    const creations = edits.creations()
    for (const { previous_item_id: previous, ...creation } of creations) {
      const isKnown = previous !== undefined && previous !== null && known.has(previous)
      outbox.send(isKnown ? { ...creation, previous_item_id: previous } : creation)
      if (creation.item.id !== undefined) known.add(creation.item.id)
    }
    inputAudio.connected()
    return { replayed: items.length, omitted: [...omitted, ...incomplete], deferred: creations.length + outputs }
  }

  /**
   * A server that has the conversation is told what it may not have heard, under the same ids: it takes each item once.
   * Outputs of calls come last, so that the model has all before it goes on.
   */
  #tellTheRest(): Told {
    const { calls, edits, inputAudio, outbox, retelling } = this.#session
    retelling.begin([])
    const waiting = edits.unacknowledged()
    for (const event of waiting) outbox.send(event)
    const outputs = calls.reconnected("same")
    // Those are among them.
    retelling.resends([...waiting, ...edits.outputs()].flatMap(({ event_id: id }) => id ?? []))
    inputAudio.connected()
    return { replayed: 0, omitted: [], deferred: waiting.length + outputs }
  }

  /** No more of it was heard when the process before ended. A server that has the conversation has all of it. */
  #leftBehind(item: Item, isOwed: boolean): void {
    const { cuts, newId, outbox } = this.#session
    cuts.leftBehind(item, isOwed)
    if (!this.#livesOn || item._tag !== "Message") return
    for (const [contentIndex, part] of item.content.entries()) {
      if (part._tag !== "Audio" || part.cut === undefined) continue
      outbox.send(truncation(newId("trc"), { itemId: item.id, contentIndex, heardMs: part.cut.heardMs }))
    }
  }

  /** One response sees it all: it is asked for when the outputs are on the wire. */
  #askAgain(): void {
    this.#session.outbox.afterwards(() => this.#session.responses.reconnected())
  }
}
