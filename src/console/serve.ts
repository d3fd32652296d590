/**
 * Serves the console on this machine: its page, the gateway for its calls, and its other requests.
 *
 * All requests except those for the page's own files need the token. A request that names a host other than this machine
 * is refused, to protect against DNS rebinding, and so is a request from a page of another origin.
 */
import { randomBytes } from "node:crypto"
import { createServer } from "node:http"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import { HttpServerRequest, schemaBodyJson, withMaxBodySize } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Agent from "../Agent.js"
import { TaggedError } from "../common/TaggedError.js"
import * as Gateway from "../gateway/Gateway.js"
import { microphoneWorklet, speakerWorklet } from "../gateway-client/worklets.js"
import { RealtimeModel } from "../RealtimeModel.js"
import { equal } from "../serving/secrets.js"
import * as Faults from "./Faults.js"
import type { File, Files } from "./PageFiles.js"
import { About, Fault, paths, tokenParameter, worklets } from "./Protocol.js"

/** The port is in use by another program. */
export class PortInUse extends TaggedError<PortInUse>()("PortInUse", {
  port: Schema.Number
}) {
  override get message(): string {
    return `Port ${this.port} is in use. Choose another with --port, or 0 for a free one.`
  }
}

export interface Options<E, R> {
  /** The port on 127.0.0.1; 0 takes a free one. */
  readonly port: number
  /** At least 16 characters. Default: a new one. */
  readonly token?: Redacted.Redacted
  readonly files: Files
  readonly agent: Agent.Agent<E, R>
  /** What answers and what speaks, as shown on the page. */
  readonly mind: string
  readonly voice: string
  /** Whether the model understands speech. If not, the page offers no microphone. */
  readonly hears: boolean
}

export interface Served {
  /** The address of the page, without the token. */
  readonly origin: string
  /** The address of the page, with the token in its fragment. */
  readonly url: Redacted.Redacted
}

/** Serves until the scope closes. Each page that connects gets its own session with the model from the context. */
export const serve = <E, R>(
  options: Options<E, R>
): Effect.Effect<Served, PortInUse | Gateway.OptionsInvalid | Gateway.NotLoopback, Scope.Scope | RealtimeModel | R> =>
  Effect.gen(function* () {
    // The server must outlive the gateway, which ends the calls. Otherwise it would wait for their sockets.
    const outliving = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    const server = yield* NodeHttpServer.make(() => createServer(), { port: options.port, host: "127.0.0.1" }).pipe(
      Effect.catchTag("ServeError", () => new PortInUse({ port: options.port })),
      Scope.extend(outliving)
    )
    const token = options.token ?? Redacted.make(randomBytes(32).toString("base64url"))
    const faults = yield* Faults.make
    const agent = faults.agent(options.agent)
    const gateway = yield* Gateway.make({
      authenticate: Gateway.token(token),
      call: () => Effect.succeed({ agent, options: { settings: settingsFor(options.agent) } }),
      maxCalls: 8,
      drainWithin: 0
    }).pipe(Effect.provideServiceEffect(RealtimeModel, Effect.map(RealtimeModel, faults.model)))

    const port = server.address._tag === "TcpAddress" ? server.address.port : options.port
    const origin = `http://127.0.0.1:${port}`
    const hosts = [`127.0.0.1:${port}`, `localhost:${port}`]
    const about = aboutOf(options)
    const files = new Map([
      ...options.files,
      [worklets.microphone, script(microphoneWorklet)],
      [worklets.speaker, script(speakerWorklet)]
    ])

    const app = Effect.gen(function* () {
      const request = yield* HttpServerRequest
      const host = request.headers["host"] ?? ""
      const path = request.url.split("?")[0] ?? ""
      if (path === paths.call) return yield* gateway.app
      if (!hosts.includes(host)) return refused(421, `This console is at ${origin}.`)
      // Programs other than browsers send no origin.
      if ((request.headers["origin"] ?? `http://${host}`) !== `http://${host}`) {
        return refused(403, "Pages from other origins may not use this console.")
      }
      if (request.method === "GET") {
        const file = files.get(path)
        if (file !== undefined) {
          return HttpServerResponse.uint8Array(file.bytes, { contentType: file.type, headers: headersOf(host) })
        }
      }
      if (path !== paths.about && path !== paths.faults) return refused(404, "There is nothing here.")
      if (!(yield* knows(request.headers["authorization"], token))) {
        return refused(401, "Open the console with the address that the command printed.")
      }
      if (path === paths.about) return yield* HttpServerResponse.schemaJson(About)(about)
      if (request.method !== "POST") return refused(405, "Send a fault with POST.")
      yield* Effect.flatMap(schemaBodyJson(Fault), faults.inject)
      return HttpServerResponse.empty({ status: 204 })
    }).pipe(
      withMaxBodySize(Option.some(4_096)),
      Effect.catchTags({
        ParseError: ({ message }) => Effect.succeed(refused(400, message)),
        RequestError: ({ message }) => Effect.succeed(refused(400, message)),
        HttpBodyError: () => Effect.succeed(refused(500, "The answer could not be written."))
      })
    ) satisfies HttpApp.Default

    yield* Gateway.serve(gateway, { app }).pipe(Effect.provideService(HttpServer.HttpServer, server))
    return { origin, url: Redacted.make(`${origin}/#${tokenParameter}=${Redacted.value(token)}`) }
  })

/** The page shows what the user said. An agent whose settings do not say whether it is transcribed gets a transcript. */
const settingsFor = <E, R>({ settings }: Agent.Agent<E, R>): Agent.Settings =>
  settings.audio?.input?.transcription === undefined
    ? { audio: { input: { transcription: { model: "gpt-4o-mini-transcribe" } } } }
    : {}

const script = (source: string): File => ({
  type: "text/javascript; charset=utf-8",
  bytes: new TextEncoder().encode(source)
})

const refused = (status: number, message: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(message, { status, headers: { "cache-control": "no-store" } })

const knows = (authorization: string | undefined, token: Redacted.Redacted): Effect.Effect<boolean> =>
  equal(/^Bearer (\S+)$/.exec(authorization ?? "")?.[1] ?? "", Redacted.value(token))

/** The page loads nothing from other hosts, and no other page can embed it. */
const headersOf = (host: string): Readonly<Record<string, string>> => ({
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "media-src 'self' blob:",
    // Not every browser treats a WebSocket to the page's own host as 'self'.
    `connect-src 'self' ws://${host}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; "),
  "permissions-policy": "microphone=(self), camera=(), geolocation=()",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store"
})

const aboutOf = <E, R>({ agent, hears, mind, voice }: Options<E, R>): About => {
  const tools = Agent.reachable(agent).flatMap(({ tools }) => tools)
  return {
    agent: agent.name,
    tools: Array.from(new Map(tools.map(({ description, name }) => [name, { name, description }])).values()),
    mind,
    voice,
    hears
  }
}
