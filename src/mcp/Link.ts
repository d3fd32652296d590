/** One connection to a server, through the official client. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { ResultSchema, ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Discretion from "../common/Discretion.js"
import { written } from "../common/written.js"
import { maxReason } from "./limits.js"
import { McpConnectFailed } from "./McpError.js"
import { type OnReport, Reports } from "./Reports.js"
import { failureOf, type RequestFailed, sessionGone } from "./RequestFailed.js"
import { isNotMcp, reasonOf, refusalOf, sentence, wantsCredentials } from "./reasonOf.js"

type Json = { readonly [key: string]: unknown }

/** A connected client, ours or the application's. */
export interface Link {
  /** Interruption tells the server that nobody waits any more. */
  readonly request: (method: string, params: Json, onProgress?: OnReport) => Effect.Effect<Json, RequestFailed>
  /** What the server says, without the secrets that it was given. */
  readonly discreet: Discreet
  /** Done with the reason when the connection is lost. */
  readonly lost: Deferred.Deferred<string>
}

/** Takes out of a server's words what it was given as a secret. */
export interface Discreet {
  /** Why something failed. Of a long text, the beginning. */
  readonly reason: (text: string) => string
  /** What a program wrote before it stopped. Of a long text, the end. */
  readonly lastWords: (text: string) => string
  /** What a tool says. */
  readonly result: Discretion.Redact
  /** The same of JSON; `undefined` if it nests too deeply. */
  readonly data: (value: unknown) => unknown
}

const discreetOf = (secrets: ReadonlyArray<string>): Discreet => {
  const redact = Discretion.redactor(secrets)
  const result = Discretion.frameRedactor(secrets)
  return {
    reason: (text) => redact(text.slice(0, 2 * maxReason)).slice(0, maxReason),
    lastWords: (text) => redact(text).slice(-maxReason),
    result,
    data: (value) => {
      const text = written(value)
      return text === undefined ? undefined : parsed(result(text))
    }
  }
}

/** A secret that is more than a piece of text, such as a number, leaves no JSON behind. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return "<redacted>"
  }
}

/** Longer than any tool may take: each has a time limit of its own. */
const noTimeLimit = 2 ** 31 - 1

/** How long a connection may take to close. The client itself kills a program after four seconds. */
const closesWithin = Duration.seconds(6)

/** How long a ping may take that decides whether a session is gone. The call that it is about may have no time limit. */
const pingWithin = Duration.seconds(5)

interface Failed {
  readonly error: unknown
  /** By which the request went; `undefined` if it is closed. */
  readonly transport: Transport | undefined
}

const notSent: RequestFailed = { _tag: "NotSent", reason: "There is no connection." }

/** @param reports absent: the client hears of them itself */
export const linkOf = (
  client: Client,
  lost: Deferred.Deferred<string>,
  discreet: Discreet = discreetOf([]),
  reports?: Reports
): Link => {
  const send = (method: string, params: Json, onprogress?: OnReport) =>
    Effect.suspend(() => {
      const { transport } = client
      return Effect.tryPromise({
        try: (signal) =>
          client.request({ method, params: { ...params } }, ResultSchema, {
            signal,
            timeout: noTimeLimit,
            ...(onprogress === undefined ? {} : { onprogress })
          }),
        // The client has no transport when one was closed, or already the next one.
        catch: (error): Failed => ({ error, transport: client.transport === transport ? transport : undefined })
      })
    })
  /** One answer of HTTP may be about one request only. If a ping is answered like that too, the session is gone. */
  const isGone = ({ error, transport }: Failed): Effect.Effect<boolean> => {
    if (transport === undefined) return Effect.succeed(true)
    if (transport.sessionId === undefined) return Effect.succeed(false)
    const gone = sessionGone(error)
    if (gone !== "maybe") return Effect.succeed(gone === "yes")
    return send("ping", {}).pipe(
      Effect.match({ onFailure: (again) => sessionGone(again.error) !== "no", onSuccess: () => false }),
      // Whoever does not answer has not said that the session is gone.
      Effect.timeoutTo({ duration: pingWithin, onTimeout: () => false, onSuccess: (gone) => gone })
    )
  }
  const sent = (method: string, params: Json, onprogress?: OnReport) =>
    send(method, params, onprogress).pipe(
      Effect.catchAll((failed) =>
        Effect.flatMap(isGone(failed), (gone) => Effect.fail(failureOf(failed.error, !gone, discreet.reason)))
      ),
      Effect.tapError((error) => (error._tag === "Lost" ? Deferred.succeed(lost, error.reason) : Effect.void))
    )
  const ask = (method: string, params: Json, onprogress?: OnReport): Effect.Effect<Json, RequestFailed> =>
    Effect.suspend(() => (client.transport === undefined ? Effect.fail(notSent) : sent(method, params, onprogress)))
  return {
    lost,
    discreet,
    request: (method, params, onProgress) =>
      reports === undefined || onProgress === undefined
        ? ask(method, params, onProgress)
        : Effect.acquireUseRelease(
            Effect.sync(() => reports.expect(onProgress)),
            (progressToken) => ask(method, { ...params, _meta: { progressToken } }),
            (progressToken) => Effect.sync(() => reports.forget(progressToken))
          )
  }
}

