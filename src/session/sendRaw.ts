import type { ClientEvent } from "../protocol/ClientEvent.js"
import { isCreation } from "./conversation/Creation.js"
import { outlives } from "./conversation/Edits.js"
import type { Parts } from "./Parts.js"

/** Sends an event of the application as it is, but remembers what another connection has to know of it. */
export const sendRaw = (session: Parts, event: ClientEvent): void => {
  const { configuration, newId, outbox } = session
  if (event.type === "session.update" && event.session.type === "realtime") {
    configuration.sendRaw(event.session, event.event_id)
    return
  }
  if (!session.isOnline() && !outlives(event)) outbox.publish({ _tag: "ClientEventDropped", type: event.type })
  outbox.send(withId(event, newId))
}

/** An item without an id could not be sent to another connection. */
const withId = (event: ClientEvent, newId: (prefix: string) => string): ClientEvent =>
  isCreation(event) && event.item.id === undefined ? { ...event, item: { ...event.item, id: newId("itm") } } : event
