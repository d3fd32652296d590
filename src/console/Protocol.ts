/** What the page asks of the console's server beside the call itself, which goes through the gateway. */
import * as Schema from "effect/Schema"

/** Where the server has what. */
export const paths = { call: "/call", about: "/about", faults: "/faults" } as const

/** The query parameter in the page's fragment that has the token: a fragment is never sent to a server. */
export const tokenParameter = "token"

/**
 * What the next call of a tool does in place of its handler: it fails with a typed error, hangs until its timeout, or dies
 * with a defect.
 */
export const ToolFault = Schema.TaggedStruct("ToolFault", {
  how: Schema.Literal("Fail", "Hang", "Crash"),
  /** Default: any tool. */
  tool: Schema.optionalWith(Schema.String, { exact: true })
})
export type ToolFault = typeof ToolFault.Type

/** A fault that a person asks for, to watch how the session deals with it. It hits every call of this console. */
export const Fault = Schema.Union(
  ToolFault,
  /** The connection to the model's server is lost, without a CLOSE frame. */
  Schema.TaggedStruct("DropConnection", {}),
  /** Nothing comes from the model's server for this time, in milliseconds. Then all of it comes at once. */
  Schema.TaggedStruct("StallServer", { forMs: Schema.Int.pipe(Schema.between(1, 120_000)) })
)
export type Fault = typeof Fault.Type

/** Who can be talked to. */
export const About = Schema.Struct({
  /** The agent that begins. */
  agent: Schema.String,
  /** The tools of every agent, each name once. */
  tools: Schema.Array(Schema.Struct({ name: Schema.String, description: Schema.String })),
  /** Who thinks, and what they cannot do. */
  mind: Schema.String,
  /** Who speaks and listens, and what they cannot do. */
  voice: Schema.String
})
export interface About extends Schema.Schema.Type<typeof About> {}
