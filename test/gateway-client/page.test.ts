import { createServer } from "node:http"
import type { Socket } from "node:net"
import { join } from "node:path"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as esbuild from "esbuild"
import { type Page, chromium as playwright } from "playwright-core"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { Gateway } from "../../src/gateway.js"
import { root } from "../child.js"
import { chromium, launch } from "../chromium.js"
import { options, portOf, secret } from "../gateway/harness.js"

const html = `<!doctype html><meta charset="utf-8"><title>Call</title><script type="module" src="./page.js"></script>
${["call", "ask", "interrupt", "hang-up"].map((id) => `<button id="${id}">${id}</button>`).join("\n")}`

/** As the guide says: a page's policy must allow scripts from `blob:`. */
const policy = { "content-security-policy": "default-src 'self'; script-src 'self' blob:" }

const bundle = Effect.promise(async () => {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: ["test/gateway-client/page/page.ts"],
    alias: { "effect-realtime/gateway-client": join(root, "src/gateway-client.ts") },
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    logLevel: "error"
  })
  return outputFiles.map(({ text }) => text).join("")
})

const answer = "This answer is long enough to be interrupted while it is being said. ".repeat(20)

/** A page and its gateway on one port, and an embedded server behind it. */
const serve = Effect.gen(function* () {
  const script = yield* bundle
  const sockets: Array<Socket> = []
  const node = createServer()
  node.on("upgrade", (_, socket: Socket) => sockets.push(socket))
  const server = yield* NodeHttpServer.make(() => node, { port: 0, host: "127.0.0.1" })
  const embedded = yield* EmbeddedRealtime.make({
    mind: EmbeddedRealtime.fromFunction(() => [EmbeddedRealtime.say(answer)])
  })
  const gateway = yield* Effect.provide(Gateway.make(options), embedded.layer)
  const app = HttpRouter.empty.pipe(
    HttpRouter.get("/", HttpServerResponse.html(html).pipe(HttpServerResponse.setHeaders(policy))),
    HttpRouter.get("/page.js", HttpServerResponse.text(script, { contentType: "text/javascript" })),
    HttpRouter.get("/call", gateway.app),
    Effect.catchTag("RouteNotFound", () => HttpServerResponse.empty({ status: 404 })),
    Effect.orDie
  )
  yield* Effect.provideService(Gateway.serve(gateway, { app }), HttpServer.HttpServer, server)
  return { embedded, sockets, url: `http://127.0.0.1:${portOf(server)}` }
})

const fakeDevice = "--use-fake-device-for-media-stream"

/** A page in a Chromium of its own. */
const open = (url: string, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { devTools, left } = yield* launch(chromium ?? "", args)
    const browser = yield* Effect.acquireRelease(
      Effect.promise(() => Promise.race([devTools.then((address) => playwright.connectOverCDP(address)), left])),
      (browser) => Effect.promise(() => browser.close())
    )
    return yield* Effect.promise(async () => {
      const page = await browser.newPage()
      await page.goto(`${url}/#${secret}`)
      return page
    })
  })

const press = (page: Page, id: string) => Effect.promise(() => page.click(`#${id}`))

const data = (page: Page) => Effect.promise(() => page.evaluate(() => ({ ...document.body.dataset })))

/** Waits until the page's data fits. */
const until = (page: Page, name: string, pattern: RegExp) =>
  Effect.tryPromise(() =>
    page.waitForFunction(
      ([name, source]) => new RegExp(source ?? "").test(document.body.dataset[name ?? ""] ?? ""),
      [name, pattern.source],
      { timeout: 60_000 }
    )
  ).pipe(
    Effect.catchAll(() =>
      Effect.flatMap(data(page), (last) => Effect.dieMessage(`${name} is not ${pattern}: ${JSON.stringify(last)}`))
    )
  )

const loudest = (base64: string): number => {
  const bytes = Buffer.from(base64, "base64")
  return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2).reduce(
    (most, sample) => Math.max(most, Math.abs(sample)),
    0
  )
}

const where = chromium === undefined ? " (skipped: no Chromium is installed, and CHROMIUM names none)" : ""

describe.skipIf(chromium === undefined)(`A page in Chromium${where}`, () => {
  it.scopedLive("is heard, plays the answer up to its interruption, and survives a broken socket", () =>
    Effect.gen(function* () {
      const { embedded, sockets, url } = yield* serve
      const page = yield* open(url, fakeDevice, "--use-fake-ui-for-media-stream")
      yield* press(page, "call")
      yield* until(page, "statuses", /^Connected$/)
      expect((yield* data(page))["devices"]).toContain("microphone")
      const connection = yield* embedded.connection
      // Chromium's fake microphone beeps once a second.
      const heard = connection.next("input_audio_buffer.append").pipe(
        Effect.map(({ audio }) => loudest(audio)),
        Effect.repeat({ until: (level) => level > 1_000 })
      )
      yield* heard
      yield* press(page, "ask")
      yield* until(page, "heard", /^([3-9]\d\d|\d{4,})(\.|$)/)
      yield* press(page, "interrupt")
      const { audio_end_ms } = yield* connection.next("conversation.item.truncate")
      expect(audio_end_ms).toBeGreaterThanOrEqual(300)
      // The answer takes longer than that, and the page had much more of it.
      expect(audio_end_ms).toBeLessThan(60_000)
      for (const socket of sockets) socket.destroy()
      yield* until(page, "statuses", /^Connected (Reconnecting )+Connected$/)
      yield* heard
      yield* press(page, "hang-up")
      yield* until(page, "statuses", / Connected Ended$/)
      yield* until(page, "over", /^yes$/)
      expect((yield* data(page))["error"]).toBeUndefined()
      yield* connection.ended
    })
  )

  it.scopedLive("is told that the user does not allow the microphone", () =>
    Effect.gen(function* () {
      const { url } = yield* serve
      const page = yield* open(url, fakeDevice, "--use-fake-ui-for-media-stream=deny")
      yield* press(page, "call")
      yield* until(page, "error", /^DeviceError Denied$/)
    })
  )

  it.scopedLive("is told that there is no microphone", () =>
    Effect.gen(function* () {
      const { url } = yield* serve
      const page = yield* open(url, "--use-fake-ui-for-media-stream")
      yield* press(page, "call")
      yield* until(page, "error", /^DeviceError NotFound$/)
    })
  )
})
