import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.js"
import * as Guardrail from "../../src/Guardrail.js"
import * as Handoff from "../../src/Handoff.js"
import * as HostedMcp from "../../src/HostedMcp.js"
import * as Tool from "../../src/Tool.js"
import type { Stage } from "../../src/testing/Stage.js"
import { Testing } from "../../src/testing.js"
import { stage as calls } from "./calls.js"
import * as gemini from "./gemini.js"
import { stage as xai } from "./xai.js"

/** What a defect says, and must never leave the process. */
export const secret = "TOP-SECRET-defect-of-the-zoo"

/** The credential of a service that the tools use, which is also in its error when it is refused. */
const key = "sk-TOP-SECRET-key-of-the-zoo"

export class Broken extends Schema.TaggedError<Broken>()("Broken", { part: Schema.String }) {}

/** A service that tools share, made again for each program. */
export class Ledger extends Context.Tag("test/Ledger")<Ledger, Ref.Ref<number>>() {}

/** A service that signs in, and whose errors say too much. */
export class Bank extends Context.Tag("test/Bank")<Bank, { readonly key: Redacted.Redacted }>() {}

/** How often somebody asked whether a tool is there. */
class Shift extends Context.Tag("test/Shift")<Shift, Ref.Ref<number>>() {}

/** How often a handoff has been prepared for. */
class Prepared extends Context.Tag("test/Prepared")<Prepared, Ref.Ref<number>>() {}

/** The user's words that a guardrail was shown. */
class Judged extends Context.Tag("test/Judged")<Judged, Array<string>>() {}

/** Everything that a program logs, to look for text that must not be logged. */
class Logged extends Context.Tag("test/Logged")<Logged, Array<string>>() {}

const Logs = Layer.unwrapEffect(
  Effect.sync(() => {
    const lines: Array<string> = []
    const logger = Logger.map(Logger.logfmtLogger, (line) => lines.push(line))
    return Layer.merge(Layer.succeed(Logged, lines), Logger.replace(Logger.defaultLogger, logger))
  })
)

const ZooLive = Layer.mergeAll(
  Layer.effect(Ledger, Ref.make(0)),
  Layer.effect(Prepared, Ref.make(0)),
  Layer.effect(Shift, Ref.make(0)),
  Layer.sync(Judged, () => []),
  Layer.succeed(Bank, { key: Redacted.make(key) }),
  Logs,
  Logger.minimumLogLevel(LogLevel.All)
)

const quietLog = Testing.always(
  "QuietLog",
  "No secret is logged.",
  () => () =>
    Effect.map(Logged, (lines) => {
      const told = lines.splice(0).filter((line) => line.includes(secret) || line.includes(key))
      return told.map((line) => `It was logged: ${line}`)
    })
)

const countsOnce = Testing.always("CountsOnce", "The handler of a call runs at most once.", () => {
  let started = 0
  return (moments) => {
    for (const moment of moments) {
      if (moment._tag === "Published" && moment.event._tag === "ToolStarted") started += 1
    }
    return Effect.map(Effect.flatMap(Ledger, Ref.get), (n) =>
      n > started ? [`It counted ${n} times for ${started} calls.`] : []
    )
  }
})

const preparesOnce = Testing.law("PreparesOnce", "Nobody prepares a handoff that another one came before.", (seen) => {
  let tried = 0
  for (const event of Testing.events(seen)) {
    if (event._tag === "ToolStarted" && event.call.tool === "transfer_to_Other") tried += 1
    if (event._tag !== "ToolFailed" || event.call.tool !== "transfer_to_Other") continue
    if (event.error._tag === "HandoffFailed" && event.error.step === "superseded") tried -= 1
  }
  return Effect.map(Effect.flatMap(Prepared, Ref.get), (prepared) =>
    prepared > tried ? [`The callback ran ${prepared} times for ${tried} handoffs that had their turn.`] : []
  )
})

const ofAll: ReadonlyArray<Testing.Law<unknown, Judged | Ledger | Logged | Prepared>> = [
  quietLog,
  countsOnce,
  preparesOnce,
  gemini.onlyWhatGeminiTakes
]

/** The world of the zoo, with what must hold in it, whoever the provider is, and what else must hold. */
export const world = (laws: typeof ofAll = []) => ({
  layer: ZooLive,
  secrets: [secret, key],
  laws: [...ofAll, ...laws]
})

