import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import type { RealtimeModel } from "../../src/RealtimeModel.js"
import * as Session from "../../src/Session.js"
import * as Tool from "../../src/Tool.js"

interface Mistake {
  readonly title: string
  readonly run: Effect.Effect<unknown, unknown, RealtimeModel | Scope>
  /** What the first line must say, whatever else it says. */
  readonly says: string
}

/** A value of any type, as programs without types have them. */
const json = (text: string) => JSON.parse(text)

const strangeTool: Tool.Tool<string, never, never> = json('{"name":"get_weather"}')
const stranger: Agent.Agent<never, never> = json('{"name":"Desk"}')

const instructions = "Help."
// @ts-expect-error: the types say it too
const unwired: Agent.Agent<never, never> = Agent.make("Desk", { instructions, handoffs: ["Billing"] })
const desk = Agent.make("Desk", { instructions })
const handler = () => Effect.succeed("Sunny.")
const tool = Tool.make("get_weather", { description: "The weather", handler })

const mistakes: ReadonlyArray<Mistake> = [
  {
    title: "a JSON Schema for parameters",
    run: Effect.sync(() =>
      Tool.make("get_weather", { description: "", parameters: json('{"type":"object","properties":{}}'), handler })
    ),
    says: "`parameters` should be fields, such as { city: Schema.String }"
  },
  {
    title: "a duration that is none",
    run: Effect.sync(() => Tool.make("get_weather", { description: "", timeout: json('"5 secs"'), handler })),
    says: '`timeout` should be a duration from 1ms to 24 days, such as "10 seconds"'
  },
  {
    title: "a parameter that JSON does not have",
    run: Session.make(
      Agent.make("Desk", {
        instructions,
        tools: [Tool.make("book", { description: "Books", parameters: { at: Schema.DateFromSelf }, handler })]
      })
    ),
    says: 'The field "at" is DateFromSelf, which JSON does not have'
  },
  {
    title: "two tools of one name",
    run: Session.make(Agent.make("Desk", { instructions, tools: [tool, tool] })),
    says: 'Two functions are named "get_weather": rename one'
  },
  {
    title: "a tool of another library",
    run: Session.make(Agent.make("Desk", { instructions, tools: [strangeTool] })),
    says: "One of its tools was not made with Tool.make."
  },
  {
    title: "an agent of another library",
    run: Session.make(stranger),
    says: "`agent` should be made with Agent.make."
  },
  {
    title: "an agent that nobody wired",
    run: Session.make(unwired),
    says: "connect the two with Agent.wire"
  },
  {
    title: "an agent that the session does not know",
    run: Effect.flatMap(Session.make(desk), (session) => session.updateAgent("Billing")),
    says: 'AgentUnknown: No agent of this session is named "Billing". There are: Desk.'
  },
  {
    title: "samples for audio",
    // @ts-expect-error: the types say it too
    run: Effect.flatMap(Session.make(desk), (session) => session.sendAudio(new Int16Array(480))),
    says: "Audio.encodePcm16 makes them from samples"
  },
  {
    title: "base64 for audio",
    run: Effect.flatMap(Session.make(desk), (session) => session.sendAudio(json('"AAAA"'))),
    says: "Audio.decodeBase64 from base64"
  },
  {
    title: "a handler that returns a Promise",
    run: Effect.gen(function* () {
      // @ts-expect-error: the types say it too
      const handler: () => Effect.Effect<string> = async () => "Sunny."
      const asynchronous = Tool.make("get_weather", { description: "The weather", handler })
      const session = yield* Session.make(Agent.make("Desk", { instructions, tools: [asynchronous] }))
      yield* session.sendText("What is the weather?")
      const failed = yield* Stream.runHead(session.errors)
      if (failed._tag === "Some" && failed.value._tag === "ToolFailed" && failed.value.error._tag === "ToolDefect") {
        return yield* Effect.fail(failed.value.error.defect)
      }
    }).pipe(Effect.catchIf(Cause.isCause, Effect.failCause)),
    says: "Effect.tryPromise makes one of a Promise."
  },
  {
    title: "a command after the end",
    run: Effect.flatMap(Session.make(desk), (session) => Effect.zipRight(session.close, session.sendText("Hello."))),
    says: "The session has ended. Make a new one to go on."
  },
  {
    title: "no API key",
    run: Session.make(desk).pipe(
      Effect.provide(OpenAiRealtime.layerConfig()),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map()))
    ),
    says: "Set OPENAI_API_KEY"
  },
  {
    title: "a server that is not there",
    run: Session.make(desk).pipe(
      Effect.provide(OpenAiRealtime.layer({ apiKey: Redacted.make("sk-test"), url: "ws://127.0.0.1:9/v1/realtime" }))
    ),
    says: "Nothing listens at 127.0.0.1:9. Check the URL's host and port"
  },
  {
    title: "a port that is in use",
    run: Effect.flatMap(EmbeddedRealtime.serve(), ({ port }) => EmbeddedRealtime.serve({ port })),
    says: "Choose another port, or 0 for a free one."
  }
]

/** As an application prints it that does not catch it, without the stack and what differs between runs. */
const printed = (exit: Exit.Exit<unknown, unknown>): string =>
  Exit.isSuccess(exit)
    ? "(nothing went wrong)"
    : (Cause.pretty(exit.cause)
        .split("\n    at ")[0]
        ?.replace(/Port \d+/, "Port 12345") ?? "")

describe("A mistake that only shows at run time", () => {
  const texts = new Map<string, string>()

  it.scopedLive.each(mistakes)("says what to do: $title", ({ title, run, says }) =>
    Effect.gen(function* () {
      const text = printed(yield* Effect.exit(Effect.provide(run, EmbeddedRealtime.layer()))).slice(0, 300)
      texts.set(title, text)
      expect(text).toContain(says)
    })
  )

  it("has the same message as before", async () => {
    const text = mistakes.map(({ title }) => `## ${title}\n\n${texts.get(title) ?? ""}\n`).join("\n")
    await expect(text).toMatchFileSnapshot("./messages.snapshot.txt")
  })
})
