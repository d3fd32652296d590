import * as Http from "node:http"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type { HttpClient } from "@effect/platform/HttpClient"
import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Calls from "../../src/Calls.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { listen } from "../openai/Loopback.js"

const key = "sk-very-secret-0123456789"
const apiKey = Redacted.make(key)
const offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=setup:actpass\r\n"

const calls = <E = never, R = never>(options: Calls.Options<E, R>) =>
  Effect.provide(Calls.make(options), FetchHttpClient.layer)

/** The embedded server, which wants the key, and the calls on it. */
const embedded = Effect.gen(function* () {
  const server = yield* EmbeddedRealtime.serve({ apiKey, mind: EmbeddedRealtime.script([]) })
  return { server, service: yield* calls({ apiKey, baseUrl: server.baseUrl }) }
})

interface Taken {
  readonly path: string
  readonly authorization: string
  readonly contentType: string
  readonly body: string
}

/** A service that gives these answers, one after the other, and the last one again and again. */
const answering = (...answers: ReadonlyArray<{ readonly status: number; readonly body?: string | undefined }>) =>
  Effect.gen(function* () {
    const taken: Array<Taken> = []
    const http = Http.createServer((request, response) => {
      let body = ""
      request.on("data", (part) => {
        body += String(part)
      })
      request.on("end", () => {
        const { authorization = "", "content-type": contentType = "" } = request.headers
        taken.push({ path: request.url ?? "", authorization, contentType, body })
        const answer = answers[Math.min(taken.length, answers.length) - 1]
        if (answer?.status === 0) return request.socket.destroy()
        response.writeHead(answer?.status ?? 500)
        response.end(answer?.body ?? "")
      })
    })
    const port = yield* listen(http)
    return { baseUrl: `http://127.0.0.1:${port}/v1`, taken }
  })