/** A way to a server that was not begun yet. */
export interface Opened {
  readonly transport: Transport
  /** What the server was given and nobody else may see. */
  readonly secrets: ReadonlyArray<string>
  /** Tells the server that its session is over, if it has one. */
  readonly goodbye?: () => Promise<void>
  /** The end of what it wrote to its standard error, if it has one, with more than is shown of it. */
  readonly lastWords?: () => string
}

export interface Dial {
  readonly label: string
  /** Fails with what to do. */
  readonly open: Effect.Effect<Opened, string>
  readonly connectTimeout: Duration.Duration
  readonly onListChanged: () => void
  /** Something came that is not of the protocol, such as a line of a log. */
  readonly onNoise: (text: string) => void
}

/** Connects, for as long as the scope lasts. */
export const dial = ({
  connectTimeout,
  label,
  onListChanged,
  onNoise,
  open
}: Dial): Effect.Effect<Link, McpConnectFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const failed = (reason: string, advice?: string) =>
      new McpConnectFailed({ server: label, reason: sentence(reason), ...(advice === undefined ? {} : { advice }) })
    const { goodbye, lastWords, secrets, transport } = yield* Effect.mapError(open, failed)
    const discreet = discreetOf(secrets)
    /** With what the server itself says, which is often the whole story. */
    const told = (reason: string): string => {
      const words = discreet.lastWords(lastWords?.() ?? "")
      const why = discreet.reason(sentence(reason))
      return words === "" ? why : `${why} It wrote to stderr: ${sentence(words)}`
    }
    let printed: "nothing" | "other than MCP" = "nothing"
    const notConnected = (reason: string, advice?: string) =>
      lastWords === undefined || printed === "nothing"
        ? failed(told(reason), advice)
        : failed(
            told(`${sentence(reason)} What it printed to stdout is not MCP`),
            "Let it print to stderr what is not MCP, or check its command."
          )
    const lost = yield* Deferred.make<string>()
    const client = new Client({ name: "effect-realtime", version: "0.1.0" })
    client.onclose = () => Deferred.unsafeDone(lost, Effect.succeed(told("It closed the connection")))
    client.onerror = (error) => {
      if (isNotMcp(error)) printed = "other than MCP"
      onNoise(discreet.reason(reasonOf(error)))
    }
    client.setNotificationHandler(ToolListChangedNotificationSchema, onListChanged)
    yield* Effect.addFinalizer(() =>
      Effect.promise(async () => {
        // What closing it brings up is nobody's news.
        client.onclose = () => undefined
        client.onerror = () => undefined
        // Whether it hears that or not, the connection is over.
        await goodbye?.().catch(() => undefined)
        await client.close().catch(() => undefined)
      }).pipe(Effect.disconnect, Effect.timeoutOption(closesWithin))
    )
    yield* Effect.tryPromise({
      try: (signal) => client.connect(transport, { signal, timeout: noTimeLimit }),
      catch: (error) => notConnected(refusalOf(error), wantsCredentials(error) ? "Check its headers." : undefined)
    }).pipe(
      Effect.disconnect,
      Effect.timeoutFail({
        duration: connectTimeout,
        onTimeout: () => notConnected(`It did not answer within ${Duration.format(connectTimeout)}`)
      })
    )
    return linkOf(client, lost, discreet, new Reports(transport))
  })
