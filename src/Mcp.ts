/**
 * Tools of MCP servers: programs on this machine, servers over HTTP, or a client that the application already has. It
 * has its own entry point, `effect-realtime/Mcp`. It needs `@modelcontextprotocol/sdk`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Agent, Session } from "effect-realtime"
 * import * as Mcp from "effect-realtime/Mcp"
 *
 * export const session = Effect.gen(function* () {
 *   const files = yield* Mcp.stdio("files", {
 *     command: "npx",
 *     args: ["-y", "@modelcontextprotocol/server-filesystem", "/srv/public"],
 *     approval: (tool) => !tool.name.startsWith("read_")
 *   })
 *   return yield* Session.make(Agent.make("Librarian", { instructions: "Find files.", tools: files.tools }))
 * })
 * ```
 *
 * @since 0.1.0
 * @module
 */
import type { Client } from "@modelcontextprotocol/sdk/client/index.js"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import type * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { openStdio } from "#mcp/stdio"
import { publishNow } from "./common/publishNow.js"
import type * as JsonSchemaTool from "./JsonSchemaTool.js"
import type { Command } from "./mcp/Command.js"
import { type Connection, connect } from "./mcp/Connection.js"
import { openHttp } from "./mcp/http.js"
import { dial, linkOf, type Opened } from "./mcp/Link.js"
import { type ListedTool, listing, type SkippedTool } from "./mcp/Listed.js"
import * as limits from "./mcp/limits.js"
import { type McpConnectFailed, McpListFailed } from "./mcp/McpError.js"
import { changesBetween, type McpTool, newlySkipped, type Offered, offer } from "./mcp/offer.js"
import { onClose } from "./mcp/onClose.js"
import * as Rule from "./options/Rule.js"
import * as rules from "./options/rules.js"
import type * as Tool from "./Tool.js"

export type { Command } from "./mcp/Command.js"
export type { Hints, ListedTool, SkippedTool } from "./mcp/Listed.js"
export {
  McpCallError,
  McpConnectFailed,
  McpListFailed,
  McpRefused,
  McpServerLost,
  McpToolFailed
} from "./mcp/McpError.js"
export type { McpTool } from "./mcp/offer.js"

/**
 * Something that happened to a server.
 *
 * @since 0.1.0
 * @category models
 */
export type Event =
  /**
   * The connection was lost. The calls that wait for a result fail with `McpServerLost`; new calls wait for the next
   * connection, or fail at once if the client is the application's.
   */
  | { readonly _tag: "Lost"; readonly reason: string }
  /** There is a new connection. */
  | { readonly _tag: "Restarted" }
  /** It is not tried any more: every call fails with `McpServerLost`. */
  | { readonly _tag: "GaveUp"; readonly reason: string }
  /** The server lists other tools than before, by their names there. */
  | {
      readonly _tag: "ListChanged"
      readonly added: ReadonlyArray<string>
      readonly changed: ReadonlyArray<string>
      readonly removed: ReadonlyArray<string>
    }
  /** The server lists tools that the model does not get, and that were not skipped before, or not for that reason. */
  | { readonly _tag: "ToolsSkipped"; readonly skipped: ReadonlyArray<SkippedTool> }
  /** A session that follows the list has not taken the new one, and keeps the old one. */
  | { readonly _tag: "ListNotTaken"; readonly reason: string }
  /** The tools could not be listed again. */
  | { readonly _tag: "ListFailed"; readonly reason: string }
  /** The server sent something that is not of the protocol: at most 200 characters of what was wrong with it. */
  | { readonly _tag: "Noise"; readonly text: string }

/** What it needs of a session. */
interface Followed {
  readonly updateTools: Effect.Effect<void, { readonly _tag: string; readonly message: string }>
}

/**
 * A connected server.
 *
 * @since 0.1.0
 * @category models
 */
