/**
 * A mirror of the server's conversation: items in the server's order, with what is known of them so far. It is indexed
 * by item id, so that an event costs the same in a long conversation; the list is made when somebody asks for it.
 */

import type { Conversation, Item, Part } from "../Conversation.js"
import { forgetOldest } from "../common/forgetOldest.js"
import type { Item as WireItem } from "../protocol/Item.js"
import type { AudioFormat } from "../protocol/SessionConfig.js"
import { cutPart, ended, type Heard, isBegun, isCut, stopped, unsaid } from "./cuts.js"
import { merge, partText, textPart } from "./itemFromWire.js"
import { Recordings, shownIn } from "./Recordings.js"

interface Node {
  item: Item
  /** The item with its recordings, once it was asked for. */
  shown: Item | undefined
  /** The response that the item belongs to. */
  response: Said | undefined
  previous: Node | undefined
  next: Node | undefined
}

/** What the conversation knows of a response. */
interface Said {
  readonly items: Set<string>
  /** `Stopped`: what it still says is not heard, whichever event brings it. */
  state: "Live" | "Stopped"
  blockedBy: string | undefined
}

/** Whether audio of this part has arrived. */
type HasSound = (itemId: string, contentIndex: number) => boolean

/** How many transcripts, items placed first, and followers of an item are kept until their item arrives. */
const maxEarly = 64

/** How many responses are remembered with their items. */
const maxResponses = 64

export class ConversationMirror {
  readonly #nodes = new Map<string, Node>()
  /** Texts of items that the server has not announced yet: transcription may be faster. */
  readonly #early = new Map<string, Map<number, Part>>()
  readonly #toBeFirst = new Set<string>()
  /** The items that follow one that is not known yet, by the id of the latter. */
  readonly #followers = new Map<string, Node>()
  readonly #responses = new Map<string, Said>()
  /** The audio of a renamed item still uses its previous id. */
  readonly #renamed = new Map<string, string>()
  #first: Node | undefined
  #last: Node | undefined
  #version = 0
  #latest: Conversation | undefined
  readonly #recordings: Recordings | undefined