describe("Calls over HTTP", () => {
  it.scopedLive("begins a call over WebRTC from an offer, with the settings", () =>
    Effect.gen(function* () {
      const { server, service } = yield* embedded
      const created = yield* service.create(offer, { instructions: "Be kind.", model: "gpt-realtime-2" })
      expect(created.callId).toBe("rtc_1")
      expect(created.answer).toContain("a=setup:passive")
      const call = yield* server.nextCall
      expect(yield* call.session).toMatchObject({ instructions: "Be kind.", model: "gpt-realtime-2" })
      yield* service.hangUp(created.callId)
      expect(yield* call.ended).toEqual({ _tag: "HungUp", by: "application" })
    })
  )

  it.scopedLive("begins a call that has the tools of its hosted servers, although nobody has sent an update", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({ apiKey, mcpServers: { crm: { tools: [{ name: "find_order" }] } } })
      const service = yield* Effect.provide(Calls.make({ apiKey, baseUrl: server.baseUrl }), FetchHttpClient.layer)
      const crm = { type: "mcp", server_label: "crm", server_url: "https://crm.example.com/mcp" } as const
      yield* service.create(offer, { tools: [crm] })
      const ringing = yield* server.ring
      yield* service.accept(ringing.id, { tools: [crm] })
      for (const { conversation } of [yield* server.nextCall, ringing]) {
        const [list] = yield* Effect.repeat(Effect.delay(conversation, "20 millis"), {
          until: ([first]) => first?.type === "mcp_list_tools" && first.tools.length > 0
        })
        expect(list).toMatchObject({ server_label: "crm", tools: [{ name: "find_order" }] })
      }
    })
  )

  it.scopedLive("gives a browser a key of its own, which begins calls with what it carries, until it expires", () =>
    Effect.gen(function* () {
      const { server, service } = yield* embedded
      const secret = yield* service.clientSecret({ session: { instructions: "Be quick." }, expiresAfter: "30 seconds" })
      expect(String(secret.value)).toBe("<redacted>")
      expect(secret.expiresAtMs - Date.now()).toBeGreaterThan(25_000)
      const exchange = (clientSecret: Redacted.Redacted) =>
        Effect.provide(Calls.exchangeSdp(offer, clientSecret, { baseUrl: server.baseUrl }), FetchHttpClient.layer)
      const created = yield* exchange(secret.value)
      const call = yield* server.nextCall
      expect(call.id).toBe(created.callId)
      expect(yield* call.session).toMatchObject({ instructions: "Be quick." })
      // Raw SDP is for client secrets only, as at the service.
      expect(yield* Effect.flip(exchange(apiKey))).toMatchObject({ _tag: "RequestRefused", status: 400 })
      expect(yield* Effect.flip(exchange(Redacted.make("ek_made_up_0123")))).toMatchObject({ status: 401 })
      expect(yield* Effect.flip(service.clientSecret({ expiresAfter: "3 hours" }))).toMatchObject({
        param: "expires_after.seconds"
      })
    })
  )

  it.scopedLive("answers, refuses, transfers and ends calls over SIP", () =>
    Effect.gen(function* () {
      const { server, service } = yield* embedded
      const [first, second, third] = [yield* server.ring, yield* server.ring, yield* server.ring]
      // What the service refuses at this point, or what silences the line, is left out.
      yield* service.accept(first.id, {
        instructions: "Answer.",
        audio: {
          input: { format: { type: "audio/pcmu" }, turn_detection: { type: "server_vad", threshold: 0.4 } },
          output: { format: { type: "audio/pcmu" }, voice: "cedar" }
        }
      })
      expect(yield* first.session).toMatchObject({
        instructions: "Answer.",
        audio: { input: { format: { type: "audio/pcm" } }, output: { voice: "cedar" } }
      })
      yield* service.refer(first.id, "tel:+15551234")
      expect(yield* first.ended).toEqual({ _tag: "Referred", targetUri: "tel:+15551234" })
      yield* service.reject(second.id)
      expect(yield* second.ended).toEqual({ _tag: "Rejected", statusCode: 603 })
      yield* service.reject(third.id, 486)
      expect(yield* third.ended).toEqual({ _tag: "Rejected", statusCode: 486 })
    })
  )

  it.scopedLive("says that a call is gone, and why a request was refused", () =>
    Effect.gen(function* () {
      const { server, service } = yield* embedded
      expect(yield* Effect.flip(service.accept("rtc_9"))).toMatchObject({ _tag: "CallGone", callId: "rtc_9" })
      const call = yield* server.ring
      const refused = yield* Effect.flip(
        service.accept(call.id, { tools: [{ type: "function", name: "a b", parameters: {} }] })
      )
      expect(refused).toMatchObject({ _tag: "RequestRefused", action: "accept", status: 400 })
      expect(refused).toHaveProperty("code")
      yield* service.accept(call.id)
      // Answered before: a webhook that comes again finds nothing to answer.
      expect(yield* Effect.flip(service.accept(call.id))).toMatchObject({ _tag: "CallGone" })
      const odd = yield* Effect.flip(service.refer(call.id, "mailto:x"))
      expect(odd).toMatchObject({ _tag: "RequestRefused", code: "invalid_value", param: "target_uri" })
    })
  )

  it.scopedLive("never asks twice for what may have been done", () =>
    Effect.gen(function* () {
      for (const status of [500, 503, 0]) {
        const { baseUrl, taken } = yield* answering({ status })
        const service = yield* calls({ apiKey, baseUrl })
        const error = yield* Effect.flip(service.accept("rtc_1"))
        expect(error).toMatchObject(
          status === 0 ? { _tag: "CallsUnreachable", mayBeDone: true } : { _tag: "RequestRefused", status }
        )
        expect(taken).toHaveLength(1)
      }
    })
  )

  it.scopedLive("tries again where the service was not reached, and then says so", () =>
    Effect.gen(function* () {
      const free = yield* Effect.scoped(listen(Http.createServer()))
      const service = yield* calls({ apiKey, baseUrl: `http://127.0.0.1:${free}/v1` })
      expect(yield* Effect.flip(service.hangUp("rtc_1"))).toMatchObject({ _tag: "CallsUnreachable", mayBeDone: false })
    })
  )

  it.scopedLive("does not wait for ever", () =>
    Effect.gen(function* () {
      const port = yield* listen(Http.createServer(() => undefined))
      const service = yield* calls({ apiKey, baseUrl: `http://127.0.0.1:${port}/v1`, timeout: "50 millis" })
      expect(yield* Effect.flip(service.hangUp("rtc_1"))).toMatchObject({ _tag: "CallsUnreachable", mayBeDone: true })
    })
  )

  it.scopedLive("asks for a fresh key when one has expired between two requests, once", () =>
    Effect.gen(function* () {
      const { baseUrl, taken } = yield* answering({ status: 200 }, { status: 401 }, { status: 200 }, { status: 401 })
      let asked = 0
      const service = yield* calls({
        apiKey: Effect.sync(() => Redacted.make(`token_number_${++asked}`)),
        baseUrl
      })
      yield* service.hangUp("rtc_1")
      yield* service.hangUp("rtc_2")
      expect(taken.map(({ authorization }) => authorization)).toEqual([
        "Bearer token_number_1",
        "Bearer token_number_2",
        "Bearer token_number_3"
      ])
      expect(yield* Effect.flip(service.hangUp("rtc_3"))).toMatchObject({ _tag: "RequestRefused", status: 401 })
      expect(taken).toHaveLength(5)
    })
  )

  it.scopedLive("shows no key, even where the service repeats it", () =>
    Effect.gen(function* () {
      const named = { code: `invalid_api_key`, param: `headers.${key}.${"x".repeat(10_000)}` }
      const body = JSON.stringify({ error: { message: `Incorrect API key: ${key}.`, ...named } })
      const { baseUrl } = yield* answering({ status: 401, body })
      const error = yield* Effect.flip(Effect.flatMap(calls({ apiKey, baseUrl }), (service) => service.hangUp("rtc_1")))
      expect(error).toMatchObject({ code: "invalid_api_key" })
      expect(error.message).toContain("<redacted>")
      expect(error._tag === "RequestRefused" && error.param?.length).toBe(100)
      expect(JSON.stringify(error) + String(error)).not.toContain(key)
    })
  )

  it.scopedLive("asks nothing for an id that leads elsewhere, or that no URL can have", () =>
    Effect.gen(function* () {
      const { baseUrl, taken } = yield* answering({ status: 200 })
      const service = yield* calls({ apiKey, baseUrl })
      for (const callId of ["", ".", "..", "\ud800"]) {
        expect(yield* Effect.flip(service.hangUp(callId))).toMatchObject({ _tag: "CallGone", callId })
      }
      expect(taken).toEqual([])
    })
  )

  it.scopedLive("reads an answer without end only so far, and says so", () =>
    Effect.gen(function* () {
      for (const status of [200, 500]) {
        let written = 0
        const http = Http.createServer((_, response) => {
          response.writeHead(status)
          const more = (): void => {
            written += 1_000_000
            if (!response.destroyed) response.write("x".repeat(1_000_000), more)
          }
          more()
        })
        const port = yield* listen(http)
        const service = yield* calls({ apiKey, baseUrl: `http://127.0.0.1:${port}/v1` })
        const error = yield* Effect.flip(service.create(offer))
        expect(error).toMatchObject({ _tag: "RequestRefused", status })
        expect(error.message.length).toBeLessThan(1_000)
        if (status === 200) expect(error.message).toContain("longer than 1 MiB")
        expect(written).toBeLessThan(50_000_000)
      }
    })
  )

  it.scopedLive(
    "sends what the service takes: forms without file names, ids that are percent-encoded, no empty body",
    () =>
      Effect.gen(function* () {
        const { baseUrl, taken } = yield* answering({ status: 200 })
        const service = yield* calls({ apiKey, baseUrl })
        yield* Effect.flip(service.create(offer, { instructions: "--effect-realtime" }))
        yield* service.reject("a/b c")
        yield* service.hangUp("rtc_1")
        const [form, reject, hangUp] = taken
        expect(form?.contentType).toMatch(/^multipart\/form-data; boundary=effect-realtime-[0-9a-f]{32}$/)
        expect(form?.body).toContain('name="sdp"\r\nContent-Type: application/sdp\r\n\r\nv=0')
        expect(form?.body).not.toContain("filename")
        expect(reject).toMatchObject({ path: "/v1/realtime/calls/a%2Fb%20c/reject", body: "{}" })
        expect(hangUp).toMatchObject({ path: "/v1/realtime/calls/rtc_1/hangup", body: "" })
      })
  )

  it.scopedLive("searches no offer of a page for a boundary, and gives no page one that it could have written", () =>
    Effect.gen(function* () {
      const { baseUrl, taken } = yield* answering({ status: 200 })
      const service = yield* calls({ apiKey, baseUrl })
      // An offer that is full of what a boundary begins with made each search of it longer, and there were as many.
      for (const written of ["v=0", `effect-realtime${"-x".repeat(20_000)}`])
        yield* Effect.flip(service.create(written))
      const boundaries = taken.map(({ contentType }) => contentType.split("boundary=")[1] ?? "")
      expect(boundaries.map(({ length }) => length)).toEqual([48, 48])
      expect(new Set(boundaries).size).toBe(2)
      for (const [index, { body }] of taken.entries()) expect(body.split(`--${boundaries[index]}`)).toHaveLength(4)
    })
  )

  it.scopedLive("sends no offer that is longer than any browser's, and says what to give", () =>
    Effect.gen(function* () {
      const { baseUrl, taken } = yield* answering({ status: 200 })
      const service = yield* calls({ apiKey, baseUrl })
      const long = "v".repeat(65_537)
      const exchanged = Calls.exchangeSdp(long, apiKey, { baseUrl }).pipe(Effect.provide(FetchHttpClient.layer))
      for (const made of [service.create(long), exchanged]) {
        const error = yield* Effect.flip(made)
        expect(error).toMatchObject({ _tag: "RequestInvalid", action: "create", param: "offer" })
        expect(error.message).toMatch(/^The SDP offer has 65537 characters, and at most 65536 are sent\. Give /)
      }
      expect(taken).toEqual([])
      // The service has no `Location` here: it was sent.
      expect(yield* Effect.flip(service.create(long.slice(1)))).toMatchObject({ _tag: "RequestRefused" })
      expect(taken).toHaveLength(1)
    })
  )

  it.scopedLive("refuses a call with no status that SIP has not for that, and says which to give", () =>
    Effect.gen(function* () {
      const { baseUrl, taken } = yield* answering({ status: 200 })
      const service = yield* calls({ apiKey, baseUrl })
      for (const status of [299, 700, 480.5, Number.NaN]) {
        const error = yield* Effect.flip(service.reject("rtc_1", status))
        expect(error).toMatchObject({ _tag: "RequestInvalid", action: "reject", param: "statusCode" })
        expect(error.message).toBe(`${status} refuses no call: give a SIP status from 300 to 699, such as 486 or 603.`)
      }
      expect(taken).toEqual([])
      for (const status of [300, 699]) yield* service.reject("rtc_1", status)
      expect(taken).toHaveLength(2)
    })
  )

  it("requires an HTTP client, and what its key requires", () => {
    class TokenDenied extends Data.TaggedError("TokenDenied")<object> {}
    class Tokens extends Context.Tag("test/Tokens")<Tokens, Effect.Effect<Redacted.Redacted, TokenDenied>>() {}
    const layer = Calls.layer({ apiKey: Effect.flatten(Tokens) })
    expectTypeOf(layer).toEqualTypeOf<Layer.Layer<Calls.OpenAiCalls, Calls.OptionsInvalid, Tokens | HttpClient>>()
    expectTypeOf<Effect.Effect.Error<ReturnType<Calls.Service["accept"]>>>().toEqualTypeOf<Calls.CallsError>()
    expectTypeOf<Effect.Effect.Context<ReturnType<Calls.Service["accept"]>>>().toEqualTypeOf<never>()
  })
})
