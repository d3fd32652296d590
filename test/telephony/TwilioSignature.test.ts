import { createHmac } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import twilio from "twilio"
import { TwilioSignature } from "../../src/Telephony.js"

const token = "12345"
const authToken = Redacted.make(token)
const fields = { CallSid: "CA1234567890ABCDE", Caller: "+14158675310", Digits: "1234", From: "+14158675310", To: "+1" }
const url = "https://example.com/myapp?foo=1&bar=2"

const headers = (signature: string) => ({ "x-twilio-signature": signature })
const passes = (request: TwilioSignature.SignedRequest) =>
  Effect.map(Effect.either(TwilioSignature.verify(authToken, request)), ({ _tag }) => _tag === "Right")

describe("A signature", () => {
  it.effect("is the one that Twilio's library expects, and the other way round", () =>
    Effect.gen(function* () {
      const signature = yield* TwilioSignature.sign(authToken, { url, fields })
      expect(twilio.validateRequest(token, signature, url, fields)).toBe(true)
      expect(yield* passes({ url, fields, headers: headers(signature) })).toBe(true)
    })
  )

  it.effect("of a media stream is that of its URL alone", () =>
    Effect.gen(function* () {
      const socket = "wss://example.com/media"
      const signature = yield* TwilioSignature.sign(authToken, { url: socket })
      expect(twilio.validateRequest(token, signature, socket, {})).toBe(true)
      expect(yield* passes({ url: socket, headers: headers(signature) })).toBe(true)
      for (const other of ["https://example.com/media", "wss://example.com/media/", "wss://example.com/medi"]) {
        expect(yield* passes({ url: other, headers: headers(signature) }), other).toBe(false)
      }
    })
  )

  it.effect("with a shared key is an HMAC of SHA-256, if the settings say so", () =>
    Effect.gen(function* () {
      const signature = yield* TwilioSignature.sign(authToken, { url, fields }, "SHA-256")
      const settings = { "x-twilio-webhooks-signature-settings": "key=SK1,algorithm=HMAC_SHA256" }
      const text = url + Object.entries(fields).flat().join("")
      expect(signature).toBe(createHmac("sha256", token).update(text).digest("base64"))
      expect(yield* passes({ url, fields, headers: { ...headers(signature), ...settings } })).toBe(true)
      expect(yield* passes({ url, fields, headers: headers(signature) })).toBe(false)
      const unknown = { "x-twilio-webhooks-signature-settings": "key=SK1,algorithm=NONE" }
      expect(yield* passes({ url, fields, headers: { ...headers(signature), ...unknown } })).toBe(false)
    })
  )

  it.effect("that is missing, cut or of another token is refused", () =>
    Effect.gen(function* () {
      const signature = yield* TwilioSignature.sign(authToken, { url, fields })
      const other = yield* TwilioSignature.sign(Redacted.make("54321"), { url, fields })
      expect(yield* passes({ url, fields, headers: {} })).toBe(false)
      for (const wrong of ["", signature.slice(1), other]) {
        expect(yield* passes({ url, fields, headers: headers(wrong) })).toBe(false)
      }
      expect(yield* passes({ url, fields: { ...fields, Digits: "1235" }, headers: headers(signature) })).toBe(false)
      const error = yield* Effect.flip(TwilioSignature.verify(authToken, { url, fields, headers: {} }))
      expect(error).toMatchObject({ _tag: "StreamNotTrusted", reason: "Signature" })
    })
  )

  it("agrees with Twilio's library on any fields, repeated ones too", async () => {
    const name = FastCheck.string({ minLength: 1, unit: "grapheme" }).filter((key) => key !== "__proto__")
    const value = FastCheck.oneof(FastCheck.string(), FastCheck.array(FastCheck.string(), { minLength: 1 }))
    await FastCheck.assert(
      FastCheck.asyncProperty(FastCheck.dictionary(name, value), async (all) => {
        const signature = await Effect.runPromise(TwilioSignature.sign(authToken, { url, fields: all }))
        expect(twilio.validateRequest(token, signature, url, all)).toBe(true)
      })
    )
  })
})