/** The command that runs a program of the zoo again: a path leads to one of those with so many steps at most. */
export const replayOf = (
  name: string,
  { maxSteps, path, seed }: { readonly seed: number; readonly path: string; readonly maxSteps: number }
): string => `npm run chaos -- --agent ${name} --seed=${seed} --steps ${maxSteps} --path ${path}`

const increment = (n: number): number => n + 1

/** Whether a tool is there: not each time that it is asked. */
const sometimes = Effect.map(Effect.flatMap(Shift, Ref.getAndUpdate(increment)), (n) => n % 3 !== 2)

const parameters = { n: Schema.Int.pipe(Schema.between(0, 9)), city: Schema.optional(Schema.String) }

const later = Tool.make("later", { description: "", handler: () => Effect.as(Effect.sleep("5 seconds"), "here it is") })
const laterFails = Tool.make("later_fails", {
  description: "",
  handler: () => Effect.zipRight(Effect.sleep("2 seconds"), Effect.die(secret))
})

/** Tools of every temper. */
export const tools = [
  Tool.make("ok", { description: "", handler: () => Effect.succeed("ok") }),
  Tool.make("slow", { description: "", parameters, handler: ({ n }) => Effect.as(Effect.sleep(n * 900), { n }) }),
  Tool.make("counts", {
    description: "",
    handler: () => Effect.flatMap(Ledger, Ref.updateAndGet(increment))
  }),
  // One form that the API refuses would cost the whole update of the settings.
  Tool.make("takes_forms", {
    description: "",
    parameters: {
      place: Schema.Tuple(Schema.Number, Schema.optionalElement(Schema.String)),
      prices: Schema.Map({ key: Schema.String, value: Schema.Int }),
      when: Schema.Option(Schema.Date),
      first: Schema.optional(Schema.Unknown),
      second: Schema.optional(Schema.Unknown)
    },
    handler: ({ prices }) => Effect.succeed(prices.size)
  }),
  Tool.make("takes_words", {
    description: "",
    parameters: { sure: Schema.String.pipe(Schema.pattern(/^(yes|no)?$/i)) },
    handler: ({ sure }) => Effect.succeed(sure)
  }),
  Tool.make("fails", { description: "", failure: Broken, handler: () => new Broken({ part: "x" }) }),
  Tool.make("fails_silently", { description: "", onFailure: "silent", handler: () => new Broken({ part: "y" }) }),
  Tool.make("dies", { description: "", handler: () => Effect.die(new Error(secret)) }),
  Tool.make("throws", {
    description: "",
    handler: (): Effect.Effect<string> => {
      throw new Error(secret)
    }
  }),
  Tool.make("pays", {
    description: "",
    parameters,
    handler: ({ n }) =>
      Effect.flatMap(Bank, (bank) => {
        const error = new Error(`401 for Bearer ${Redacted.value(bank.key)}`)
        return n > 5 ? Effect.zipRight(Effect.logDebug("It is tried."), Effect.die(error)) : Effect.die({ error, bank })
      })
  }),
  Tool.make("promises", { description: "", handler: () => Effect.promise(() => Promise.resolve("kept")) }),
  Tool.make("interrupts_itself", { description: "", handler: () => Effect.interrupt }),
  Tool.make("hangs", { description: "", timeout: "3 seconds", handler: () => Effect.never }),
  Tool.make("deaf", {
    description: "",
    timeout: "1 second",
    handler: () => Effect.uninterruptible(Effect.sleep("4 seconds"))
  }),
  Tool.make("strict", { description: "", parameters, success: Schema.Int, handler: ({ n }) => Effect.succeed(n) }),
  Tool.make("unreadable", { description: "", success: Schema.Int, handler: () => Effect.succeed(0.5) }),
  Tool.make("asks", { description: "", approval: true, handler: () => Effect.succeed("approved") }),
  Tool.make("asks_sometimes", {
    description: "",
    parameters,
    approval: ({ n }) => (n > 7 ? Effect.die(secret) : Effect.succeed(n > 3)),
    handler: () => Effect.as(Effect.sleep("1 second"), "done")
  }),
  Tool.make("stops", {
    description: "",
    onInterrupt: "cancel",
    handler: () => Effect.as(Effect.sleep("3 seconds"), "done")
  }),
  Tool.make("quiet", { description: "", reply: "silent", handler: () => Effect.succeed("quiet") }),
  Tool.make("one_at_a_time", {
    description: "",
    concurrency: 1,
    handler: () => Effect.as(Effect.sleep("2 seconds"), "mine")
  }),
  Tool.deferred(later, "It takes a moment."),
  Tool.deferred(laterFails, "It takes a moment."),
  Tool.make("fills", {
    description: "",
    filler: { after: "1 second", text: "One moment." },
    handler: () => Effect.as(Effect.sleep("4 seconds"), "filled")
  }),
  Tool.make("comes_and_goes", { description: "", isEnabled: sometimes, handler: () => Effect.succeed("here") }),
  Tool.make("is_hardly_there", {
    description: "",
    onFailure: "silent",
    isEnabled: Effect.flatMap(sometimes, (isThere) => (isThere ? Effect.succeed(true) : Effect.die(secret))),
    handler: () => Effect.as(Effect.sleep("2 seconds"), "there")
  }),
  Tool.make("tells", {
    description: "",
    handler: (_, call) => Effect.zipRight(call.progress("half of it"), Effect.as(Effect.sleep("1 second"), "all of it"))
  })
] as const

