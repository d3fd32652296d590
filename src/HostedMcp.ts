/**
 * Remote MCP servers whose tools the model's provider calls itself: your program takes no part in the calls, except that
 * it may be asked to approve them.
 *
 * @example
 * ```ts
 * import { Redacted } from "effect"
 * import { Agent, HostedMcp } from "effect-realtime"
 *
 * export const agent = Agent.make("Desk", {
 *   instructions: "Answer questions about orders.",
 *   hostedTools: [
 *     HostedMcp.server("crm", {
 *       server_url: "https://crm.example.com/mcp",
 *       authorization: Redacted.make("…"),
 *       require_approval: "always"
 *     })
 *   ]
 * })
 * ```
 *
 * @since 0.1.0
 * @module
 */
import * as Redacted from "effect/Redacted"
import { type Host, HostedImports, type Imports } from "./hostedMcp/HostedImports.js"
import { guard } from "./protocol/fields.js"
import { McpTool } from "./protocol/ToolConfig.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("effect-realtime/HostedMcp")

/**
 * A hosted server of an agent.
 *
 * @since 0.1.0
 * @category models
 */
export interface HostedMcp {
  readonly [TypeId]: typeof TypeId
  readonly label: string
  /** Why the API would refuse it. Empty if it would not. */
  readonly problems: ReadonlyArray<string>
  /** As the API gets it, with its secrets. @internal */
  readonly config: () => McpTool
  /** @internal */
  readonly imports: (host: Host) => Imports
}

/**
 * Where the server is: exactly one of an address, a connector of the provider, and a tunnel.
 *
 * @since 0.1.0
 * @category options
 */
export type Where =
  | { readonly server_url: string; readonly connector_id?: never; readonly tunnel_id?: never }
  | {
      readonly connector_id: NonNullable<McpTool["connector_id"]>
      readonly server_url?: never
      readonly tunnel_id?: never
    }
  | { readonly tunnel_id: string; readonly server_url?: never; readonly connector_id?: never }

/**
 * Named as in the protocol.
 *
 * @since 0.1.0
 * @category options
 */
export type Options = Where & {
  /** What the server is for, for the model. */
  readonly server_description?: string
  /** A token that the provider sends to the server: for a connector, the user's. */
  readonly authorization?: Redacted.Redacted
  /** Headers that the provider sends to the server. Redacted values are not printed by the library. */
  readonly headers?: { readonly [name: string]: string | Redacted.Redacted }
  /** The tools that the model gets. Default: all. */
  readonly allowed_tools?: NonNullable<McpTool["allowed_tools"]>
  /** Which calls the application must approve. Default: as the provider has it, which may be all. */
  readonly require_approval?: NonNullable<McpTool["require_approval"]>
  /**
   * How the tools may be called: `"direct"`, by the model itself, or `"programmatic"`, by code that the model writes.
   * The provider decides what that means: the library only passes it on, and it has not been tested against a provider.
   * Default: as the provider has it.
   */
  readonly allowed_callers?: NonNullable<McpTool["allowed_callers"]>
  /**
   * Whether the model gets the tools only when it searches for them, instead of at once. The library only passes it on,
   * and it has not been tested against a provider. Default: as the provider has it.
   */
  readonly defer_loading?: boolean
}

/**
 * A hosted server, for `Agent.make`. What the API is known to refuse by its form is refused when the session begins, with
 * `AgentInvalid`. The provider judges the rest: the characters of a label, and whether a connector has its authorization.
 *
 * @param label a name of your choice, which no other server of the agent has
 *
 * @since 0.1.0
 * @category constructors
 */
export const server = (label: string, options: Options): HostedMcp => ({
  [TypeId]: TypeId,
  label,
  problems: problemsOf(label, options),
  config: () => configOf(label, options),
  imports: (host) => new HostedImports(host)
})

const places = ["server_url", "connector_id", "tunnel_id"] as const

/** Programs without types may pass anything. */
const problemsOf = (label: string, options: Options): ReadonlyArray<string> => {
  const name = `The hosted server ${JSON.stringify(label)}`
  const problems: Array<string> = []
  if (label === "") problems.push("A hosted server has an empty label: give it a name, such as crm.")
  const given = places.filter((place) => options[place] !== undefined)
  if (given.length !== 1) {
    const found = given.length === 0 ? "none" : given.join(" and ")
    problems.push(`${name} should have exactly one of ${places.join(", ")}, but has ${found}.`)
  }
  const { authorization, headers = {} } = options
  if (authorization !== undefined && !Redacted.isRedacted(authorization)) {
    problems.push(`${name} has its authorization as text, which could be printed: give it as Redacted.make(token).`)
  }
  const isAuthorized = Object.keys(headers).some((header) => header.toLowerCase() === "authorization")
  if (options.connector_id !== undefined && isAuthorized) {
    problems.push(`${name} is a connector, which takes no header Authorization: use the option \`authorization\`.`)
  }
  if (options.server_url !== undefined && !isAddress(options.server_url)) {
    problems.push(`${name} has a server_url that is no address: give one such as https://crm.example.com/mcp.`)
  }
  for (const option of wrongIn(options)) {
    problems.push(`${name} has a wrong ${option}, which the API refuses: see the type HostedMcp.Options.`)
  }
  return problems
}

const isAddress = (address: string): boolean => {
  try {
    return /^https?:$/.test(new URL(address).protocol)
  } catch {
    return false
  }
}

const isTool = guard(McpTool)

/** The options whose values have not the shape that the API takes. The provider may have other connectors by now. */
const wrongIn = ({ authorization: _, connector_id: __, headers = {}, ...options }: Options): ReadonlyArray<string> => {
  const texts = Object.entries(headers).map(([name, value]) => [name, Redacted.isRedacted(value) ? "" : value])
  const given = Object.entries({ ...options, headers: Object.fromEntries(texts) })
  return given.flatMap(([name, value]) =>
    value === undefined || isTool({ type: "mcp", server_label: "", [name]: value }) ? [] : [name]
  )
}

const configOf = (server_label: string, { authorization, headers, ...options }: Options): McpTool => ({
  type: "mcp",
  server_label,
  ...options,
  ...(authorization === undefined ? {} : { authorization: Redacted.value(authorization) }),
  ...(headers === undefined
    ? {}
    : {
        headers: Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [
            name,
            Redacted.isRedacted(value) ? Redacted.value(value) : value
          ])
        )
      })
})
