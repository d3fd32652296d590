import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Endpoint from "../../src/openai/Endpoint.js"

const key = "sk-very-secret-0123456789"

type Given = Partial<Endpoint.EndpointOptions> & { readonly apiKey?: Redacted.Redacted }

const endpoint = (options: Given, model?: string, sendsHeaders = true) =>
  Endpoint.make(options, { key: options.apiKey ?? Redacted.make(key), others: [] }, model, sendsHeaders)
const right = (...args: Parameters<typeof endpoint>) => Either.getOrThrow(endpoint(...args))
const failure = (...args: Parameters<typeof endpoint>) => Either.getOrThrow(Either.flip(endpoint(...args)))

describe("An endpoint of a running call", () => {
  it("joins the conversation on the server", () => {
    expect(right({ url: "wss://host/x?call_id=rtc_1" }).traits).toEqual({
      conversation: "server",
      audio: "elsewhere",
      truncation: "server",
      playback: "server"
    })
    expect(right({ url: "wss://host/x?model=m" }).traits).toEqual({})
  })
})

describe("Endpoint", () => {
  it.each<[string, Given, string | undefined, string]>([
    ["OpenAI and its model", {}, undefined, "wss://api.openai.com/v1/realtime?model=gpt-realtime"],
    ["another model", { model: "gpt-realtime-2" }, undefined, "wss://api.openai.com/v1/realtime?model=gpt-realtime-2"],
    ["a connection's model", { model: "a" }, "b", "wss://api.openai.com/v1/realtime?model=b"],
    [
      "a model that needs escapes",
      { model: "a b/c&d" },
      undefined,
      "wss://api.openai.com/v1/realtime?model=a%20b%2Fc%26d"
    ],
    ["no model", { model: null }, "b", "wss://api.openai.com/v1/realtime"],
    ["a model in the URL", { url: "wss://host/x?model=own" }, "b", "wss://host/x?model=own"],
    [
      "a deployment in the URL",
      { url: "wss://host/x?api-version=1&deployment=d" },
      undefined,
      "wss://host/x?api-version=1&deployment=d"
    ],
    ["transcription", { url: "wss://host/x?intent=transcription" }, undefined, "wss://host/x?intent=transcription"],
    ["a running call", { url: "wss://host/x?call_id=rtc_1" }, undefined, "wss://host/x?call_id=rtc_1"],
    ["a query of its own", { url: "wss://host/x?a=b%20c+d", model: "m" }, undefined, "wss://host/x?a=b%20c+d&model=m"],
    [
      "Azure",
      { url: "https://x.openai.azure.com/openai/v1/realtime", model: "d" },
      undefined,
      "wss://x.openai.azure.com/openai/v1/realtime?model=d"
    ],
    [
      "http",
      { url: "http://127.0.0.1:8080/v1/realtime" },
      undefined,
      "ws://127.0.0.1:8080/v1/realtime?model=gpt-realtime"
    ],
    ["a URL object", { url: new URL("ws://h/p") }, undefined, "ws://h/p?model=gpt-realtime"],
    ["a fragment", { url: "ws://h/p#there" }, undefined, "ws://h/p?model=gpt-realtime"]
  ])("composes the address for %s", (_, options, model, expected) => {
    expect(right(options, model).url).toBe(expected)
  })

  it.each([
    ["not a URL", "not a URL"],
    ["another scheme", "ftp://host/x"],
    ["an empty one", ""]
  ])("fails for %s with a message that says what to do", (_, url) => {
    const error = failure({ url })
    expect(error._tag).toBe("ConnectFailed")
    expect(error.message).toMatch(/wss:\/\//)
  })

  it.each<[string, Given, Record<string, string>]>([
    ["a bearer token", {}, { Authorization: `Bearer ${key}` }],
    ["an api-key header", { authentication: "api-key" }, { "api-key": key }],
    ["nothing", { authentication: "none" }, {}],
    ["nothing, without a key", { authentication: "none", apiKey: Redacted.make("") }, {}],
    ["a key with space around it", { apiKey: Redacted.make(` ${key}\n`) }, { Authorization: `Bearer ${key}` }],
    [
      "organization and project",
      { authentication: "none", organization: "org-1", project: "proj-1" },
      { "OpenAI-Organization": "org-1", "OpenAI-Project": "proj-1" }
    ],
    [
      "more headers, which win",
      { headers: { authorization: "Basic x", "X-Trace": Redacted.make("t") } },
      { authorization: "Basic x", "X-Trace": "t" }
    ]
  ])("sends %s", (_, options, headers) => {
    expect(right(options).headers).toEqual(headers)
    expect(right(options).protocols).toEqual([])
  })

  it("puts the key into the subprotocols where headers can't be sent", () => {
    expect(right({ organization: "org-1", project: "proj-1" }, undefined, false)).toMatchObject({
      headers: {},
      protocols: ["realtime", `openai-insecure-api-key.${key}`, "openai-organization.org-1", "openai-project.proj-1"]
    })
    expect(right({ authentication: "subprotocol" }).protocols).toEqual(["realtime", `openai-insecure-api-key.${key}`])
  })

  it.each<[string, Given]>([
    ["a bearer token", { authentication: "bearer" }],
    ["an api-key header", { authentication: "api-key" }],
    ["headers of the application", { headers: { a: "b" } }]
  ])("refuses %s where headers can't be sent", (_, options) => {
    expect(failure(options, undefined, false).message).toContain('authentication: "subprotocol"')
  })

  it("refuses an empty key", () => {
    expect(failure({ apiKey: Redacted.make(" ") }).message).toContain("OPENAI_API_KEY")
  })

  it.each([
    [`wss://user:${key}@host/x?model=m`],
    [`wss://host/x?api-key=${key}&model=m`],
    [`wss://host/x?sig=another-secret&model=${key}`],
    [`wss://host/${key}/x#${key}`]
  ])("shows the address without its secrets: %s", (url) => {
    const { shownUrl } = right({ url })
    expect(shownUrl).toMatch(/^wss:\/\/host\/.*model=/)
    expect(shownUrl).not.toMatch(/very-secret|another-secret|user/)
  })

  it.each([[`no url ${key}`], [`wss://user:${key}@`], [`ftp://user:${key}@host/${key}?x=${key}`]])(
    "shows an invalid address without its secrets: %s",
    (url) => expect(JSON.stringify(failure({ url }))).not.toContain(key)
  )

  it("removes the secrets from texts that others sent", () => {
    const { redact } = right({ url: "wss://u:p%40ssword@host", headers: { a: Redacted.make("h/e/a/d") } })
    expect(redact(`${key} p%40ssword p@ssword h/e/a/d ${encodeURIComponent("h/e/a/d")} rest`)).toBe(
      "<redacted> <redacted> <redacted> <redacted> <redacted> rest"
    )
  })
})