export interface Server<R = never> {
  readonly label: string
  /** The tools that it listed first, for `Agent.make`. */
  readonly tools: ReadonlyArray<McpTool<R>>
  /** The tools that it listed first and that the model does not get, and why. */
  readonly skipped: ReadonlyArray<SkippedTool>
  /** The tools that it listed last, for an agent whose tools change with it: `tools: server.latest`. */
  readonly latest: Effect.Effect<ReadonlyArray<McpTool<R>>>
  /**
   * Gives a session the new list whenever it changes, as long as the scope lasts. The session's agent must take its tools
   * from `latest`. If the session does not take a list, `ListNotTaken` is published here.
   */
  readonly follow: (session: Followed) => Effect.Effect<void, never, Scope.Scope>
  /** What it listed last, and what the model does not get of it. */
  readonly current: Effect.Effect<{
    readonly tools: ReadonlyArray<McpTool<R>>
    readonly skipped: ReadonlyArray<SkippedTool>
  }>
  /** Asks for the list again, as happens by itself when the server says that it changed. */
  readonly refresh: Effect.Effect<void, McpListFailed>
  /** What happens. A new reader first gets the last 16 events. Of more than 256 that it does not read, the oldest go. */
  readonly events: Stream.Stream<Event>
}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options<R> {
  /**
   * Whether calls need approval: of all tools, of some, or depending on the arguments. You decide it: what a server says
   * about its tools (`hints`) waives nothing by itself.
   */
  readonly approval:
    | boolean
    | ((tool: ListedTool) => Exclude<Tool.PolicyOptions<JsonSchemaTool.Arguments, R>["approval"], undefined>)
  /** How a tool is run otherwise. Default: as with `Tool.make`. */
  readonly policy?:
    | ((tool: ListedTool) => Omit<Tool.PolicyOptions<JsonSchemaTool.Arguments, never>, "approval">)
    | undefined
  /** Which tools the model gets. Default: all. */
  readonly select?: ((tool: ListedTool) => boolean) | undefined
  /** The name of a tool for the model. Default: the label and its name, such as `files__read_file`. */
  readonly rename?: ((tool: ListedTool) => string) | undefined
  /** How many tools the model gets at most. Default: 128. */
  readonly maxTools?: number | undefined
  /** How long connecting may take, and listing the tools. Default: 30 seconds. */
  readonly connectTimeout?: Duration.DurationInput | undefined
  /** How often a lost connection is made again in a row. Default: 5. */
  readonly maxRestarts?: number | undefined
  /** The wait before that, which doubles each time. Default: 250 milliseconds. */
  readonly restartBackoff?: Duration.DurationInput | undefined
}

interface Settings {
  readonly connectTimeout: Duration.Duration
  readonly maxRestarts: number
  readonly restartBackoff: Duration.Duration
}

const settingsOf = <R>(of: string, label: string, options: Options<R>): Settings => {
  const limited = { ...rules.mcp, label: Rule.text(limits.maxNameLength) }
  Rule.validateOrThrow(`${of}(${JSON.stringify(label)})`, limited, { ...options, label })
  return {
    connectTimeout: Duration.decode(options.connectTimeout ?? "30 seconds"),
    maxRestarts: options.maxRestarts ?? limits.maxRestarts,
    restartBackoff: Duration.decode(options.restartBackoff ?? "250 millis")
  }
}

/** A connection of a minute is a success: after it, restarts are counted from the beginning. */
const resetAfter = Duration.minutes(1)

interface Wiring {
  readonly emit: (event: Event) => void
  readonly listChanged: () => void
}

const serverOf = <R, E>(
  label: string,
  options: Options<R>,
  { connectTimeout }: Settings,
  connection: (wiring: Wiring) => Effect.Effect<Connection, E, Scope.Scope>
): Effect.Effect<Server<R>, E | McpListFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const events = yield* PubSub.sliding<Event>({ capacity: limits.maxUnreadEvents, replay: limits.maxReplayedEvents })
    yield* Effect.addFinalizer(() => PubSub.shutdown(events))
    // However often the list changes, it is read once more.
    const changes = yield* Queue.sliding<void>(1)
    const emit = (event: Event): void => {
      publishNow(events, event)
    }
    const connected = yield* connection({ emit, listChanged: () => void Queue.unsafeOffer(changes, undefined) })
    const failed = (reason: string) => new McpListFailed({ server: label, reason })
    const list = listing((cursor) =>
      Effect.flatMap(connected.link, (link) =>
        link === undefined
          ? failed("There is no connection.")
          : Effect.mapBoth(link.request("tools/list", cursor === undefined ? {} : { cursor }), {
              onFailure: ({ reason }) => failed(reason),
              onSuccess: (answer) => ({ answer, discreet: link.discreet })
            })
      )
    ).pipe(
      Effect.timeoutFail({
        duration: connectTimeout,
        onTimeout: () => failed(`It did not list them within ${Duration.format(connectTimeout)}.`)
      }),
      Effect.map((listed) => (before?: Offered<R>) => offer(listed, connected, rulesOf(label, options), before))
    )
    const first = (yield* list)()
    let current: Offered<R> = first
    const refresh = Effect.map(list, (offered) => {
      const next = offered(current)
      const changed = changesBetween(current.listed, next.listed)
      const skipped = newlySkipped(current.skipped, next.skipped)
      current = next
      if (skipped.length > 0) emit({ _tag: "ToolsSkipped", skipped })
      if (changed !== undefined) emit({ _tag: "ListChanged", ...changed })
    })
    yield* Queue.take(changes).pipe(
      Effect.zipRight(refresh),
      Effect.catchAll(({ reason }) => Effect.sync(() => emit({ _tag: "ListFailed", reason }))),
      // A list that changes all the time would keep the session busy with nothing else.
      Effect.zipRight(Effect.sleep(limits.relistAfter)),
      Effect.forever,
      Effect.forkScoped
    )
    return {
      label,
      tools: first.tools,
      skipped: first.skipped,
      latest: Effect.sync(() => current.tools),
      follow: (session) =>
        Effect.gen(function* () {
          const changes = yield* PubSub.subscribe(events)
          // The latest list, even if it came before somebody followed it.
          yield* Queue.takeAll(changes)
          const take = given(session, (reason) => emit({ _tag: "ListNotTaken", reason }))
          yield* Queue.take(changes).pipe(
            Effect.flatMap(({ _tag }) => (_tag === "ListChanged" ? take : Effect.void)),
            Effect.forever,
            Effect.forkScoped
          )
          yield* Effect.forkScoped(take)
        }),
      current: Effect.sync(() => ({ tools: current.tools, skipped: current.skipped })),
      refresh,
      events: Stream.fromPubSub(events)
    }
  })

