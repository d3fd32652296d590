import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.js"
import * as Tool from "../../src/Tool.js"
import { act, Chromium, console, picture, press, say, shows, talk } from "./harness.js"

const agent = Agent.make("Concierge", {
  instructions: "Help the guest.",
  tools: [
    Tool.make("get_weather", {
      description: "The weather in a city",
      parameters: { city: Schema.String },
      timeout: "300 millis",
      handler: ({ city }) => Effect.succeed(`It is sunny in ${city}.`)
    }),
    Tool.make("call_taxi", { description: "Calls a taxi", handler: () => Effect.succeed("A taxi comes.") })
  ]
})

layer(Chromium.layer(), { excludeTestServices: true, timeout: "10 minutes" })("The faults of the console", (it) => {
  it.scoped("make the next call of the chosen tool fail, hang or crash, and no other", () =>
    Effect.gen(function* () {
      const opened = yield* talk({ agent })
      yield* act((page) => page.getByLabel("The next call of").selectOption("get_weather"), opened)
      const faults = [
        ["Fail", "fails", /^ToolFailure\/FaultInjected after/],
        ["Hang", "hangs until its timeout", /^ToolTimedOut after/],
        ["Crash", "dies with a defect", /^ToolDefect after/]
      ] as const
      for (const [button, what, outcome] of faults) {
        yield* press(button, opened)
        yield* shows("Faults", `The next call of get_weather ${what}.`, opened)
        yield* say("Call a taxi.", opened)
        yield* shows("Calls of tools", /^Succeeded after/, opened)
        yield* say("What is the weather in Paris?", opened)
        yield* shows("Calls of tools", outcome, opened)
        const spoken = act(
          (page) =>
            page
              .getByRole("log")
              .getByText(/Sorry, get weather did not work/)
              .last()
              .waitFor(),
          opened
        )
        yield* spoken
      }
      yield* say("What is the weather in Paris?", opened)
      yield* shows("Conversation", "It is sunny in Paris.", opened)
      const errors = yield* act((page) => page.getByRole("region", { name: "Errors" }).textContent(), opened)
      expect(errors).toMatch(/ToolDefect.*ToolTimedOut.*FaultInjected/s)
      yield* picture("faults", opened)
      expect(opened.complaints).toEqual([])
    })
  )

  it.scoped("stall the model: nothing arrives for a while, and then the answer does", () =>
    Effect.gen(function* () {
      const opened = yield* talk({ agent })
      // A tenth of what the button asks for.
      yield* act(
        (page) =>
          page.route("**/faults", (route) => {
            const asked = route.request().postDataJSON()
            return route.continue({ postData: JSON.stringify({ ...asked, forMs: asked.forMs / 10 }) })
          }),
        opened
      )
      yield* press("Stall the model", opened)
      yield* shows("Faults", "Nothing comes from the model for 10 s.", opened)
      yield* say("What is the weather in Paris?", opened)
      yield* shows("Conversation", "It is sunny in Paris.", opened)
      const wait = act((page) => page.locator("dt", { hasText: "Wait, p50" }).locator("+ dd").textContent(), opened)
      expect(Number.parseFloat((yield* wait) ?? "")).toBeGreaterThan(0.5)
      expect(opened.complaints).toEqual([])
    })
  )
})

layer(Chromium.layer(), { excludeTestServices: true, timeout: "10 minutes" })("The page of the console", (it) => {
  it.scoped("hands over to another agent, and shows who answers now, and how many tokens it took", () =>
    Effect.gen(function* () {
      const opened = yield* talk()
      yield* say("I have a question about billing.", opened)
      yield* shows("Timeline", "Concierge hands over to Billing", opened)
      const number = (name: string) =>
        act((page) => page.getByRole("banner").locator("dt", { hasText: name }).locator("+ dd").textContent(), opened)
      expect(yield* number("Agent")).toBe("Billing")
      yield* say("What is the bill of room 12?", opened)
      yield* shows("Conversation", "Room 12 owes 180 euros.", opened)
      expect(Number(yield* number("Tokens in"))).toBeGreaterThan(0)
      expect(Number(yield* number("Tokens out"))).toBeGreaterThan(0)
      yield* picture("handoff", opened)
      expect(opened.complaints).toEqual([])
    })
  )

  it.scoped("may load nothing from other hosts, run nothing that is inline, and be framed by nobody", () =>
    Effect.gen(function* () {
      const opened = yield* talk()
      const other = yield* console()
      const found = yield* act(
        (page) =>
          page.evaluate(async (origin) => {
            const expected = ["connect-src", "frame-src", "img-src", "media-src", "script-src-elem", "style-src-elem"]
            const violated = new Set<string>()
            const all = new Promise<void>((resolve) => {
              document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
                violated.add(effectiveDirective)
                if (expected.every((one) => violated.has(one))) resolve()
              })
            })
            const add = (name: string, attributes: object) =>
              document.body.append(Object.assign(document.createElement(name), attributes))
            await fetch(origin).catch(() => undefined)
            add("img", { src: `${origin}/icon.svg` })
            add("audio", { src: `${origin}/sound.wav` })
            add("iframe", { src: origin })
            add("script", { textContent: "globalThis.injected = true" })
            add("style", { textContent: "body { display: none }" })
            await all
            return { injected: "injected" in globalThis, display: getComputedStyle(document.body).display }
          }, other.origin),
        opened
      )
      expect(found).toEqual({ injected: false, display: expect.not.stringMatching("none") })
      const framing = yield* act(async (page) => {
        const response = await page.request.get(page.url())
        return response.headers()["content-security-policy"]
      }, opened)
      expect(framing).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
    })
  )
})
