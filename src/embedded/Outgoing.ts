/** The server's events before they get an event id. */
import type { ServerEvent } from "../protocol/ServerEvent.js"

type WithoutId<Event> = Event extends unknown ? Omit<Event, "event_id"> : never

export type OutgoingEvent = WithoutId<ServerEvent>

export type Emit = (event: OutgoingEvent) => void
