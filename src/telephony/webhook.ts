/** The form of a webhook, which anybody may have sent: it is read within a limit, before its signature can be checked. */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { readRequest } from "../common/readBody.js"
import { maxWebhookBytes } from "./limits.js"
import type { SignedRequest } from "./TwilioSignature.js"

export class WebhookTooLong extends Data.TaggedError("WebhookTooLong") {}

export const tooLong = HttpServerResponse.text("The body is too long.", {
  status: 413,
  headers: { connection: "close" }
})

/** `fields`: the last value of each. `signed`: all of them. */
export interface Form {
  readonly fields: { readonly [name: string]: string }
  readonly signed: NonNullable<SignedRequest["fields"]>
}

export const readForm = (request: HttpServerRequest) =>
  Effect.gen(function* () {
    const body = yield* readRequest(request, maxWebhookBytes)
    if (body === undefined) return yield* new WebhookTooLong()
    const pairs = Array.from(new URLSearchParams(new TextDecoder().decode(body)))
    const all = new Map<string, Array<string>>()
    for (const [name, value] of pairs) all.set(name, [...(all.get(name) ?? []), value])
    const form: Form = { fields: Object.fromEntries(pairs), signed: Object.fromEntries(all) }
    return form
  })