const guardrails = [
  Guardrail.output("no_bad", {
    debounce: 5,
    check: (text) => Effect.succeed(text.includes("bad") ? Guardrail.trip("Be good.") : Guardrail.pass)
  }),
  Guardrail.input("no_dying", {
    check: (text) => (text.includes("bad") ? Effect.die(secret) : Effect.succeed(Guardrail.pass))
  }),
  Guardrail.toolInput("no_nine", {
    check: (text) => Effect.succeed(text.includes("9") ? Guardrail.trip("No nines.") : Guardrail.pass)
  }),
  Guardrail.toolOutput("no_eight", {
    check: (text) => Effect.as(Effect.sleep(10), text.includes("8") ? Guardrail.trip("No eights.") : Guardrail.pass)
  })
]

/** Agents that hand over in a circle, one of them in a way that fails. `other` and `third`: settings of two of them. */
const zooOf = <const Other extends Agent.Settings, const Third extends Agent.Settings>(other: Other, third: Third) =>
  Agent.wire([
    Agent.make("Desk", {
      // As a template literal has it: the server trims.
      instructions: "\n  Desk\n",
      tools,
      handoffs: [
        Handoff.to("Other", {
          onHandoff: () =>
            Effect.flatMap(Prepared, (count) => Effect.zipRight(Ref.update(count, increment), Effect.sleep(500)))
        }),
        Handoff.to("Third", { isEnabled: sometimes })
      ]
    }),
    Agent.make("Other", {
      instructions: "Other",
      settings: other,
      guardrails,
      tools: [tools[0], tools[1], tools[3], tools[5], tools[11], tools[13], tools[15]],
      handoffs: ["Desk"]
    }),
    Agent.make("Third", {
      instructions: Effect.succeed("Third"),
      settings: third,
      tools: [tools[0], tools[18]],
      handoffs: [
        Handoff.to("Desk", {
          input: { why: Schema.String },
          onHandoff: ({ why }) => (why === "" ? new Broken({ part: "handoff" }) : Effect.void)
        })
      ]
    })
  ])

const detection = { type: "server_vad", silence_duration_ms: 900 } as const
// Push-to-talk, and back again after it.
const pushToTalk = { input: { turn_detection: null } } as const

export const zoo = zooOf(
  { audio: { input: { turn_detection: detection, noise_reduction: { type: "near_field" } }, output: { speed: 1.25 } } },
  { truncation: "disabled", audio: pushToTalk }
)

/** The same, without what Gemini does not have. */
export const geminiZoo = zooOf({ audio: { input: { turn_detection: detection } } }, { audio: pushToTalk })

/** As above, with tools whose failure ends the session. */
export const terminal = Agent.make("Terminal", {
  instructions: "Terminal",
  tools: [
    tools[0],
    tools[1],
    Tool.make("ends_it", { description: "", onFailure: "terminate", handler: () => new Broken({ part: "all" }) }),
    Tool.make("ends_it_late", {
      description: "",
      onFailure: "terminate",
      timeout: "2 seconds",
      handler: () => Effect.never
    })
  ]
})

/** What the user says is judged as long after it came: the model has begun to answer. */
const judged = Guardrail.input("no_bad_words", {
  check: (text) =>
    Effect.zipRight(
      Effect.map(Judged, (texts) => texts.push(text)),
      text.includes("bad")
        ? Effect.as(Effect.sleep("1500 millis"), Guardrail.trip("Ask for other words."))
        : Effect.succeed(Guardrail.pass)
    )
})

