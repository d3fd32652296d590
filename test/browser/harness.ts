import { spawn } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import axe from "axe-core"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { type Browser, type Page, chromium as playwright } from "playwright-core"
import type * as Agent from "../../src/Agent.js"
import * as Audio from "../../src/Audio.js"
import { example } from "../../src/console/example.js"
import * as PageFiles from "../../src/console/PageFiles.js"
import { type Served, serve } from "../../src/console/serve.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import type { RealtimeModel } from "../../src/RealtimeModel.js"
import { root } from "../child.js"
import { chromium, launch } from "../chromium.js"
import { tap } from "./tap.js"

/** How long the page may take for one thing. It is many times what it needs: the machine may be busy. */
const waitMs = 120_000

/** Where the pictures of the page go; git does not have them. */
const pictures = join(root, "coverage/console")

/** A Chromium, which the tests of a file share. */
export class Chromium extends Context.Tag("test/Chromium")<Chromium, Browser>() {
  static readonly layer = (args: ReadonlyArray<string> = []): Layer.Layer<Chromium> =>
    Layer.scoped(
      Chromium,
      Effect.gen(function* () {
        const { devTools, left } = yield* launch(chromium ?? "chromium", args)
        const connect = devTools.then((address) => playwright.connectOverCDP(address))
        return yield* Effect.acquireRelease(
          Effect.promise(() => Promise.race([connect, left])),
          (browser) => Effect.promise(() => browser.close())
        )
      })
    )
}

export interface ConsoleOptions {
  /** Default: an embedded server. */
  readonly model?: Layer.Layer<RealtimeModel>
  /** Default: that of the command. */
  readonly agent?: Agent.Agent<unknown, never>
  /** Default: true. */
  readonly hears?: boolean
  readonly voice?: string
}

/** A console on a port of its own. */
export const console = ({
  agent = example,
  hears = true,
  model = EmbeddedRealtime.layer(),
  voice = "Tones take the place of speech."
}: ConsoleOptions = {}): Effect.Effect<Served, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* Effect.provide(PageFiles.read(join(root, "dist/console")), NodeFileSystem.layer)
    const context = yield* Layer.build(model)
    const options = { port: 0, files, agent, mind: "The router answers.", voice, hears }
    return yield* Effect.provide(serve(options), context)
  })

/** The command, as somebody starts it with an agent of their own, and the address that it prints. */
export const command = (
  file: string
): Effect.Effect<{ readonly url: string; readonly kill: Effect.Effect<void> }, never, Scope.Scope> =>
  Effect.gen(function* () {
    const args = ["--import", "tsx", "src/cli.ts", "console", file, "--port", "0", "--quiet", "--recognizer", "tiny"]
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const url = yield* Effect.async<string>((resume) => {
      child.stdout.once("data", (text) => resume(Effect.succeed(String(text).trim())))
    })
    return { url, kill: Effect.sync(() => child.kill("SIGKILL")) }
  })

/** A page of the console, and what went wrong in it: an exception, or something that its policy forbids. */
export interface Opened {
  readonly page: Page
  readonly complaints: ReadonlyArray<string>
}

/** @param prepare runs before the page loads anything */
export const open = (
  url: string,
  prepare: (page: Page) => Promise<void> = async () => undefined
): Effect.Effect<Opened, never, Chromium | Scope.Scope> =>
  Effect.gen(function* () {
    const browser = yield* Chromium
    const context = yield* Effect.acquireRelease(
      Effect.promise(() => browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: "dark" })),
      (context) => Effect.promise(() => context.close())
    )
    context.setDefaultTimeout(waitMs)
    yield* Effect.promise(() => context.addInitScript(tap))
    const page = yield* Effect.promise(() => context.newPage())
    // Shows what went wrong, if the test fails.
    yield* Effect.addFinalizer((exit) =>
      Exit.isSuccess(exit) ? Effect.void : Effect.ignore(screenshot("failure", { page }))
    )
    const complaints: Array<string> = []
    page.on("pageerror", (error) => complaints.push(String(error)))
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text())
    })
    yield* Effect.promise(() => prepare(page))
    yield* Effect.promise(() => page.goto(url))
    return { page, complaints }
  })

