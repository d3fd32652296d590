import * as Exit from "effect/Exit"
import type { Item, Message } from "../../Conversation.js"
import type { Recovered } from "../../journal/Fold.js"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { Connection } from "../../RealtimeModel.js"
import { OutboundOverflow } from "../../SessionError.js"
import { recover } from "../calls/CallRecovery.js"
import { leftHosted, noneLeft } from "../calls/leftHosted.js"
import { creationOf, isCreation } from "../conversation/Creation.js"
import { truncation } from "../conversation/Cuts.js"
import { outlives } from "../conversation/Edits.js"
import { removeItem, renameItem } from "../conversation/items.js"
import { type Replay, replayOf } from "../conversation/replay.js"
import { isFeedback } from "../guardrails/feedback.js"
import type { Parts } from "../Parts.js"
import { moved } from "../routing/itemEvents.js"
import type { Link } from "./Link.js"

/** What another connection was sent. */
interface Told {
  readonly replayed: number
  /** Not sent at all, or not in full. */
  readonly omitted: ReadonlyArray<string>
  readonly deferred: number
}

const isToolList = (item: Item): boolean => item._tag === "Other" && item.type === "mcp_list_tools"

/** The lists of hosted tools, as the provider read them on one connection: it reads them again on the next. */
const toolLists = (items: ReadonlyArray<Item>): ReadonlySet<string> =>
  new Set(items.flatMap((item) => (isToolList(item) ? item.id : [])))

const nothingTold: Told = { replayed: 0, omitted: [], deferred: 0 }

/** The model had not answered yet, or not to the end: after its last words or action, there is something to answer. */
const isAwaitingAnswer = (
  items: ReadonlyArray<Item>,
  isToAnswer: (itemId: string) => boolean,
  isTold: (itemId: string) => boolean
): boolean => {
  const isBehind = (item: Item): boolean =>
    item._tag === "FunctionCallOutput" || (item._tag === "Message" && item.role === "system") || isToolList(item)
  const last = items.findLast((item) => isTold(item.id) && (isToAnswer(item.id) || !isBehind(item)))
  return last !== undefined && isToAnswer(last.id)
}

/** The responses of the latest calls, which nothing was said after. */
const lastResponses = (items: ReadonlyArray<Item>, openCalls: Recovered["openCalls"]): ReadonlyArray<string> => {
  const after = items.findLastIndex(({ _tag }) => _tag === "Message")
  const last = new Set(items.slice(after + 1).flatMap((item) => (item._tag === "FunctionCall" ? item.callId : [])))
  return openCalls.flatMap(({ callId, responseId }) => (responseId !== undefined && last.has(callId) ? responseId : []))
}

interface Question {
  readonly message: Message
  /** The responses that answer it with calls which are not over. */
  readonly responseIds: ReadonlyArray<string>
}

/**
 * What the user said or wrote last, if no guardrail has stopped it, and the model goes on after it: by itself
 * (`isOwed`), or when it has the output of a call.
 */
const openQuestion = (
  items: ReadonlyArray<Item>,
  openCalls: Recovered["openCalls"],
  isOwed: boolean
): Question | undefined => {
  const at = items.findLastIndex((item) => isFeedback(item) || (item._tag === "Message" && item.role === "user"))
  const message = items[at]
  if (message?._tag !== "Message" || message.role !== "user") return undefined
  const called = new Set(items.slice(at).flatMap((item) => (item._tag === "FunctionCall" ? item.callId : [])))
  const open = openCalls.filter(({ callId }) => called.has(callId))
  const responseIds = open.flatMap(({ responseId }) => responseId ?? [])
  return isOwed || open.length > 0 ? { message, responseIds } : undefined
}

/** What outlives a connection, and how its state is restored on another one. */
export class Continuity<out E = unknown, out R = unknown> {
  readonly #session: Parts<E, R>

  /** What was known before the current connection, which is sent it, unless the conversation lives on. */
  #before: ReadonlySet<string> = new Set()
  /**
   * Whether the conversation lives on the server, independent of connections: the provider says so, or the server shows
   * it.
   */
  #livesOn = false

  constructor(session: Parts<E, R>) {
    this.#session = session
  }

  /** An event is about to be sent. */
  sent(event: ClientEvent): void {
    const { conversation, edits, outbox } = this.#session
    if (isCreation(event)) {
      this.#session.turnAudio.sent(event)
      // If the server says that an item has no previous item, it may also mean that the item is last.
      if (event.previous_item_id === "root" && event.item.id !== undefined) conversation.expectFirst(event.item.id)
    }
    if (!edits.sent(event)) outbox.end(Exit.fail(new OutboundOverflow({ type: event.type })))
  }