const wordsOf = ({ content }: { readonly content: ReadonlyArray<object> }): string =>
  content.flatMap((part) => ("text" in part ? [part.text] : [])).join(" ")

/**
 * The text of the question that another process left open: it was not answered, whatever the application added, or a
 * call that answers it has no output.
 */
const questionLeft = ({ beginning }: Testing.Program): ReadonlyArray<string> => {
  const items = beginning._tag === "Resumed" ? beginning.items : []
  const at = items.findLastIndex((item) => item.type === "message" && item.role === "user")
  const question = items[at]
  if (question?.type !== "message") return []
  const after = items.slice(at)
  const answered = new Set(after.flatMap((item) => (item.type === "function_call_output" ? item.call_id : [])))
  const isOpen =
    after.every((item) => item.type !== "message" || item.role !== "assistant") ||
    after.some((item) => item.type === "function_call" && !answered.has(item.call_id ?? ""))
  return isOpen ? [wordsOf(question)] : []
}

/** Of agents with the guardrail above. */
export const judges = Testing.law(
  "Judges",
  "Everything that the user wrote is judged, and so is a question that another process left open.",
  ({ program, timeline }) => {
    const sent = (isOfBefore: boolean) =>
      new Set(
        timeline.flatMap((moment) => {
          if (moment._tag !== "Sent" || moment.event.type !== "conversation.item.create") return []
          const { item } = moment.event
          // What was said before the session began.
          const isTold = item.id?.startsWith("item_told_") === true
          return item.type === "message" && item.role === "user" && isTold === isOfBefore ? [wordsOf(item)] : []
        })
      )
    const [told, sentNow] = [sent(true), sent(false)]
    const written = program.steps.flatMap(({ action }) => (action._tag === "UserWrites" ? [action.text] : []))
    const expected = [
      ...written.filter((text) => sentNow.has(text)),
      ...questionLeft(program).filter((text) => told.has(text))
    ].filter((text) => text !== "")
    return Effect.map(Judged, (texts) =>
      expected.filter((text) => !texts.includes(text)).map((text) => `Nobody judged ${JSON.stringify(text)}.`)
    )
  }
)

/** As above, with a guardrail on what the user says, and tools that are still running when it trips. */
export const guarded = Agent.make("Guarded", {
  instructions: "Guarded",
  guardrails: [judged, ...guardrails],
  tools: [tools[0], tools[1], tools[14], tools[16], tools[19], tools[21], tools[23]]
})

const at = (server_url: string) => ({
  server_url,
  authorization: Redacted.make("tok-of-the-zoo"),
  allowed_tools: ["x"]
})
const host = HostedMcp.server("host", at("https://host.example.com/mcp"))

/** Agents with hosted servers: one that both have, and one that only the second has. */
export const hosted = Agent.wire([
  Agent.make("Host", {
    instructions: "Host",
    tools: [...tools.slice(0, 8), ...tools.slice(-3)],
    hostedTools: [host],
    handoffs: ["Guest"]
  }),
  Agent.make("Guest", {
    instructions: "Guest",
    tools: [tools[0], tools[15], tools[16]],
    hostedTools: [host, HostedMcp.server("other", at("https://other.example.com/mcp"))],
    handoffs: ["Host", "Nobody hosted"]
  }),
  Agent.make("Nobody hosted", { instructions: "Nobody", guardrails, tools: [tools[1]], handoffs: ["Host"] })
])

/** What is put through programs. */
interface Subject {
  /** For the command line. */
  readonly name: string
  readonly agent: Agent.Agent<Broken, Layer.Layer.Success<typeof ZooLive>>
  /** Of all programs. */
  readonly share: number
  /** Where it is not the embedded server that plays the other side. */
  readonly stage?: Context.Context<Stage>
  readonly laws?: typeof ofAll
}

export const agents: ReadonlyArray<Subject> = [
  { name: "zoo", agent: zoo, share: 0.5 },
  { name: "terminal", agent: terminal, share: 0.15 },
  { name: "guarded", agent: guarded, share: 0.1, laws: [judges] },
  { name: "hosted", agent: hosted, share: 0.1 },
  // Beside a call that the server carries.
  { name: "calls", agent: zoo, share: 0.05, stage: calls },
  { name: "xai", agent: zoo, share: 0.05, stage: xai },
  { name: "gemini", agent: geminiZoo, share: 0.025, stage: gemini.anew },
  // Where the conversation of a lost connection lives on.
  { name: "gemini-resumes", agent: geminiZoo, share: 0.025, stage: gemini.resuming }
]