/** A page in a call, on a console of its own. */
export const talk = (
  options?: ConsoleOptions
): Effect.Effect<Opened & { readonly served: Served }, unknown, Chromium | Scope.Scope> =>
  Effect.gen(function* () {
    const served = yield* console(options)
    const opened = yield* open(Redacted.value(served.url))
    yield* act((page) => page.getByText("In a call").waitFor(), opened)
    return { ...opened, served }
  })

export const act = <A>(does: (page: Page) => Promise<A>, { page }: { readonly page: Page }): Effect.Effect<A, Error> =>
  Effect.tryPromise({
    try: () => does(page),
    catch: (error) => (error instanceof Error ? error : new Error(String(error)))
  }).pipe(
    Effect.timeoutFail({ duration: 2 * waitMs, onTimeout: () => new Error(`The page never came to this: ${does}`) })
  )

export const press = (button: string, opened: { readonly page: Page }): Effect.Effect<void, Error> =>
  act((page) => page.getByRole("button", { name: button, exact: true }).click(), opened)

/** Reaches a button with the keyboard alone, from where the focus is. */
export const tabTo = (button: string, opened: { readonly page: Page }): Effect.Effect<void, Error> =>
  act(async (page) => {
    const target = page.getByRole("button", { name: button, exact: true })
    await target.waitFor()
    for (let presses = 0; presses < 100; presses += 1) {
      if (await target.evaluate((element) => element === document.activeElement)) return
      await page.keyboard.press("Tab")
    }
    throw new Error(`No Tab leads to ${button}.`)
  }, opened)

export const say = (text: string, opened: { readonly page: Page }): Effect.Effect<void, Error> =>
  Effect.zipRight(
    act((page) => page.getByLabel("What you say").fill(text), opened),
    press("Send", opened)
  )

/** Waits until a region of the page has a text. */
export const shows = (
  region: string,
  text: string | RegExp,
  opened: { readonly page: Page }
): Effect.Effect<void, Error> =>
  act((page) => page.getByRole("region", { name: region, exact: true }).getByText(text).first().waitFor(), opened)

/** The session so far, as the page saves it. */
export const download = (opened: { readonly page: Page }): Effect.Effect<Buffer, Error> =>
  act(async (page) => {
    const begun = page.waitForEvent("download")
    await page.getByRole("button", { name: "Download session" }).click()
    const parts: Array<Uint8Array> = []
    for await (const part of await (await begun).createReadStream()) parts.push(part)
    return Buffer.concat(parts)
  }, opened)

export const replay = (file: Buffer, opened: { readonly page: Page }): Effect.Effect<void, Error> =>
  act(
    (page) =>
      page
        .getByLabel("A session to replay")
        .setInputFiles({ name: "session.json", mimeType: "application/json", buffer: file }),
    opened
  )

/** Waits until the page's speaker plays something, or nothing for a second. */
export const sounds = (is: "loud" | "silent", opened: { readonly page: Page }): Effect.Effect<void, Error> =>
  act(
    (page) =>
      page.evaluate<void>(`new Promise((resolve) => {
        let quiet = 0
        const look = () => {
          quiet = globalThis.loudness?.() > 0.02 ? 0 : quiet + 1
          if (${is === "loud" ? "quiet === 0" : "quiet === 60"}) resolve()
          else requestAnimationFrame(look)
        }
        look()
      })`),
    opened
  )

