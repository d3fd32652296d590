import { createHmac } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import OpenAI from "openai"
import { Webhook as StandardWebhook } from "standardwebhooks"
import * as Calls from "../../src/Calls.js"

const text = `whsec_${Buffer.from("a secret of thirty-two bytes, no?").toString("base64")}`
const secret = Redacted.make(text)
const other = Redacted.make(`whsec_${Buffer.from("another secret").toString("base64")}`)

const data = {
  call_id: "rtc_1",
  sip_headers: [
    { name: "From", value: "sip:+1555@example.com" },
    { name: "X-Tenant", value: "7" },
    { name: "X-Tenant", value: "8" }
  ],
  sip_media_security: "srtp"
}
const incoming = { id: "wh_1", type: "realtime.call.incoming", data }
const signed = Calls.sign(incoming, secret)

/** As whoever has the secret signs it, of this text, at this time in seconds. */
const byHand = (body: string, seconds: number, key = "a secret of thirty-two bytes, no?"): Calls.Delivery => ({
  body: Buffer.from(body),
  headers: {
    "webhook-id": "wh_1",
    "webhook-timestamp": String(seconds),
    "webhook-signature": `v1,${createHmac("sha256", key).update(`wh_1.${seconds}.${body}`).digest("base64")}`
  }
})

const reasonOf = (delivery: Calls.Delivery, secrets: Calls.Secrets = secret) =>
  Effect.map(Effect.flip(Calls.verify(delivery, secrets)), (error) =>
    error._tag === "WebhookRejected" ? error.reason : error._tag
  )

describe("Webhooks", () => {
  it.effect("are read when they are signed", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_800_000_000_000)
      expect(yield* Calls.verify(yield* signed, secret)).toEqual({
        _tag: "IncomingCall",
        id: "wh_1",
        callId: "rtc_1",
        createdAtMs: 1_800_000_000_000,
        sipHeaders: data.sip_headers,
        mediaSecurity: "srtp"
      })
      // Any of them, while one replaces the other.
      expect(yield* Calls.verify(yield* signed, [other, secret])).toMatchObject({ callId: "rtc_1" })
      const live = yield* Calls.sign({ id: "wh_2", type: "live.transport.incoming", data: { session_id: "s" } }, secret)
      expect(yield* Calls.verify(live, secret)).toMatchObject({ _tag: "OtherWebhook", type: "live.transport.incoming" })
    })
  )

  it.live("that this library signs are accepted by openai and by standardwebhooks", () =>
    Effect.gen(function* () {
      const { body, headers } = yield* signed
      const raw = Buffer.from(body).toString("utf8")
      const client = new OpenAI({ apiKey: "sk-none", webhookSecret: text })
      const event = yield* Effect.promise(() => client.webhooks.unwrap(raw, headers))
      expect(event).toMatchObject({ type: "realtime.call.incoming", data })
      expect(new StandardWebhook(text).verify(raw, { ...headers })).toMatchObject({ data })
      const forged = { ...headers, "webhook-signature": "v1,AAAA" }
      expect(() => new StandardWebhook(text).verify(raw, forged)).toThrow()
    })
  )

  it.live("that standardwebhooks signs are accepted here", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ type: incoming.type, data })
      const now = new Date()
      const delivery = {
        body: Buffer.from(body),
        headers: {
          "webhook-id": "wh_1",
          "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
          "webhook-signature": `v1a,AAAA ${new StandardWebhook(text).sign("wh_1", now, body)}`
        }
      }
      expect(yield* Calls.verify(delivery, secret)).toMatchObject({ callId: "rtc_1" })
    })
  )

  it.effect("that are not signed, or not with the secret, or changed on their way, are rejected", () =>
    Effect.gen(function* () {
      const { body, headers } = yield* signed
      for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
        expect(yield* reasonOf({ body, headers: { ...headers, [name]: undefined } }), name).toBe("Unsigned")
      }
      expect(yield* reasonOf({ body, headers: { ...headers, "webhook-timestamp": "now" } })).toBe("Unsigned")
      expect(yield* reasonOf({ body, headers: { ...headers, "webhook-id": "wh_2" } })).toBe("Forged")
      expect(yield* reasonOf({ body, headers }, other)).toBe("Forged")
      // The same JSON, written again.
      const again = Buffer.from(JSON.stringify(JSON.parse(Buffer.from(body).toString()), null, 1))
      expect(yield* reasonOf({ body: again, headers })).toBe("Forged")
      const bare = String(headers["webhook-signature"]).slice(3)
      for (const signature of ["", "v1,", "v1,?", bare, `v1a,${bare}`, `${"v1,AAAA ".repeat(40)}v1,${bare}`]) {
        expect(yield* reasonOf({ body, headers: { ...headers, "webhook-signature": signature } })).toBe("Forged")
      }
    })
  )

  it.effect("that were signed more than five minutes from now are stale, both ways", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_800_000_000_000)
      const body = JSON.stringify(incoming)
      for (const [seconds, outcome] of [
        [-301, "Stale"],
        [-300, "rtc_1"],
        [300, "rtc_1"],
        [301, "Stale"]
      ] as const) {
        const delivery = byHand(body, 1_800_000_000 + seconds)
        const result = yield* outcome === "Stale"
          ? reasonOf(delivery)
          : Effect.map(Calls.verify(delivery, secret), (webhook) => "callId" in webhook && webhook.callId)
        expect(result, String(seconds)).toBe(outcome)
      }
    })
  )

  it.effect("with a body that is no event are told from forged ones", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_800_000_000_000)
      for (const body of ["", "[]", "{", '{"data":{}}', '{"type":"realtime.call.incoming","data":{"call_id":""}}']) {
        expect(yield* reasonOf(byHand(body, 1_800_000_000)), body).toBe("Malformed")
      }
    })
  )

  it.effect("need the whole secret, and say so without it", () =>
    Effect.gen(function* () {
      const delivery = yield* signed
      for (const wrong of [Redacted.make("a secret of thirty-two bytes, no?"), Redacted.make("whsec_"), []]) {
        const error = yield* Effect.flip(Calls.verify(delivery, wrong))
        expect(error._tag).toBe("OptionsInvalid")
        expect(error.message).not.toContain("thirty-two")
      }
    })
  )
})
