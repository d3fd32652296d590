import type { Conversation } from "../../Conversation.js"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import { paramOf, type Told } from "./itemParam.js"

/**
 * What turns one conversation into another on the server: deletions of what is gone or changed, and creations, each
 * behind the item before it. Items that stay are not touched; the longest run that kept its order stays.
 */
export const editsBetween = (
  before: Conversation,
  after: Conversation,
  newId: (prefix: string) => string,
  told: Told
): ReadonlyArray<ClientEvent> => {
  const known = new Map(before.items.map((item) => [item.id, item]))
  const kept = longestRun(
    before.items.map(({ id }) => id),
    after.items.filter((item) => known.get(item.id) === item).map(({ id }) => id)
  )
  const events: Array<ClientEvent> = []
  for (const { id } of before.items) {
    if (!kept.has(id)) events.push({ type: "conversation.item.delete", event_id: newId("del"), item_id: id })
  }
  let previous = "root"
  for (const item of after.items) {
    if (kept.has(item.id)) {
      previous = item.id
      continue
    }
    // A deleted id may not be used again at once.
    const id = newId("itm")
    const param = paramOf(item, id, told)
    if (param === undefined) continue
    events.push({ type: "conversation.item.create", event_id: id, previous_item_id: previous, item: param })
    previous = id
  }
  return events
}

/** The ids of the longest common subsequence, for lists without repetitions: the longest rising run of places. */
const longestRun = (before: ReadonlyArray<string>, after: ReadonlyArray<string>): ReadonlySet<string> => {
  const place = new Map(before.map((id, index) => [id, index]))
  const best: Array<{ readonly place: number; readonly run: ReadonlyArray<string> }> = []
  for (const id of new Set(after)) {
    const at = place.get(id)
    if (at === undefined) continue
    let run: ReadonlyArray<string> = []
    for (const other of best) if (other.place < at && other.run.length > run.length) run = other.run
    best.push({ place: at, run: [...run, id] })
  }
  return new Set(
    best.reduce<ReadonlyArray<string>>((longest, { run }) => (run.length > longest.length ? run : longest), [])
  )
}
