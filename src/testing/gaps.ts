import type { Item } from "../Conversation.js"
import type { ServerItem } from "../embedded/ServerItem.js"
import { field, isRecord, type Moment, type Observation, type Scene } from "./Observation.js"

type AtRest = Extract<Moment, { readonly _tag: "AtRest" }>

/**
 * What a server that keeps the conversation does while nobody is connected: no session hears of it, and none can ask for
 * it.
 */
export interface Gaps {
  readonly see: (moment: Moment) => void
  /** Compares both sides without the items that changed meanwhile. */
  readonly without: (
    moment: AtRest,
    compare: (mirror: ReadonlyArray<Item>, conversation: ReadonlyArray<ServerItem>) => ReadonlyArray<string>
  ) => ReadonlyArray<string>
  /** Whether this item was announced, and has not changed in a gap. */
  readonly isWhole: (itemId: string) => boolean
}

export const make = ({ conversation }: Scene["traits"]): Gaps => {
  const added = new Set<string>()
  const done = new Set<string>()
  /** Items of responses, while the server may still play them, and cut them. */
  const playing = new Map<unknown, Array<string>>()
  /** Items that a connection was lost in the middle of. */
  const torn = new Set<string>()

  const isWhole = (itemId: string): boolean => conversation !== "server" || (added.has(itemId) && !torn.has(itemId))

  const idIn = (event: { readonly [key: string]: unknown }): string | undefined => {
    const id = field(event["item"], "id")
    return typeof id === "string" ? id : undefined
  }

  return {
    see: (moment) => {
      if (moment._tag === "Answered" && isRecord(moment.event)) {
        const { type } = moment.event
        const id = idIn(moment.event)
        if (type === "conversation.item.added" && id !== undefined) added.add(id)
        if (type === "conversation.item.done" && id !== undefined) done.add(id)
        const responseId = moment.event["response_id"]
        if (type === "response.output_item.added" && id !== undefined) {
          playing.set(responseId, [...(playing.get(responseId) ?? []), id])
        }
        if (type === "output_audio_buffer.stopped" || type === "output_audio_buffer.cleared") playing.delete(responseId)
      }
      if (moment._tag !== "Disconnected") return
      for (const id of added) if (!done.has(id)) torn.add(id)
      for (const id of [...playing.values()].flat()) torn.add(id)
      playing.clear()
    },
    without: ({ conversation: all, mirror }, compare) => {
      if (conversation !== "server") return compare(mirror.items, all)
      return compare(
        mirror.items.filter(({ id }) => isWhole(id)),
        all.filter(({ id }) => isWhole(id))
      )
    },
    isWhole
  }
}

/** Of a whole program. */
export const of = ({ timeline, traits }: Observation): Gaps => {
  const gaps = make(traits)
  for (const moment of timeline) gaps.see(moment)
  return gaps
}
