/**
 * A mirror of the server's conversation: items in its order, with what is known of them so far. Indexed by item id, so
 * that an event costs the same however long the conversation is; the list is made when somebody asks for it.
 */

import type { Conversation, Item, Part } from "../Conversation.js"
import type { Item as WireItem } from "../protocol/Item.js"
import type { AudioFormat } from "../protocol/SessionConfig.js"
import { cutPart, ended, type Heard, isBegun, isCut, stopped, unsaid } from "./cuts.js"
import { forgetOldest } from "./forgetOldest.js"
import { merge, partText, textPart } from "./itemFromWire.js"
import * as Recordings from "./Recordings.js"

interface Node {
  item: Item
  /** The item with its recordings, once it was asked for. */
  shown: Item | undefined
  /** The response that said it. */
  response: Said | undefined
  previous: Node | undefined
  next: Node | undefined
}

/** A response, as far as the conversation knows of it. */
interface Said {
  readonly items: Set<string>
  /** Stopped: what it still says is not heard, whatever brings it. */
  state: "Live" | "Stopped"
  blockedBy: string | undefined
}

export interface ConversationMirror {
  /**
   * The server has this item, after `previousItemId`. `"root"`: it comes first. Without one, or with one that is not
   * known, a new item comes last and a known one stays where it is. `responseId`: of the response that said it.
   */
  readonly put: (item: WireItem, previousItemId: string | undefined, responseId?: string) => Item | undefined
  /**
   * The server has this item behind that one. Where either is not known, nothing changes. Gives the item that stands
   * behind it now, if it was moved in front of that.
   */
  readonly place: (itemId: string, previousItemId: string) => Item | undefined
  /** This item of ours was sent to stand first. The server's word for that, no previous item, also means "last". */
  readonly expectFirst: (itemId: string) => void
  /** Text or transcript of one part grew. Cost does not depend on what was said before. */
  readonly append: (itemId: string, contentIndex: number, kind: "Text" | "Audio", delta: string) => void
  /** Text or transcript of one part is final. */
  readonly replace: (itemId: string, contentIndex: number, kind: "Text" | "Audio", text: string) => void
  /** Audio of one part came, to be kept if anything is. Of an item that is not known, nothing is. */
  readonly record: (itemId: string, contentIndex: number, bytes: Uint8Array, format: AudioFormat) => void
  /** No more audio comes for this part. */
  readonly recorded: (itemId: string, contentIndex: number) => void
  /** Only so much of this part was heard: the rest is gone for good. Gives the item if that changed it. */
  readonly cut: (itemId: string, contentIndex: number, heard: Heard) => Item | undefined
  /** A response began: its items are to come. */
  readonly began: (responseId: string) => void
  /**
   * Nothing more of these responses is heard. No later word of the server adds to their items; of one that was in
   * progress, a part without any sound goes. With the name of the guardrail that stopped them, nobody is told their
   * messages again. Gives the items that this changed.
   */
  readonly stop: (
    isStopped: (responseId: string) => boolean,
    hasSound: (itemId: string, contentIndex: number) => boolean,
    blockedBy?: string
  ) => ReadonlyArray<Item>
  readonly remove: (itemId: string) => boolean
  /** Another id for an item that is known, and no recordings. */
  readonly rename: (from: string, to: string) => Item | undefined
  /** The server is gone: what is in progress stays as it is now. Gives those items, which are incomplete from now on. */
  readonly cutShort: () => ReadonlyArray<Item>
  /** The id that an item has now which had this one, if it is known. */
  readonly idOf: (itemId: string) => string | undefined
  /** Without its recordings. */
  readonly get: (itemId: string) => Item | undefined
  /** Which item stands before this one: `"root"` before the first. */
  readonly previousOf: (itemId: string) => string | undefined
  /** What another process knew of the conversation, in front of what was said since. */
  readonly load: (items: ReadonlyArray<Item>) => void
  readonly size: () => number
  /** Another number whenever the snapshot would be another. */
  readonly version: () => number
  /** The same object until something changes; an item is the same one until it changes itself. */
  readonly snapshot: () => Conversation
}

/** Transcripts, and places at the beginning, that are kept until their item comes. */
const maxEarly = 64

/** Responses whose items are known as theirs. */
const maxResponses = 64

