import * as Either from "effect/Either"
import type { Conversation, Item, Part } from "../../Conversation.js"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { ItemParam } from "../../protocol/ItemParam.js"
import { EditInvalid } from "../../SessionError.js"
import { creationOf } from "./Creation.js"
import { type Kept, paramOf, unknownPart } from "./itemParam.js"

/**
 * The events that turn one conversation into another on the server: deletions of items that are gone or changed, and
 * creations, each after its previous item. Items that stay are not touched. The longest run of items that kept their
 * order stays; if there is a choice, items that a client can create are moved. If an item would have to move that a
 * client cannot create, nothing is done at all.
 */
export const editsBetween = (
  before: Conversation,
  after: Conversation,
  newId: (prefix: string) => string,
  audio: Kept
): Either.Either<ReadonlyArray<ClientEvent>, EditInvalid> => {
  const known = new Map(before.items.map((item) => [item.id, item]))
  const isWhole = (item: Item): boolean => whyNot(item, audio) === undefined
  const kept = longestRun(
    before.items.map(({ id }) => id),
    after.items.filter((item) => known.get(item.id) === item),
    (item) => (isWhole(item) ? 1 : before.items.length + 1)
  )
  const events: Array<ClientEvent> = []
  for (const { id } of before.items) {
    if (!kept.has(id)) events.push({ type: "conversation.item.delete", event_id: newId("del"), item_id: id })
  }
  const problems: Array<EditInvalid["problems"][number]> = []
  let previous = "root"
  for (const item of after.items) {
    if (kept.has(item.id)) {
      previous = item.id
      continue
    }
    // A deleted id must not be used again at once.
    const id = newId("itm")
    const param = createdAs(item, id, audio)
    if (typeof param === "string") {
      problems.push({ itemId: item.id, message: param })
      continue
    }
    events.push(creationOf(id, param, previous))
    previous = id
  }
  return problems.length === 0 ? Either.right(events) : Either.left(new EditInvalid({ problems }))
}

/** The item as a client creates it, or why that is not possible. */
const createdAs = (item: Item, id: string, audio: Kept): ItemParam | string =>
  whyNot(item, audio) ?? paramOf(item, id, audio) ?? "A client cannot create it."

/** Why an item cannot be created in full. */
const whyNot = (item: Item, audio: Kept): string | undefined => {
  if (item._tag === "Other") return `A client cannot create an item of the type ${item.type}.`
  if (item._tag !== "Message") return undefined
  if (item.blockedBy !== undefined) return `The guardrail ${item.blockedBy} stopped it: it is never sent again.`
  if (item.content.length > 0 && item.content.every(isUnheard)) return "Nothing of it was heard."
  switch (unknownPart(item, (index) => audio.get(item.id, index) !== undefined)) {
    case "Image":
      return "It has an image whose content is not known."
    case "Audio":
      return "It has audio whose words and sound are not known."
    case undefined:
      return undefined
  }
}

const isUnheard = (part: Part): boolean =>
  part._tag === "Audio" && part.cut !== undefined && (part.transcript ?? "") === ""

/** The ids of the heaviest common subsequence, for lists without repetitions: the heaviest rising run of positions. */
const longestRun = (
  before: ReadonlyArray<string>,
  after: ReadonlyArray<Item>,
  weigh: (item: Item) => number
): ReadonlySet<string> => {
  const place = new Map(before.map((id, index) => [id, index]))
  const best: Array<{ readonly place: number; readonly run: ReadonlyArray<string>; readonly weight: number }> = []
  for (const item of new Set(after)) {
    const at = place.get(item.id)
    if (at === undefined) continue
    let heaviest: { readonly run: ReadonlyArray<string>; readonly weight: number } = nothing
    for (const other of best) if (other.place < at && other.weight > heaviest.weight) heaviest = other
    best.push({ place: at, run: [...heaviest.run, item.id], weight: heaviest.weight + weigh(item) })
  }
  let heaviest: { readonly run: ReadonlyArray<string>; readonly weight: number } = nothing
  for (const one of best) if (one.weight > heaviest.weight) heaviest = one
  return new Set(heaviest.run)
}

const nothing = { run: [], weight: 0 }