  /** There is no connection. Returns whether the event will be sent on the next one. */
  keep(event: ClientEvent): boolean {
    if (event.type === "conversation.item.delete") removeItem(this.#session, event.item_id)
    return isCreation(event) && outlives(event)
  }

  /** Ends what was in progress on the lost connection. */
  disconnected(epoch: number): void {
    const { calls, connections, conversation, cuts, edits, hearing, hostedCalls, recorder, responses } = this.#session
    // A provider that says so knows better than what the server has shown.
    const { livesOn = this.#livesOn } = connections
    this.#livesOn = livesOn
    const isAwaited = responses.awaited().length > 0
    if (this.#livesOn) responses.left()
    else {
      hostedCalls.disconnected()
      responses.disconnected(calls.carryOn(responses.awaited()))
    }
    calls.disconnected(epoch)
    this.#session.hostedImports?.disconnected(this.#livesOn)
    this.#session.speech.disconnected()
    this.#session.inputAudio.disconnected()
    this.#session.transcripts.disconnected(this.#livesOn)
    for (const itemId of edits.deletions()) removeItem(this.#session, itemId)
    this.#before = new Set(conversation.snapshot().items.map(({ id }) => id))
    if (this.#livesOn) return
    for (const item of conversation.cutShort()) {
      recorder.item(cuts.ended(item, "Lost") ?? item)
      if (item._tag !== "FunctionCall") continue
      const { arguments: text, callId, name, id } = item
      calls.abandoned({ type: "function_call", id, call_id: callId, name, arguments: text }, undefined)
    }
    if (isAwaited) hearing.owed()
  }

  /** Whether this item was known before the current connection. */
  knewBefore(itemId: string): boolean {
    return this.#before.has(itemId)
  }

  /**
   * The last item that was known before the current connection, or `"root"`: what was added meanwhile follows it.
   * `undefined` if nothing was: the conversation began with the connection.
   */
  lastBefore(): string | undefined {
    const { connections, conversation } = this.#session
    if (!(connections.livesOn ?? this.#livesOn)) return undefined
    return conversation.snapshot().items.findLast(({ id }) => this.#before.has(id))?.id ?? "root"
  }

  /** Restores the session's state on another connection. */
  restore(link: Link): void {
    const { configuration, connections, outbox } = this.#session
    const sessionId = configuration.sessionId()
    configuration.restore(
      (event) => outbox.sendOn(link.connection, event),
      () => {
        connections.restored()
        // A server may change its behaviour between two connections: the current connection counts.
        this.#livesOn =
          connections.traits.conversation === "server" ||
          (sessionId !== undefined && sessionId === configuration.sessionId())
        outbox.publish({ _tag: "Reconnected", epoch: connections.epoch, ...this.#tell(link.connection) })
        this.#askAgain()
      },
      (exit) => outbox.end(exit)
    )
  }

  /** Resumes what another process left: after the settings, on the session's first connection. */
  resume(recovered: Omit<Recovered, "sessionId" | "agent" | "settings">): void {
    const { cutShort, ended, items, openCalls, owed, toAnswer, turnAudio: heard } = recovered
    const { calls, connections, conversation, guardrails, hostedCalls, outbox, recorder, responses, turnAudio } =
      this.#session
    // If there is none at this very moment, what is loaded here is sent to the next connection.
    const connection = connections.current
    this.#livesOn ||= connections.traits.conversation === "server"
    // Where the conversation lives on, the server may be answering already.
    if (this.#livesOn) responses.paused()
    else responses.disconnected(new Set())
    turnAudio.load(heard)
    // Items too old to be sent are not loaded at all: there may be hours of them.
    const replay = this.#replayOf(items, new Set(openCalls.map(({ callId }) => callId)))
    const told = new Set(replay.items.map(({ id }) => id))
    for (const { from } of replay.renamed) told.add(from)
    const loaded = this.#livesOn ? items : items.filter(({ id }) => told.has(id))
    for (const { itemId } of heard) if (!this.#livesOn && !told.has(itemId)) turnAudio.forget(itemId)
    // The server may have added items of its own: they now follow what was said before.
    const [early] = conversation.snapshot().items
    conversation.load(loaded)
    moved(early, this.#session)
    this.#before = new Set(loaded.map(({ id }) => id))
    // A session that was ended on purpose needs no further answer. This is written down, because this process may die
    // before it asks.
    const isWanted = ended === undefined
    for (const item of loaded) {
      if (cutShort.has(item.id)) this.#leftBehind(item, isWanted)
      else if (owed.has(item.id)) recorder.item(item, isWanted)
    }
    const proceed = recover(this.#session, openCalls, items)
    const now = connection === undefined ? nothingTold : this.#tell(connection)
    const lists = toolLists(items)
    const omitted = this.#livesOn ? [] : [...replay.omitted, ...now.omitted].filter((itemId) => !lists.has(itemId))
    outbox.publish({ _tag: "SessionResumed", openCalls: openCalls.map(({ callId }) => callId), ...now, omitted })
    // A call without a record is not sent to any server: what came before it still waits for an answer.
    const isUntold = (itemId: string): boolean =>
      // An item that was sent in part is still in the conversation.
      !this.#livesOn && (!told.has(itemId) || (now.omitted.includes(itemId) && conversation.get(itemId) === undefined))
    const hosted = this.#livesOn ? leftHosted(items) : noneLeft
    // What was being said, or was requested again, when the process died.
    const unsaid = new Set(isWanted ? [...cutShort, ...owed] : [])
    const isOwed =
      isAwaitingAnswer(
        items,
        (itemId) => toAnswer.has(itemId) || unsaid.has(itemId) || hosted.ended.has(itemId),
        (itemId) => unsaid.has(itemId) || !isUntold(itemId)
      ) && calls.carryOn(lastResponses(items, openCalls)).size === 0
    const question = openQuestion(conversation.snapshot().items, openCalls, isOwed)
    if (question !== undefined) guardrails.recovered(question.message, question.responseIds)
    proceed()
    for (const item of hosted.asked) hostedCalls.approvalRequested(item, undefined)
    if (isOwed) responses.ask([])
    this.#askAgain()
  }

  #replayOf(items: ReadonlyArray<Item>, openCalls: ReadonlySet<string>): Replay {
    const { newId, options, turnAudio } = this.#session
    return replayOf({ items }, openCalls, options.replay, newId, turnAudio)
  }

  /**
   * Sends the conversation, the outputs of its calls, and what was said in the meantime, which may include deferred
   * results.
   */
  #tell(connection: Connection): Told {
    if (this.#livesOn) return this.#tellTheRest()
    const { calls, conversation, edits, inputAudio, outbox, retelling, turnAudio } = this.#session
    // The server already has what was said on this connection.
    const before = conversation.snapshot().items.filter(({ id }) => this.#before.has(id))
    const { incomplete, items, omitted, renamed } = this.#replayOf(before, new Set(calls.open()))
    for (const ids of renamed) renameItem(this.#session, ids)
    const lists = toolLists(before)
    for (const itemId of omitted) {
      if (lists.has(itemId)) {
        removeItem(this.#session, itemId)
        continue
      }
      conversation.remove(itemId)
      turnAudio.forget(itemId)
    }
    retelling.begin(items.map(({ id }) => id))
    // Before what was said in the meantime.
    let previous_item_id = "root"
    for (const item of items) {
      outbox.sendOn(connection, creationOf(item.id, item, previous_item_id))
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
    const untold = omitted.filter((itemId) => !lists.has(itemId))
    return { replayed: items.length, omitted: [...untold, ...incomplete], deferred: creations.length + outputs }
  }

  /**
   * Sends a server that has the conversation what it may have missed, under the same ids: it takes each item once.
   * Outputs of calls come last, so that the model has everything before it goes on.
   */
  #tellTheRest(): Told {
    const { calls, edits, hostedCalls, inputAudio, outbox, retelling } = this.#session
    retelling.begin([])
    const waiting = edits.unacknowledged()
    for (const event of waiting) outbox.send(event)
    const outputs = calls.reconnected("same")
    // These include the outputs.
    retelling.resends([...waiting, ...edits.outputs()].flatMap(({ event_id: id }) => id ?? []))
    hostedCalls.reconnected()
    inputAudio.connected()
    return { replayed: 0, omitted: [], deferred: waiting.length + outputs }
  }

  /**
   * Cuts the item to what was heard before the previous process ended. A server that has the conversation has all of
   * it.
   */
  #leftBehind(item: Item, isOwed: boolean): void {
    const { connections, cuts, newId, outbox } = this.#session
    cuts.leftBehind(item, isOwed)
    if (!this.#livesOn || connections.traits.truncation === "server" || item._tag !== "Message") return
    for (const [contentIndex, part] of item.content.entries()) {
      if (part._tag !== "Audio" || part.cut === undefined) continue
      outbox.send(truncation(newId("trc"), { itemId: item.id, contentIndex, heardMs: part.cut.heardMs }))
    }
  }

  /** One response sees everything: it is requested once the outputs are sent. */
  #askAgain(): void {
    this.#session.outbox.afterwards(() => this.#session.responses.reconnected())
  }
}