/** While another agent takes over, it is tried again. */
const whileSuperseded = Schedule.intersect(Schedule.spaced("1 second"), Schedule.recurs(limits.maxTakes))

const given = ({ updateTools }: Followed, notTaken: (reason: string) => void): Effect.Effect<void> =>
  updateTools.pipe(
    Effect.retry({ schedule: whileSuperseded, while: ({ _tag }) => _tag === "HandoffSuperseded" }),
    Effect.catchAll(({ message }) => Effect.sync(() => notTaken(message)))
  )

const rulesOf = <R>(label: string, options: Options<R>) => ({
  label,
  maxTools: options.maxTools ?? limits.maxTools,
  select: options.select ?? (() => true),
  rename: options.rename,
  policyOf: (tool: ListedTool): Tool.PolicyOptions<JsonSchemaTool.Arguments, R> => {
    const { approval } = options
    return { ...options.policy?.(tool), approval: typeof approval === "function" ? approval(tool) : approval }
  }
})

/** A server of our own connection, which is made again when it is lost. */
const dialled = <R>(
  of: string,
  label: string,
  options: Options<R>,
  open: Effect.Effect<Opened, string>
): Effect.Effect<Server<R>, McpConnectFailed | McpListFailed, Scope.Scope> =>
  Effect.suspend(() => {
    const settings = settingsOf(of, label, options)
    const { connectTimeout, maxRestarts, restartBackoff } = settings
    return serverOf(label, options, settings, ({ emit, listChanged }) =>
      connect(
        dial({
          label,
          open,
          connectTimeout,
          onListChanged: listChanged,
          onNoise: (text) => emit({ _tag: "Noise", text: text.slice(0, limits.maxNoise) })
        }),
        { maxAttempts: maxRestarts, backoff: restartBackoff, resetAfter },
        {
          lost: (reason) => Effect.sync(() => emit({ _tag: "Lost", reason })),
          restarted: Effect.sync(() => {
            emit({ _tag: "Restarted" })
            // It may have other tools now.
            listChanged()
          }),
          gaveUp: (reason) => Effect.sync(() => emit({ _tag: "GaveUp", reason }))
        }
      )
    )
  })

/**
 * A server that is a program on this machine. It runs as long as the scope lasts, and is started again, within bounds,
 * when it ends. Dies with `OptionsInvalid` if the label, a duration or a limit is not valid.
 *
 * @param label for the names of its tools, such as `files`: 1 to 200 characters
 *
 * @since 0.1.0
 * @category constructors
 */
export const stdio = <R = never>(
  label: string,
  options: Command & Options<R>
): Effect.Effect<Server<R>, McpConnectFailed | McpListFailed, Scope.Scope> =>
  dialled("Mcp.stdio", label, options, openStdio(options))

/**
 * A server over streamable HTTP. Its session ends with the scope. If the server forgets the session, another one is
 * begun, within the same bounds as a restart.
 *
 * @since 0.1.0
 * @category constructors
 */
export const http = <R = never>(
  label: string,
  options: Options<R> & {
    readonly url: string
    /** Sent with every request, such as `Authorization`. Redacted values are not printed by the library. */
    readonly headers?: { readonly [name: string]: string | Redacted.Redacted } | undefined
  }
): Effect.Effect<Server<R>, McpConnectFailed | McpListFailed, Scope.Scope> =>
  dialled("Mcp.http", label, options, openHttp(options.url, options.headers ?? {}))

/**
 * The tools of a client that the application has connected, and closes. It is not restarted: once it is closed, `Lost` is
 * published, and calls fail with `McpServerLost`. Set the client's own `onclose` before: it is called too, and is put back
 * when the scope ends. Call `refresh` when its list has changed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromClient = <R = never>(
  label: string,
  client: Client,
  options: Omit<Options<R>, "maxRestarts" | "restartBackoff">
): Effect.Effect<Server<R>, McpListFailed, Scope.Scope> =>
  Effect.suspend(() => {
    const settings = settingsOf("Mcp.fromClient", label, options)
    return serverOf(label, options, settings, ({ emit }) =>
      Effect.gen(function* () {
        const lost = yield* Deferred.make<string>()
        yield* onClose(client, () => Deferred.unsafeDone(lost, Effect.succeed("Its client is closed.")))
        yield* Effect.forkScoped(Effect.map(Deferred.await(lost), (reason) => emit({ _tag: "Lost", reason })))
        const link = linkOf(client, lost)
        return { link: Effect.succeed(link) }
      })
    )
  })