  /** @param keptBytes how much audio is kept; none by default */
  constructor(keptBytes?: number) {
    this.#recordings =
      keptBytes === undefined
        ? undefined
        : new Recordings(keptBytes, (itemId) => this.#changed(this.#nodes.get(itemId)))
  }

  /**
   * The server has this item, after `previousItemId`. `"root"`: it comes first. If it is absent or unknown, a known item
   * stays where it is, and a new one comes before the item that is known to follow it, or last. `responseId`: the
   * response that the item belongs to.
   */
  put(wire: WireItem, previousItemId: string | undefined, responseId?: string): Item | undefined {
    if (typeof wire.id !== "string" || wire.id === "") return undefined
    const known = this.#nodes.get(wire.id)
    const response = known?.response ?? (responseId === undefined ? undefined : this.#respond(responseId))
    response?.items.add(wire.id)
    if (known !== undefined) known.response = response
    const isFirst = previousItemId === "root"
    const previous = previousItemId === undefined ? undefined : this.#nodes.get(previousItemId)
    const update = merge(known?.item, wire, wire.id)
    const item = response?.state === "Stopped" ? unsaid(known?.item, update, response.blockedBy) : update
    this.#changed(known)
    if (known === undefined) {
      const node: Node = { item, shown: undefined, response, previous: undefined, next: undefined }
      this.#nodes.set(wire.id, node)
      const place = this.#beforeFollower(wire.id)
      this.#insertAfter(node, this.#toBeFirst.delete(wire.id) || isFirst ? undefined : (previous ?? place))
      this.#follows(node, isFirst ? undefined : previousItemId)
      const parts = this.#early.get(wire.id)
      if (parts === undefined) return item
      this.#early.delete(wire.id)
      for (const [index, part] of Array.from(parts).sort(([one], [other]) => one - other)) {
        this.#setPart(wire.id, index, () => part)
      }
      return node.item
    }
    known.item = item
    if (isFirst || previous !== undefined) this.#move(known, previous)
    this.#follows(known, isFirst ? undefined : previousItemId)
    return item
  }

  /** The server has this item after that one. If either is unknown, nothing changes. */
  place(itemId: string, previousItemId: string): void {
    const [node, previous] = [this.#nodes.get(itemId), this.#nodes.get(previousItemId)]
    if (node !== undefined && previous !== undefined) this.#move(node, previous)
  }

  /** The text or transcript of a part grew. The cost does not depend on its length. */
  append(itemId: string, contentIndex: number, kind: "Text" | "Audio", delta: string): void {
    this.#setPart(itemId, contentIndex, (part) => textPart(kind, (partText(part) ?? "") + delta))
  }

  /** The text or transcript of a part is final. */
  replace(itemId: string, contentIndex: number, kind: "Text" | "Audio", text: string): void {
    const part = textPart(kind, text)
    if (this.#nodes.has(itemId)) this.#setPart(itemId, contentIndex, () => part)
    else this.#keepEarly(itemId, contentIndex, part)
  }

  /** Audio of a part arrived, to be kept if audio is kept at all. Audio of unknown items is not kept. */
  record(itemId: string, contentIndex: number, bytes: Uint8Array, format: AudioFormat): void {
    if (this.#recordings === undefined || !this.#nodes.has(itemId)) return
    this.#recordings.add(itemId, contentIndex, bytes, format)
  }

  /** The audio of this part is complete. */
  recorded(itemId: string, contentIndex: number): void {
    this.#recordings?.complete(itemId, contentIndex)
  }

  /** Only this much of the part was heard: the rest is removed for good. Returns the item if this changed it. */
  cut(itemId: string, contentIndex: number, heard: Heard): Item | undefined {
    this.#recordings?.cut(itemId, contentIndex, heard.bytes)
    const node = this.#nodes.get(this.idOf(itemId) ?? "")
    const item = node === undefined ? undefined : cutPart(node.item, contentIndex, heard)
    return node === undefined || item === undefined ? undefined : this.#change(node, item)
  }

  /** A response began: its items will follow. */
  began(responseId: string): void {
    this.#respond(responseId)
  }

  /** The response whose part this is; `undefined` if it is not known, or the part was already cut. */
  responseOf(itemId: string, contentIndex: number): string | undefined {
    const node = this.#nodes.get(itemId)
    if (node === undefined || (node.item._tag === "Message" && isCut(node.item.content[contentIndex]))) return undefined
    for (const [responseId, { items }] of this.#responses) if (items.has(itemId)) return responseId
    return undefined
  }

  /**
   * Nothing more of these responses is heard. Later events add nothing to their items. In an item that was in progress,
   * parts without audio are removed. Returns the items that changed.
   */
  stop(isStopped: (responseId: string) => boolean, hasSound: HasSound): ReadonlyArray<Item> {
    return Array.from(this.#responses).flatMap(([responseId, response]) =>
      response.state === "Live" && isStopped(responseId) ? this.#stop(response, hasSound) : []
    )
  }

  /**
   * Like `stop`, for a response that a guardrail stopped: its messages are never sent again, whoever stopped it before.
   */
  block(responseId: string, blockedBy: string, hasSound: HasSound): ReadonlyArray<Item> {
    const response = this.#respond(responseId)
    if (response.blockedBy !== undefined) return []
    response.blockedBy = blockedBy
    return this.#stop(response, hasSound)
  }

  /**
   * This item of the session was sent to be first. The server confirms that with no previous item, which also means
   * "last".
   */
  expectFirst(itemId: string): void {
    this.#toBeFirst.add(itemId)
    forgetOldest(this.#toBeFirst, maxEarly)
  }

  remove(itemId: string): boolean {
    const node = this.#nodes.get(itemId)
    if (node === undefined) return false
    this.#unlink(node)
    this.#recordings?.forget(itemId)
    this.#changed(node)
    return this.#nodes.delete(itemId)
  }

  /** Gives a known item another id, without recordings. */
  rename(from: string, to: string): Item | undefined {
    const node = this.#nodes.get(from)
    if (node === undefined || this.#nodes.has(to)) return undefined
    this.#nodes.delete(from)
    this.#nodes.set(to, node)
    this.#recordings?.forget(from)
    if (node.response?.items.delete(from)) node.response.items.add(to)
    this.#renamed.set(from, to)
    forgetOldest(this.#renamed, maxEarly)
    return this.#change(node, { ...node.item, id: to })
  }

  /**
   * The connection is lost: items in progress stay as they are. Returns these items, which are incomplete from now on.
   */
  cutShort(): ReadonlyArray<Item> {
    const cut: Array<Item> = []
    for (const node of this.#nodes.values()) {
      if (!isBegun(node.item)) continue
      node.item = ended(node.item)
      this.#changed(node)
      cut.push(node.item)
    }
    return cut
  }

  /** The current id of an item that once had this id, if it is known. */
  idOf(itemId: string): string | undefined {
    let id: string | undefined = itemId
    for (let steps = 0; id !== undefined && !this.#nodes.has(id) && steps <= this.#renamed.size; steps += 1) {
      id = this.#renamed.get(id)
    }
    return id !== undefined && this.#nodes.has(id) ? id : undefined
  }

  /** Without its recordings. */
  get(itemId: string): Item | undefined {
    return this.#nodes.get(itemId)?.item
  }

  /** The item before this one; `"root"` for the first. */
  previousOf(itemId: string): string | undefined {
    const node = this.#nodes.get(itemId)
    return node === undefined ? undefined : (node.previous?.item.id ?? "root")
  }

  /** Without its recordings. */
  nextOf(itemId: string): Item | undefined {
    return this.#nodes.get(itemId)?.next?.item
  }

  /** Loads what another process knew of the conversation, before what was said since. */
  load(items: ReadonlyArray<Item>): void {
    let loaded: Node | undefined
    for (const item of items) {
      if (this.#nodes.has(item.id)) continue
      const node: Node = { item, shown: undefined, response: undefined, previous: undefined, next: undefined }
      this.#nodes.set(item.id, node)
      this.#insertAfter(node, loaded)
      this.#changed(node)
      loaded = node
    }
  }

  size(): number {
    return this.#nodes.size
  }

  /** A number that changes whenever the snapshot changes. */
  version(): number {
    return this.#version
  }

  /** The same object until something changes; each item is the same object until it changes itself. */
  snapshot(): Conversation {
    if (this.#latest !== undefined) return this.#latest
    const items: Array<Item> = []
    for (let node = this.#first; node !== undefined; node = node.next) items.push(this.#show(node))
    this.#latest = { items }
    return this.#latest
  }

  #changed(node: Node | undefined): void {
    if (node !== undefined) node.shown = undefined
    this.#version += 1
    this.#latest = undefined
  }

  #show(node: Node): Item {
    if (this.#recordings === undefined) return node.item
    node.shown ??= shownIn(node.item, this.#recordings)
    return node.shown
  }

  #insertAfter(node: Node, previous: Node | undefined): void {
    const next = previous === undefined ? this.#first : previous.next
    node.previous = previous
    node.next = next
    if (previous === undefined) this.#first = node
    else previous.next = node
    if (next === undefined) this.#last = node
    else next.previous = node
  }

  #unlink(node: Node): void {
    if (node.previous === undefined) this.#first = node.next
    else node.previous.next = node.next
    if (node.next === undefined) this.#last = node.previous
    else node.next.previous = node.previous
  }

  /** The server says that the item comes after this one. */
  #follows(node: Node, previousItemId: string | undefined): void {
    if (previousItemId === undefined || previousItemId === node.item.id) return
    if (this.#nodes.has(previousItemId)) return
    this.#followers.set(previousItemId, node)
    forgetOldest(this.#followers, maxEarly)
  }

  /** Where a new item comes of which the server does not say it: before the one that follows it, or last. */
  #beforeFollower(itemId: string): Node | undefined {
    const follower = this.#followers.get(itemId)
    this.#followers.delete(itemId)
    return follower !== undefined && this.#nodes.get(follower.item.id) === follower ? follower.previous : this.#last
  }

  /** Moves it after this one, or to the front. */
  #move(node: Node, previous: Node | undefined): void {
    if (previous === node || previous === node.previous) return
    this.#unlink(node)
    this.#insertAfter(node, previous)
    this.#changed(node)
  }

  #keepEarly(itemId: string, contentIndex: number, part: Part): void {
    const parts = this.#early.get(itemId) ?? new Map<number, Part>()
    if (parts.size < maxEarly || parts.has(contentIndex)) parts.set(contentIndex, part)
    this.#early.set(itemId, parts)
    forgetOldest(this.#early, maxEarly)
  }

  /** No later event restores the words of a part that was cut, or whose response was stopped. */
  #setPart(itemId: string, contentIndex: number, update: (part: Part | undefined) => Part): void {
    const node = this.#nodes.get(itemId)
    if (node?.item._tag !== "Message" || !Number.isInteger(contentIndex) || contentIndex < 0) return
    if (node.response?.state === "Stopped" || isCut(node.item.content[contentIndex])) return
    const content = node.item.content.slice()
    // A part can be at most one position after the last: anything else would leave holes.
    const index = Math.min(contentIndex, content.length)
    content[index] = update(content[index])
    node.item = { ...node.item, content }
    this.#changed(node)
  }

  #respond(responseId: string): Said {
    const known = this.#responses.get(responseId)
    if (known !== undefined) return known
    const fresh: Said = { items: new Set(), state: "Live", blockedBy: undefined }
    this.#responses.set(responseId, fresh)
    forgetOldest(this.#responses, maxResponses)
    return fresh
  }

  #stop(response: Said, hasSound: HasSound): ReadonlyArray<Item> {
    response.state = "Stopped"
    const cut: Array<Item> = []
    for (const itemId of response.items) {
      const node = this.#nodes.get(itemId)
      const item = node === undefined ? undefined : stopped(node.item, hasSound, response.blockedBy)
      if (node !== undefined && item !== undefined) cut.push(this.#change(node, item))
    }
    return cut
  }

  /** Stores a changed item, and returns it. */
  #change(node: Node, item: Item): Item {
    node.item = item
    this.#changed(node)
    return item
  }
}