/** What the page's speaker has played in the last minute, from the first sound on: PCM16 at 24 kHz. */
export const played = (opened: { readonly page: Page }): Effect.Effect<Uint8Array, Error> =>
  Effect.map(
    act((page) => page.evaluate<{ readonly rate: number; readonly audio: string }>("globalThis.recording()"), opened),
    ({ audio, rate }) => {
      if (rate !== 24_000) throw new Error(`The page plays at ${rate} samples per second.`)
      const samples = Audio.resample(Buffer.from(audio, "base64"), 24_000, 24_000)
      const first = samples.findIndex((sample) => Math.abs(sample) > 300)
      return Audio.encodePcm16(first < 0 ? new Int16Array(0) : samples.subarray(Math.max(0, first - 4_800)))
    }
  )

/** Waits until the microphone has heard something for a while. */
export const isHeard = (opened: { readonly page: Page }): Effect.Effect<void, Error> =>
  act(
    (page) =>
      page.evaluate<void>(`new Promise((resolve) => {
        let loud = 0
        const look = () => {
          const level = document.querySelector("meter")?.value ?? 0
          loud += level > 0.05 ? 1 : 0
          if (loud >= 30) resolve()
          else requestAnimationFrame(look)
        }
        look()
      })`),
    opened
  )

/** Whether the waveform of a voice has anything in it. */
export const drawn = (lane: "User" | "Agent", opened: { readonly page: Page }): Effect.Effect<boolean, Error> =>
  act(
    (page) =>
      page.locator(`.lane.${lane.toLowerCase()} canvas`).evaluate((canvas) =>
        canvas instanceof HTMLCanvasElement
          ? canvas
              .getContext("2d")
              ?.getImageData(0, 0, canvas.width, canvas.height)
              .data.some((value) => value > 0) === true
          : false
      ),
    opened
  )

/** Serious faults of accessibility, in either theme, as `theme: rule: element`. */
export const barriers = (opened: { readonly page: Page }): Effect.Effect<ReadonlyArray<string>, Error> =>
  Effect.map(
    inThemes(opened, (theme) =>
      act(async (page) => {
        await page.evaluate(axe.source)
        const { violations } = await page.evaluate<axe.AxeResults>("axe.run(document)")
        return violations
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${theme}: ${id}: ${html}`))
      }, opened)
    ),
    (found) => found.flat()
  )

/** Takes a picture of the page as it is now. */
const screenshot = (name: string, opened: { readonly page: Page }): Effect.Effect<void, Error> =>
  act(async (page) => {
    mkdirSync(pictures, { recursive: true })
    await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
  }, opened)

/** Takes pictures of the page as it is now, on a desk and on a telephone, in both themes. */
export const picture = (name: string, opened: { readonly page: Page }): Effect.Effect<void, Error> =>
  Effect.asVoid(
    inThemes(opened, (theme) =>
      Effect.forEach([400, 1280], (width) =>
        Effect.zipRight(resize(width, opened), screenshot(`${name}-${width}-${theme}`, opened))
      )
    )
  )

/** How much is cut off at the side of the page on a telephone, in pixels. */
export const overflow = (opened: { readonly page: Page }): Effect.Effect<number, Error> =>
  Effect.gen(function* () {
    yield* resize(400, opened)
    const excess = yield* act((page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth), opened)
    yield* resize(1280, opened)
    return excess
  })

const resize = (width: number, opened: { readonly page: Page }): Effect.Effect<void, Error> =>
  act(async (page) => {
    await page.setViewportSize({ width, height: 900 })
    // What was resized is drawn with the next frames.
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
  }, opened)

const inThemes = <A>(
  opened: { readonly page: Page },
  run: (theme: "dark" | "light") => Effect.Effect<A, Error>
): Effect.Effect<ReadonlyArray<A>, Error> =>
  Effect.forEach(["light", "dark"] as const, (theme) =>
    Effect.zipRight(
      act(
        (page) =>
          page.evaluate((theme) => {
            document.documentElement.dataset["theme"] = theme
          }, theme),
        opened
      ),
      run(theme)
    )
  )
