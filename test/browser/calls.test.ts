import { createServer } from "node:http"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { app } from "../../examples/webrtc-page/server.js"
import { Chromium, open } from "./harness.js"

layer(Chromium.layer(["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]), {
  excludeTestServices: true,
  timeout: "10 minutes"
})("The page of a call over WebRTC", (it) => {
  it.scoped("offers a call to its server, hears what the desk says, and hangs up", () =>
    Effect.gen(function* () {
      const http = yield* NodeHttpServer.make(() => createServer(), { port: 0, host: "127.0.0.1" })
      const { address } = http
      yield* Effect.provideService(HttpServer.serveEffect(yield* app("offline")), HttpServer.HttpServer, http)
      const { complaints, page } = yield* open(`http://127.0.0.1:${address._tag === "TcpAddress" ? address.port : 0}/`)
      yield* Effect.promise(async () => {
        await page.getByRole("button", { name: "Call" }).click()
        await page.getByText("Connected.").waitFor()
        await page.getByRole("textbox").fill("What are the opening hours of the restaurant?")
        await page.getByRole("button", { name: "Say" }).click()
        await page.getByText("opening_hours runs on the server").waitFor()
        await page.getByText("Desk: From six to ten in the evening.").waitFor()
        await page.getByRole("button", { name: "Hang up" }).click()
        await page.getByText("The call is over.").waitFor()
      })
      expect(complaints).toEqual([])
    })
  )
})
