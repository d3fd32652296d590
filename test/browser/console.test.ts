import { expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import {
  act,
  barriers,
  Chromium,
  command,
  console,
  download,
  open,
  overflow,
  picture,
  press,
  replay,
  say,
  shows,
  tabTo,
  talk
} from "./harness.js"

layer(Chromium.layer(), { excludeTestServices: true, timeout: "10 minutes" })("The console", (it) => {
  it.scoped("answers what is typed, and shows the call that it took", () =>
    Effect.gen(function* () {
      const opened = yield* talk()
      yield* picture("new", opened)
      yield* say("What is the weather in Paris?", opened)
      yield* shows("Calls of tools", /Succeeded after/, opened)
      yield* shows("Calls of tools", '{"city":"Paris"}', opened)
      yield* shows("Conversation", /sunny and 19 degrees in Paris/, opened)
      yield* shows("Timeline", "get_weather", opened)
      yield* picture("answered", opened)
      expect(yield* barriers(opened)).toEqual([])
      expect(yield* overflow(opened)).toBe(0)
      expect(opened.complaints).toEqual([])
    })
  )

  it.scoped("shows why a tool failed, and what the model read about it", () =>
    Effect.gen(function* () {
      const opened = yield* talk()
      yield* say("What is the weather in Atlantis?", opened)
      yield* shows("Calls of tools", /ToolFailure\/CityUnknown after/, opened)
      yield* shows("Conversation", /No station reports from Atlantis/, opened)
      yield* shows("Errors", /No station reports from Atlantis/, opened)
      yield* picture("failed", opened)
      expect(yield* barriers(opened)).toEqual([])
      expect(opened.complaints).toEqual([])
    })
  )

  it.scoped("makes the next call of a tool fail on request, and the model still answers", () =>
    Effect.gen(function* () {
      const opened = yield* talk()
      yield* press("Crash", opened)
      yield* shows("Faults", /The next call of any tool dies with a defect/, opened)
      yield* say("What is the weather in Paris?", opened)
      yield* shows("Calls of tools", /ToolDefect after/, opened)
      yield* shows("Errors", "ToolDefect", opened)
      yield* say("What is the weather in Paris?", opened)
      yield* shows("Conversation", /sunny and 19 degrees in Paris/, opened)
      expect(opened.complaints).toEqual([])
    })
  )

  it.scoped("lets a person approve a call, and reject another one, with the keyboard alone", () =>
    Effect.gen(function* () {
      const opened = yield* talk()
      yield* say("Book a table for four guests.", opened)
      yield* tabTo("Approve book_table", opened)
      yield* act((page) => page.keyboard.press("Enter"), opened)
      yield* shows("Conversation", /A table for 4 is booked/, opened)
      yield* say("Book a table for six guests.", opened)
      yield* shows("Calls of tools", "Waits for you", opened)
      yield* picture("waiting", opened)
      expect(yield* barriers(opened)).toEqual([])
      yield* tabTo("Reject book_table", opened)
      yield* act((page) => page.keyboard.press("Space"), opened)
      yield* shows("Calls of tools", /ToolRejected/, opened)
      expect(opened.complaints).toEqual([])
    })
  )

  it.scoped("goes on when the page's connection breaks", () =>
    Effect.gen(function* () {
      const opened = yield* talk()
      yield* press("Drop this page's connection", opened)
      yield* shows("Errors", "Connection to the console lost", opened)
      yield* act((page) => page.getByText("In a call").waitFor(), opened)
      yield* say("What is the weather in Paris?", opened)
      yield* shows("Conversation", /sunny and 19 degrees in Paris/, opened)
      yield* picture("healed", opened)
      expect(opened.complaints).toEqual([])
    })
  )

  it.scoped("goes on when the model's connection breaks", () =>
    Effect.gen(function* () {
      const opened = yield* talk()
      yield* press("Drop the model's connection", opened)
      yield* shows("Errors", "ConnectionLost", opened)
      yield* say("What is the weather in Paris?", opened)
      yield* shows("Conversation", /sunny and 19 degrees in Paris/, opened)
      expect(opened.complaints).toEqual([])
    })
  )

  it.scoped("ends a call, and begins another one", () =>
    Effect.gen(function* () {
      const opened = yield* talk()
      yield* press("Hang up", opened)
      yield* act((page) => page.getByText(/The call has ended/).waitFor(), opened)
      yield* picture("ended", opened)
      expect(yield* barriers(opened)).toEqual([])
      yield* press("New call", opened)
      yield* act((page) => page.getByText("In a call").waitFor(), opened)
      expect(opened.complaints).toEqual([])
    })
  )

  it.scoped("says what to do if there is no microphone, and goes on with text", () =>
    Effect.gen(function* () {
      const opened = yield* talk()
      yield* press("Talk", opened)
      yield* shows("Conversation", /The microphone cannot be used. There is no such device./, opened)
      yield* picture("no-microphone", opened)
      expect(yield* barriers(opened)).toEqual([])
      yield* say("What is the weather in Paris?", opened)
      yield* shows("Conversation", /sunny and 19 degrees in Paris/, opened)
    })
  )

  it.scoped("offers no microphone if nothing would hear it, and says what to install", () =>
    Effect.gen(function* () {
      const voice = `Nothing hears you, so type. ${"npm install some-package@1.0.0 another-package@2.0.0. ".repeat(3)}`
      const opened = yield* talk({ hears: false, voice })
      yield* shows("Conversation", /Nothing would hear you: type/, opened)
      expect(yield* act((page) => page.getByRole("button", { name: "Talk" }).count(), opened)).toBe(0)
      yield* act((page) => page.getByText(voice.trim()).waitFor(), opened)
      yield* picture("text-only", opened)
      expect(yield* overflow(opened)).toBe(0)
    })
  )

  it.scoped(
    "opens the user's own agent; tries for half a minute to reach a server that is gone, and ends the call",
    () =>
      Effect.gen(function* () {
        const { kill, url } = yield* command("./test/browser/hotel.ts")
        const opened = yield* open(url, (page) => page.clock.install())
        yield* act((page) => page.getByText("In a call").waitFor(), opened)
        yield* say("How is breakfast?", opened)
        yield* shows("Conversation", /Breakfast is from 7 to 10, says the kitchen/, opened)
        yield* kill
        yield* act((page) => page.getByText(/connection to the console is lost. Reconnecting/).waitFor(), opened)
        yield* picture("reconnecting", opened)
        yield* act((page) => page.clock.fastForward(20_000), opened)
        yield* act((page) => page.getByText(/Reconnecting/).waitFor(), opened)
        yield* act((page) => page.clock.fastForward(15_000), opened)
        yield* act((page) => page.getByText(/The call has ended/).waitFor(), opened)
        yield* picture("gone", opened)
        yield* press("New call", opened)
        yield* act(
          (page) =>
            page.getByText(/The call has ended. The console cannot be reached. Is the command still running/).waitFor(),
          opened
        )
      })
  )

  it.scoped("saves a session as a file, and replays it without a model", () =>
    Effect.gen(function* () {
      const opened = yield* talk()
      yield* say("What is the weather in Paris?", opened)
      yield* shows("Conversation", /sunny and 19 degrees in Paris/, opened)
      const file = yield* download(opened)
      expect(JSON.parse(file.toString())).toMatchObject({
        format: "effect-realtime.session.v1",
        agent: "Concierge",
        entries: expect.arrayContaining([expect.objectContaining({ _tag: "Event" })])
      })
      yield* replay(file, opened)
      yield* act((page) => page.getByText("Replay of a session").waitFor(), opened)
      yield* press("To the end", opened)
      yield* shows("Conversation", /sunny and 19 degrees in Paris/, opened)
      yield* shows("Calls of tools", /Succeeded after/, opened)
      yield* picture("replay", opened)
      expect(yield* barriers(opened)).toEqual([])
      expect(yield* overflow(opened)).toBe(0)
      expect(opened.complaints).toEqual([])
    })
  )

  it.scoped("says what to do if a file is no session", () =>
    Effect.gen(function* () {
      const opened = yield* talk()
      yield* replay(Buffer.from('{"format":"x"}'), opened)
      yield* act(
        (page) =>
          page
            .getByRole("alert")
            .getByText(/not a session/)
            .waitFor(),
        opened
      )
    })
  )

  it.scoped("gives nothing to a page with a wrong token, or without one", () =>
    Effect.gen(function* () {
      const served = yield* console()
      const wrong = yield* open(`${served.origin}/#token=a-token-that-somebody-guessed`)
      yield* act(
        (page) => page.getByText("Open the console with the address that the command printed.").waitFor(),
        wrong
      )
      yield* picture("refused", wrong)
      expect(yield* barriers(wrong)).toEqual([])
      const none = yield* open(served.origin)
      yield* act((page) => page.getByText(/This address has no token/).waitFor(), none)
    })
  )

  it.scoped("lets no page of another origin in, even if it has the token", () =>
    Effect.gen(function* () {
      const served = yield* console()
      const other = yield* console()
      const foreign = yield* open(other.origin)
      const token = Redacted.value(served.url).split("token=")[1] ?? ""
      const outcomes = yield* act(async (page) => {
        // The page's own policy forbids it, too, and is not what is tested here.
        await page.goto("about:blank")
        return page.evaluate(
          async ({ origin, protocols, token }) => {
            const asked = (path: string, body?: string): Promise<string> =>
              fetch(origin + path, {
                headers: { authorization: `Bearer ${token}` },
                ...(body === undefined ? {} : { method: "POST", body })
              }).then(
                ({ status }) => `status ${status}`,
                () => "no answer"
              )
            const connected = new Promise<string>((resolve) => {
              const socket = new WebSocket(`${origin.replace("http", "ws")}/call`, protocols)
              socket.onopen = () => resolve("connected")
              socket.onerror = () => resolve("refused")
            })
            return [await asked("/about"), await asked("/faults", '{"_tag":"DropConnection"}'), await connected]
          },
          {
            origin: served.origin,
            token,
            protocols: ["effect-realtime.v1", `effect-realtime.token.${Buffer.from(token).toString("base64url")}`]
          }
        )
      }, foreign)
      expect(outcomes).toEqual(["no answer", "no answer", "refused"])
    })
  )
})
