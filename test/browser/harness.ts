import { mkdirSync } from "node:fs"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import axe from "axe-core"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { type Browser, type Page, chromium as playwright } from "playwright-core"
import { example } from "../../src/console/example.js"
import * as PageFiles from "../../src/console/PageFiles.js"
import { type Served, serve } from "../../src/console/serve.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import type { RealtimeModel } from "../../src/RealtimeModel.js"
import { root } from "../child.js"
import { chromium, launch } from "../chromium.js"

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

/** A console on a port of its own, with the agent of the command. */
export const console = (
  model: Layer.Layer<RealtimeModel> = EmbeddedRealtime.layer(),
  voice = "Tones take the place of speech."
): Effect.Effect<Served, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* Effect.provide(PageFiles.read(join(root, "dist/console")), NodeFileSystem.layer)
    const context = yield* Layer.build(model)
    return yield* Effect.provide(serve({ port: 0, files, agent: example, mind: "The router answers.", voice }), context)
  })

/** A page of the console, and what went wrong in it: an exception, or something that its policy forbids. */
export interface Opened {
  readonly page: Page
  readonly complaints: ReadonlyArray<string>
}

export const open = (url: string): Effect.Effect<Opened, never, Chromium | Scope.Scope> =>
  Effect.gen(function* () {
    const browser = yield* Chromium
    const context = yield* Effect.acquireRelease(
      Effect.promise(() => browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: "dark" })),
      (context) => Effect.promise(() => context.close())
    )
    const page = yield* Effect.promise(() => context.newPage())
    const complaints: Array<string> = []
    page.on("pageerror", (error) => complaints.push(String(error)))
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text())
    })
    yield* Effect.promise(() => page.goto(url))
    return { page, complaints }
  })

/** A page in a call, on a console of its own. */
export const talk = (
  model?: Layer.Layer<RealtimeModel>
): Effect.Effect<Opened & { readonly served: Served }, unknown, Chromium | Scope.Scope> =>
  Effect.gen(function* () {
    const served = yield* console(model)
    const opened = yield* open(Redacted.value(served.url))
    yield* act((page) => page.getByText("In a call").waitFor(), opened)
    return { ...opened, served }
  })

export const act = <A>(does: (page: Page) => Promise<A>, { page }: { readonly page: Page }): Effect.Effect<A, Error> =>
  Effect.tryPromise({
    try: () => does(page),
    catch: (error) => (error instanceof Error ? error : new Error(String(error)))
  })

export const press = (button: string, opened: { readonly page: Page }): Effect.Effect<void, Error> =>
  act((page) => page.getByRole("button", { name: button, exact: true }).click(), opened)

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

/** Serious faults of accessibility, in either theme, as `rule: element`. */
export const barriers = (opened: { readonly page: Page }): Effect.Effect<ReadonlyArray<string>, Error> =>
  inThemes(opened, async (page, theme) => {
    await page.evaluate(axe.source)
    const { violations } = await page.evaluate<axe.AxeResults>("axe.run(document)")
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${theme}: ${id}: ${html}`))
  })

/** Takes pictures of the page as it is now, on a desk and on a telephone, in both themes. */
export const picture = (name: string, opened: { readonly page: Page }): Effect.Effect<void, Error> =>
  Effect.asVoid(
    inThemes(opened, async (page, theme) => {
      mkdirSync(pictures, { recursive: true })
      for (const width of [1280, 400]) {
        await page.setViewportSize({ width, height: 900 })
        await nextFrame(page)
        await page.screenshot({ path: join(pictures, `${name}-${width}-${theme}.png`), fullPage: true })
      }
      await page.setViewportSize({ width: 1280, height: 900 })
      return []
    })
  )

/** Whether anything is cut off at the side of the page, on a telephone. */
export const overflow = (opened: { readonly page: Page }): Effect.Effect<number, Error> =>
  act(async (page) => {
    await page.setViewportSize({ width: 400, height: 900 })
    await nextFrame(page)
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    await page.setViewportSize({ width: 1280, height: 900 })
    return excess
  }, opened)

const nextFrame = (page: Page): Promise<void> =>
  page.evaluate(
    () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())))
  )

const inThemes = <A>(
  opened: { readonly page: Page },
  run: (page: Page, theme: "dark" | "light") => Promise<ReadonlyArray<A>>
): Effect.Effect<ReadonlyArray<A>, Error> =>
  act(async (page) => {
    const results: Array<A> = []
    for (const theme of ["light", "dark"] as const) {
      await page.evaluate((theme) => {
        document.documentElement.dataset["theme"] = theme
      }, theme)
      results.push(...(await run(page, theme)))
    }
    return results
  }, opened)