/** @param keptBytes how much of the audio is kept; nothing, if it is not given */
export const make = (keptBytes?: number): ConversationMirror => {
  const nodes = new Map<string, Node>()
  /** Texts of items that the server has not announced yet: transcription may be faster. */
  const early = new Map<string, Map<number, Part>>()
  const toBeFirst = new Set<string>()
  const responses = new Map<string, Said>()
  /** What is still heard of an item goes by the id that it had. */
  const renamed = new Map<string, string>()
  let first: Node | undefined
  let last: Node | undefined
  let version = 0
  let latest: Conversation | undefined

  const idOf = (itemId: string): string | undefined => {
    let id: string | undefined = itemId
    for (let steps = 0; id !== undefined && !nodes.has(id) && steps <= renamed.size; steps += 1) id = renamed.get(id)
    return id !== undefined && nodes.has(id) ? id : undefined
  }

  const changed = (node: Node | undefined): void => {
    if (node !== undefined) node.shown = undefined
    version += 1
    latest = undefined
  }

  const recordings =
    keptBytes === undefined ? undefined : Recordings.make(keptBytes, (itemId) => changed(nodes.get(itemId)))

  const show = (node: Node): Item => {
    if (recordings === undefined) return node.item
    node.shown ??= Recordings.shownIn(node.item, recordings)
    return node.shown
  }

  const insertAfter = (node: Node, previous: Node | undefined): void => {
    const next = previous === undefined ? first : previous.next
    node.previous = previous
    node.next = next
    if (previous === undefined) first = node
    else previous.next = node
    if (next === undefined) last = node
    else next.previous = node
  }

  const unlink = (node: Node): void => {
    if (node.previous === undefined) first = node.next
    else node.previous.next = node.next
    if (node.next === undefined) last = node.previous
    else node.next.previous = node.previous
  }

  /** Behind this one, or in front of all. Whether that is another place. */
  const move = (node: Node, previous: Node | undefined): boolean => {
    if (previous === node || previous === node.previous) return false
    unlink(node)
    insertAfter(node, previous)
    changed(node)
    return true
  }

  const keepEarly = (itemId: string, contentIndex: number, part: Part): void => {
    const parts = early.get(itemId) ?? new Map<number, Part>()
    if (parts.size < maxEarly || parts.has(contentIndex)) parts.set(contentIndex, part)
    early.set(itemId, parts)
    forgetOldest(early, maxEarly)
  }

  /** Nothing that comes later gives a part its words back once it was cut, or its response stopped. */
  const setPart = (itemId: string, contentIndex: number, update: (part: Part | undefined) => Part): void => {
    const node = nodes.get(itemId)
    if (node?.item._tag !== "Message" || !Number.isInteger(contentIndex) || contentIndex < 0) return
    if (node.response?.state === "Stopped" || isCut(node.item.content[contentIndex])) return
    const content = node.item.content.slice()
    // A part can not be further away than one behind the last: anything else would make holes.
    const index = Math.min(contentIndex, content.length)
    content[index] = update(content[index])
    node.item = { ...node.item, content }
    changed(node)
  }

  const respond = (responseId: string): Said => {
    const known = responses.get(responseId)
    if (known !== undefined) return known
    const fresh: Said = { items: new Set(), state: "Live", blockedBy: undefined }
    responses.set(responseId, fresh)
    forgetOldest(responses, maxResponses)
    return fresh
  }

  /** Takes over what became of an item, and gives it. */
  const change = (node: Node, item: Item): Item => {
    node.item = item
    changed(node)
    return item
  }

  return {
    put: (wire, previousItemId, responseId) => {
      if (typeof wire.id !== "string" || wire.id === "") return undefined
      const known = nodes.get(wire.id)
      const response = known?.response ?? (responseId === undefined ? undefined : respond(responseId))
      response?.items.add(wire.id)
      if (known !== undefined) known.response = response
      const isFirst = previousItemId === "root"
      const previous = previousItemId === undefined ? undefined : nodes.get(previousItemId)
      const update = merge(known?.item, wire, wire.id)
      const item = response?.state === "Stopped" ? unsaid(known?.item, update, response.blockedBy) : update
      changed(known)
      if (known === undefined) {
        const node: Node = { item, shown: undefined, response, previous: undefined, next: undefined }
        nodes.set(wire.id, node)
        insertAfter(node, toBeFirst.delete(wire.id) || isFirst ? undefined : (previous ?? last))
        const parts = early.get(wire.id)
        if (parts === undefined) return item
        early.delete(wire.id)
        for (const [index, part] of Array.from(parts).sort(([one], [other]) => one - other)) {
          setPart(wire.id, index, () => part)
        }
        return node.item
      }
      known.item = item
      if (isFirst || previous !== undefined) move(known, previous)
      return item
    },
    place: (itemId, previousItemId) => {
      const [node, previous] = [nodes.get(itemId), nodes.get(previousItemId)]
      return node !== undefined && previous !== undefined && move(node, previous) ? node.next?.item : undefined
    },
    append: (itemId, contentIndex, kind, delta) =>
      setPart(itemId, contentIndex, (part) => textPart(kind, (partText(part) ?? "") + delta)),
    replace: (itemId, contentIndex, kind, text) => {
      const part = textPart(kind, text)
      if (nodes.has(itemId)) setPart(itemId, contentIndex, () => part)
      else keepEarly(itemId, contentIndex, part)
    },
    record: (itemId, contentIndex, bytes, format) => {
      if (recordings === undefined || !nodes.has(itemId)) return
      recordings.add(itemId, contentIndex, bytes, format)
    },
    recorded: (itemId, contentIndex) => recordings?.complete(itemId, contentIndex),
    cut: (itemId, contentIndex, heard) => {
      recordings?.cut(itemId, contentIndex, heard.bytes)
      const node = nodes.get(idOf(itemId) ?? "")
      const item = node === undefined ? undefined : cutPart(node.item, contentIndex, heard)
      return node === undefined || item === undefined ? undefined : change(node, item)
    },
    began: respond,
    stop: (isStopped, hasSound, blockedBy) => {
      const cut: Array<Item> = []
      for (const [responseId, response] of responses) {
        if (response.state === "Stopped" || !isStopped(responseId)) continue
        response.state = "Stopped"
        response.blockedBy = blockedBy
        for (const itemId of response.items) {
          const node = nodes.get(itemId)
          const item = node === undefined ? undefined : stopped(node.item, hasSound, blockedBy)
          if (node !== undefined && item !== undefined) cut.push(change(node, item))
        }
      }
      return cut
    },
    expectFirst: (itemId) => {
      toBeFirst.add(itemId)
      forgetOldest(toBeFirst, maxEarly)
    },
    remove: (itemId) => {
      const node = nodes.get(itemId)
      if (node === undefined) return false
      unlink(node)
      recordings?.forget(itemId)
      changed(node)
      return nodes.delete(itemId)
    },
    rename: (from, to) => {
      const node = nodes.get(from)
      if (node === undefined || nodes.has(to)) return undefined
      nodes.delete(from)
      nodes.set(to, node)
      recordings?.forget(from)
      if (node.response?.items.delete(from)) node.response.items.add(to)
      renamed.set(from, to)
      forgetOldest(renamed, maxEarly)
      return change(node, { ...node.item, id: to })
    },
    cutShort: () => {
      const cut: Array<Item> = []
      for (const node of nodes.values()) {
        if (!isBegun(node.item)) continue
        node.item = ended(node.item)
        changed(node)
        cut.push(node.item)
      }
      return cut
    },
    idOf,
    get: (itemId) => nodes.get(itemId)?.item,
    previousOf: (itemId) => {
      const node = nodes.get(itemId)
      return node === undefined ? undefined : (node.previous?.item.id ?? "root")
    },
    load: (items) => {
      let loaded: Node | undefined
      for (const item of items) {
        if (nodes.has(item.id)) continue
        const node: Node = { item, shown: undefined, response: undefined, previous: undefined, next: undefined }
        nodes.set(item.id, node)
        insertAfter(node, loaded)
        changed(node)
        loaded = node
      }
    },
    size: () => nodes.size,
    version: () => version,
    snapshot: () => {
      if (latest !== undefined) return latest
      const items: Array<Item> = []
      for (let node = first; node !== undefined; node = node.next) items.push(show(node))
      latest = { items }
      return latest
    }
  }
}
