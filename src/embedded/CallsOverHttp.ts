/** The endpoints of the real API that make, accept and end calls. SDP is accepted, and no media flows. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Call } from "./Call.js"
import type { Calls } from "./Calls.js"
import { read } from "./ClientFrames.js"
import { isObject, type JsonObject, type Refusal, refusal } from "./Shape.js"
import { answerTo } from "./sdp.js"

export interface HttpRequest {
  /** After `/v1/realtime/`, such as `calls/rtc_1/accept`. */
  readonly path: string
  readonly contentType: string
  /** The key that came with it. */
  readonly key: string | undefined
  readonly body: Uint8Array
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface Secret {
  readonly session: JsonObject
  readonly expiresAtMs: number
}

/** How many client secrets are remembered. */
const MAX_SECRETS = 1_000
/** Seconds. */
const SECRET_LIFE = { least: 10, default: 600, most: 7_200 }

const json = (status: number, body: unknown): HttpAnswer => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body)
})

const done: HttpAnswer = { status: 200, headers: {}, body: "" }

const refused = (problem: Refusal, status = 400): HttpAnswer => json(status, { error: problem })

const noCall = (id: string): HttpAnswer =>
  refused(refusal("call_id_not_found", `No session found for call_id '${id}'.`), 404)

const parsed = (text: string): JsonObject | undefined => {
  try {
    const value: unknown = text.trim() === "" ? {} : JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

const notJson = refused(refusal("invalid_json", "The body could not be parsed as a JSON object."))

/** The text of each part of a multipart form, by name. Files are not expected. */
const partsOf = (contentType: string, text: string): ReadonlyMap<string, string> => {
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1]
  const parts = new Map<string, string>()
  if (boundary === undefined) return parts
  for (const part of text.split(`--${boundary}`)) {
    const [head = "", ...rest] = part.split("\r\n\r\n")
    const name = /name="([^"]*)"/i.exec(head)?.[1]
    if (name !== undefined) parts.set(name, rest.join("\r\n\r\n").replace(/\r\n$/, ""))
  }
  return parts
}

/** The clock of secrets, and the calls that are made with them. */
export class CallsOverHttp {
  readonly #calls: Calls
  readonly #secrets = new Map<string, Secret>()

  constructor(calls: Calls) {
    this.#calls = calls
  }

  /** Whether this is a client secret that has not expired. */
  isSecret(key: string | undefined, nowMs: number): boolean {
    const secret = this.#secrets.get(key ?? "")
    return secret !== undefined && secret.expiresAtMs > nowMs
  }

  /** Calls that are made live in this scope. */
  answer(request: HttpRequest): Effect.Effect<HttpAnswer, never, Scope.Scope> {
    const [resource = "", id, verb] = request.path.split("/").map(decoded)
    const text = new TextDecoder().decode(request.body)
    if (resource === "client_secrets" && id === undefined) return this.#makeSecret(text)
    if (resource === "calls" && id === undefined) return this.#makeCall(request, text)
    if (resource === "calls" && verb !== undefined && id !== undefined) {
      return Effect.sync(() => this.#act(id, verb, text))
    }
    return Effect.succeed(
      refused(refusal("unknown_url", `Unknown request URL: POST /v1/realtime/${request.path}`), 404)
    )
  }

  #makeSecret(text: string): Effect.Effect<HttpAnswer> {
    return Effect.map(Clock.currentTimeMillis, (now) => {
      const body = parsed(text)
      if (body === undefined) return notJson
      const session = isObject(body["session"]) ? body["session"] : { type: "realtime" }
      const frame = read(JSON.stringify({ type: "session.update", session }))
      if (frame._tag === "Refused") return refused(frame.refusal)
      const after = isObject(body["expires_after"]) ? body["expires_after"]["seconds"] : SECRET_LIFE.default
      const seconds = typeof after === "number" ? after : Number.NaN
      if (!(seconds >= SECRET_LIFE.least && seconds <= SECRET_LIFE.most)) {
        const wanted = `Expected a number from ${SECRET_LIFE.least} to ${SECRET_LIFE.most}.`
        return refused(refusal("invalid_value", `Invalid 'expires_after.seconds'. ${wanted}`, "expires_after.seconds"))
      }
      const value = `ek_${crypto.randomUUID().replaceAll("-", "")}`
      const expiresAtMs = now + seconds * 1_000
      this.#secrets.set(value, { session, expiresAtMs })
      const [oldest] = this.#secrets.keys()
      if (this.#secrets.size > MAX_SECRETS && oldest !== undefined) this.#secrets.delete(oldest)
      return json(200, { value, expires_at: Math.floor(expiresAtMs / 1_000), session })
    })
  }

  #makeCall({ contentType, key }: HttpRequest, text: string): Effect.Effect<HttpAnswer, never, Scope.Scope> {
    return Effect.gen(this, function* () {
      const isRaw = /^application\/sdp\b/i.test(contentType)
      const parts = isRaw ? new Map([["sdp", text]]) : partsOf(contentType, text)
      const offer = parts.get("sdp")
      const secret = this.#secrets.get(key ?? "")
      if (isRaw && secret === undefined) {
        return refused(
          refusal("invalid_request", "Send multipart/form-data with a project key, or use a client secret.")
        )
      }
      const given = parts.get("session")
      const session = given === undefined ? (secret?.session ?? { type: "realtime" }) : parsed(given)
      const answer = offer === undefined ? undefined : answerTo(offer)
      if (session === undefined) return notJson
      if (answer === undefined) return refused(refusal("invalid_sdp", "The SDP offer could not be parsed.", "sdp"))
      const begun = yield* this.#calls.begin(session)
      if (begun._tag === "Refused") return refused(begun.refusal)
      return {
        status: 201,
        headers: { "content-type": "application/sdp", location: `/v1/realtime/calls/${begun.call.id}` },
        body: answer
      }
    })
  }

  #act(id: string, verb: string, text: string): HttpAnswer {
    const call = this.#calls.find(id)
    const body = parsed(text)
    if (body === undefined) return notJson
    if (call === undefined) return noCall(id)
    switch (verb) {
      case "accept":
        return call.state === "Ringing" ? answerOf(call.begin(body)) : noCall(id)
      case "reject":
        return call.state === "Ringing" ? reject(call, body["status_code"]) : noCall(id)
      case "refer":
        return call.state === "Live" ? refer(call, body["target_uri"]) : noCall(id)
      case "hangup":
        call.end({ _tag: "HungUp", by: "application" })
        return done
      default:
        return refused(refusal("unknown_url", `Unknown request URL: POST /v1/realtime/calls/${id}/${verb}`), 404)
    }
  }
}

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

const answerOf = (problem: Refusal | undefined): HttpAnswer => (problem === undefined ? done : refused(problem))

const reject = (call: Call, given: unknown): HttpAnswer => {
  const statusCode = given ?? 603
  if (typeof statusCode !== "number" || !(statusCode >= 300 && statusCode <= 699)) {
    return refused(refusal("invalid_value", "Invalid 'status_code'. Expected a SIP status, 300 to 699.", "status_code"))
  }
  call.end({ _tag: "Rejected", statusCode })
  return done
}

const refer = (call: Call, targetUri: unknown): HttpAnswer => {
  if (typeof targetUri !== "string" || !/^(tel|sips?):/.test(targetUri)) {
    return refused(refusal("invalid_value", "Invalid 'target_uri'. Expected a tel: or sip: URI.", "target_uri"))
  }
  call.end({ _tag: "Referred", targetUri })
  return done
}
