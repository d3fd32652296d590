/** The page's requests to the console's server, other than the call, which goes through the gateway. */
import * as Schema from "effect/Schema"

/** The paths of the server. */
export const paths = { call: "/call", about: "/about", faults: "/faults" } as const

/** Where the page finds what it runs on the browser's audio thread. Its policy allows no other addresses. */
export const worklets = { microphone: "/worklets/microphone.js", speaker: "/worklets/speaker.js" } as const

/** The parameter with the token in the page's fragment. A fragment is never sent to a server. */
export const tokenParameter = "token"

/**
 * What the next call of a tool does instead of running its handler: it fails with a typed error, hangs until its timeout,
 * or dies with a defect.
 */
export const ToolFault = Schema.TaggedStruct("ToolFault", {
  how: Schema.Literal("Fail", "Hang", "Crash"),
  /** Default: any tool. */
  tool: Schema.optionalWith(Schema.String, { exact: true })
})
export type ToolFault = typeof ToolFault.Type

/** A fault that the user injects, to see how the session handles it. It affects every call of this console. */
export const Fault = Schema.Union(
  ToolFault,
  /** The connection to the model's server is lost, without a CLOSE frame. */
  Schema.TaggedStruct("DropConnection", {}),
  /** Nothing arrives from the model's server for this time, in milliseconds. Then everything arrives at once. */
  Schema.TaggedStruct("StallServer", { forMs: Schema.Int.pipe(Schema.between(1, 120_000)) })
)
export type Fault = typeof Fault.Type

/** Which agent and model the user can talk to. */
export const About = Schema.Struct({
  /** The agent that begins. */
  agent: Schema.String,
  /** The names of all agents' tools, without duplicates. */
  tools: Schema.Array(Schema.Struct({ name: Schema.String, description: Schema.String })),
  /** What answers, and what it cannot do. */
  mind: Schema.String,
  /** What speaks and listens, and what it cannot do. */
  voice: Schema.String,
  /** Whether anything understands speech. If not, the user can only type. */
  hears: Schema.Boolean
})
export interface About extends Schema.Schema.Type<typeof About> {}
