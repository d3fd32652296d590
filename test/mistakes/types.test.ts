import { describe, expect, it } from "vitest"
import { compile } from "../compile.js"

interface Mistake {
  readonly title: string
  readonly code: string
  /** What the first lines must say, whatever else they say. */
  readonly says: string
}

const mistakes: ReadonlyArray<Mistake> = [
  {
    title: "samples for audio",
    code: "export const sent = session.sendAudio(new Int16Array(480))",
    says: "Audio.encodePcm16 makes bytes of samples"
  },
  {
    title: "an agent that nobody wired",
    code: `const desk = Agent.make("Desk", { instructions: "Help.", handoffs: ["Billing"] })
export const made = Session.make(desk)`,
    says: "Connect it with the agents that it names: Agent.wire"
  },
  {
    title: "a name that no agent has",
    code: `const desk = Agent.make("Desk", { instructions: "Help.", handoffs: ["Biling"] })
const billing = Agent.make("Billing", { instructions: "Help." })
export const team = Agent.wire([desk, billing])`,
    says: '"No agent has this name": "Biling"'
  },
  {
    title: "a handler that returns a Promise",
    code: `export const tool = Tool.make("get_weather", {
  description: "The weather",
  parameters: { city: Schema.String },
  handler: async ({ city }) => \`Sunny in \${city}.\`
})`,
    says: "Return an Effect: Effect.tryPromise makes one of a Promise"
  },
  {
    title: "a handler whose result does not fit",
    code: `export const tool = Tool.make("book_table", {
  description: "Books a table",
  success: Schema.Struct({ reference: Schema.String }),
  handler: () => Effect.succeed({ ref: "T-1" })
})`,
    says: "readonly reference: string"
  },
  {
    title: "a duration that is none",
    code: `export const tool = Tool.make("get_weather", {
  description: "The weather",
  timeout: "5 secs",
  handler: () => Effect.succeed("Sunny.")
})`,
    says: `'"5 secs"' is not assignable to type 'DurationInput`
  },
  {
    title: "a typed failure that is not looked for in ToolFailure",
    code: `class CityNotFound extends Schema.TaggedError<CityNotFound>()("CityNotFound", { city: Schema.String }) {}
export const log = (event: SessionEvent.SessionEvent<CityNotFound>) =>
  event._tag === "ToolFailed" ? event.error.city : undefined`,
    says: "ToolError<CityNotFound>"
  },
  {
    title: "a session without a model",
    code: `const agent = Agent.make("A", { instructions: "Help." })
export const run = () => Session.make(agent).pipe(Effect.scoped, Effect.runPromise)`,
    says: "Effect<Session<never>, SessionError, RealtimeModel>"
  },
  {
    title: "a contract that nobody implements",
    code: `const callTaxi = Tool.make("call_taxi", { description: "Calls a taxi" })
const agent = Agent.make("A", { instructions: "Help.", tools: [callTaxi] })
export const run = () =>
  Session.make(agent).pipe(Effect.scoped, Effect.provide(EmbeddedRealtime.layer()), Effect.runPromise)`,
    says: 'Effect<Session<never>, SessionError, Handler<"call_taxi">>'
  }
]

const PRELUDE = `import { Effect, Schema } from "effect"
import { Agent, EmbeddedRealtime, Session, SessionEvent, Tool } from "effect-realtime"
declare const session: Session.Session
`

/** How the compiler begins what it says of each program. */
const beginnings = async (): Promise<ReadonlyArray<string>> => {
  const found = mistakes.map(() => "")
  let current = -1
  const diagnostics = await compile(
    "mistakes",
    mistakes.map(({ code }) => PRELUDE + code)
  )
  for (const line of diagnostics.split("\n")) {
    const [place, file] = /^(\d+)\.ts\(\d+,\d+\): /.exec(line) ?? []
    if (file !== undefined) current = Number(file)
    if (current >= 0) found[current] += `${line.slice(place?.length ?? 0)}\n`
  }
  return found.map((text) => text.slice(0, 300).trimEnd())
}

describe("A mistake in a program", () => {
  it("is answered by the compiler with what to do, in its first 300 characters", async () => {
    const found = await beginnings()
    for (const [index, { says }] of mistakes.entries()) expect(found[index]).toContain(says)
    const text = mistakes.map(({ title }, index) => `## ${title}\n\n${found[index]}\n`).join("\n")
    await expect(text).toMatchFileSnapshot("./types.snapshot.txt")
  })
})
