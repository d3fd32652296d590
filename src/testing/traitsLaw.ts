import { both, type Law } from "./Law.js"
import { createdItem, isRecord, type Moment, refusedEvent, type Scene } from "./Observation.js"

const begin = ({ traits }: Scene) => {
  /** Items that the server is known to have. */
  const there = new Set<string>()
  return (moment: Moment): ReadonlyArray<string> => {
    if (moment._tag === "Answered") {
      const { item, item_id: itemId, type } = moment.event
      if (type === "conversation.item.added" && isRecord(item) && typeof item["id"] === "string") there.add(item["id"])
      if (type === "conversation.item.deleted" && typeof itemId === "string") there.delete(itemId)
      const refused = refusedEvent(moment)
      if (refused !== undefined) there.delete(refused)
      return []
    }
    if (moment._tag === "Played") {
      return traits.audio === "elsewhere" ? ["Audio was played that travels elsewhere."] : []
    }
    if (moment._tag !== "Sent") return []
    const { event } = moment
    switch (event.type) {
      case "input_audio_buffer.append":
        return traits.audio === "elsewhere" ? ["Audio was sent that travels elsewhere."] : []
      case "conversation.item.truncate":
        return traits.truncation === "server" ? [`${event.item_id} was cut, although the server does that.`] : []
      case "output_audio_buffer.clear":
        return traits.playback === "client" ? ["A server that plays nothing was told to stop."] : []
      case "conversation.item.create": {
        const id = createdItem(event)?.id
        return traits.conversation === "server" && id !== undefined && there.has(id)
          ? [`${id} was sent to a server that has it.`]
          : []
      }
      default:
        return []
    }
  }
}

export const traits: Law = both(
  "Traits",
  "A session leaves to the other side what is the other side's: to carry audio, to cut, to play, to keep the conversation.",
  begin
)
