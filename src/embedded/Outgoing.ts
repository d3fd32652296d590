/**
 * What the server says, before the one writer gives it an event id.
 */
import type { ServerEvent } from "../protocol/ServerEvent.js"

type WithoutId<Event> = Event extends unknown ? Omit<Event, "event_id"> : never

export type OutgoingEvent = WithoutId<ServerEvent>

export type Emit = (event: OutgoingEvent) => void
