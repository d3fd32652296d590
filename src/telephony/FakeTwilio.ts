/**
 * Twilio for tests of a server: it rings at the webhook, does what the TwiML says, and asks what to do when the stream is
 * over. Everything is signed.
 *
 * @since 0.1.0
 */
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import type * as Socket from "@effect/platform/Socket"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { TaggedError } from "../common/TaggedError.js"
import { connect, type FakeCaller } from "./FakeCaller.js"
import { sign } from "./TwilioSignature.js"

/**
 * The server did not connect the call to a stream.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotConnected extends TaggedError<NotConnected>()("NotConnected", {
  /** HTTP status of the answer. */
  status: Schema.Number,
  /** The answer: TwiML, or what the server says. */
  body: Schema.String
}) {
  override get message(): string {
    return `The server answered with status ${this.status}: ${this.body}`
  }
}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** The webhook of the number. */
  readonly voiceUrl: string
  readonly authToken: Redacted.Redacted<string>
  /**
   * Opens the WebSocket with these headers, such as
   * `(url, headers) => Socket.fromWebSocket(Effect.sync(() => new WebSocket(url, { headers })))` with the package `ws`.
   */
  readonly open: (
    url: string,
    headers: { readonly [name: string]: string }
  ) => Effect.Effect<Socket.Socket, never, Scope.Scope>
  /** Default: `+15550001`. */
  readonly from?: string
  /** Default: `+15550002`. */
  readonly to?: string
  /** Default: `CA1`. */
  readonly callId?: string
}

/**
 * A call that was answered.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answered {
  readonly caller: FakeCaller
  /** What the server answered when it rang. */
  readonly twiml: string
  /** Waits until the stream is over, and asks the server what to do: its TwiML. */
  readonly after: Effect.Effect<string, NotConnected | HttpClientError>
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }
const plain = (text: string): string => text.replace(/&(\w+);/g, (_, name: string) => entities[name] ?? "")
const attribute = (twiml: string, pattern: RegExp): string | undefined => {
  const found = pattern.exec(twiml)?.[1]
  return found === undefined ? undefined : plain(found)
}

/**
 * Calls a number. The caller hangs up when the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const dial = ({
  authToken,
  callId = "CA1",
  from = "+15550001",
  open,
  to = "+15550002",
  voiceUrl
}: Options): Effect.Effect<Answered, NotConnected | HttpClientError, Scope.Scope | HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const signed = (url: string, fields: { readonly [name: string]: string }) =>
      Effect.map(sign(authToken, { url, fields }), (signature) => ({ "x-twilio-signature": signature }))
    const ask = (url: string, fields: { readonly [name: string]: string }) =>
      Effect.gen(function* () {
        const body = HttpBody.text(new URLSearchParams(fields).toString(), "application/x-www-form-urlencoded")
        const response = yield* client.post(url, { body, headers: yield* signed(url, fields) })
        const text = yield* response.text
        return response.status === 200 ? text : yield* new NotConnected({ status: response.status, body: text })
      })
    const call = { CallSid: callId, From: from, To: to }
    const twiml = yield* ask(voiceUrl, { ...call, CallStatus: "ringing", Direction: "inbound" })
    const url = attribute(twiml, /<Stream [^>]*?url="([^"]*)"/)
    if (url === undefined) return yield* new NotConnected({ status: 200, body: twiml })
    const parameters = Object.fromEntries(
      Array.from(twiml.matchAll(/<Parameter name="([^"]*)" value="([^"]*)"/g), ([, name = "", value = ""]) => [
        plain(name),
        plain(value)
      ])
    )
    const socket = yield* open(url, yield* signed(url, {}))
    const caller = yield* connect(socket, { callId, parameters })
    const action = attribute(twiml, /<Connect [^>]*?action="([^"]*)"/)
    const after = Effect.zipRight(
      caller.closed,
      action === undefined ? Effect.succeed("") : ask(action, { ...call, CallStatus: "in-progress" })
    )
    return { caller, twiml, after }
  })
