/**
 * How a server differs from OpenAI's in what travels on its connections. Pure: data in, data out. Each connection has
 * its own, which may remember what was sent on it.
 */
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { DecodeOptions } from "../protocol/Codec.js"
import type { Frame } from "./Frame.js"
import type { Traits } from "./Traits.js"

/** What follows from a message of the server, or from an event of the session: first what is sent, then the frames. */
export interface Step {
  /** Messages for the server. */
  readonly send: ReadonlyArray<string>
  /** Frames for the session. */
  readonly frames: ReadonlyArray<Frame>
  /** The connection ends on this side, for the reason that the server gave. */
  readonly end?: { readonly code: number; readonly reason: string; readonly message: string }
}

export interface Dialect {
  /** The text of one message from the server. */
  readonly read: (text: string, options: DecodeOptions) => Step
  /** An event of the session. */
  readonly write: (event: ClientEvent) => Step
  /** The server closed the connection: the code to report. */
  readonly closed?: (code: number, reason: string) => { readonly code: number; readonly reason: string }
  /** What differs on the connection, at this moment. Default for each: what the endpoint says. */
  readonly traits?: Traits
  /** What another connection needs to go on with this conversation. */
  readonly resumption?: () => string | undefined
}
