import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as GeminiLive from "../../src/GeminiLive.js"
import * as Guardrail from "../../src/Guardrail.js"
import { Gateway } from "../../src/gateway.js"
import { GatewayClient } from "../../src/gateway-client.js"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import * as OpenAi from "../../src/openai/Options.js"
import * as Rule from "../../src/options/Rule.js"
import * as rules from "../../src/options/rules.js"
import * as together from "../../src/options/together.js"
import { defaultMaxFrameLength } from "../../src/protocol/Codec.js"
import { RealtimeModel } from "../../src/RealtimeModel.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import * as Session from "../../src/Session.js"
import { OptionsInvalid } from "../../src/SessionError.js"
import * as SessionJournal from "../../src/SessionJournal.js"
import * as Tool from "../../src/Tool.js"
import { Testing } from "../../src/testing.js"
import * as XaiRealtime from "../../src/XaiRealtime.js"

interface Case {
  readonly value: unknown
  /** As a message writes it. */
  readonly shown: string
}

const badTimes: ReadonlyArray<Case> = [
  { value: -1, shown: "-1" },
  { value: Number.NaN, shown: "NaN" },
  { value: "-5 seconds", shown: '"-5 seconds"' },
  { value: "10 secnds", shown: '"10 secnds"' },
  { value: "25 days", shown: '"25 days"' },
  { value: -1n, shown: "-1" },
  { value: [-1, 0], shown: "a list of 2" },
  { value: null, shown: "null" },
  { value: { seconds: 1 }, shown: "an object" }
]

/** What a rule refuses, from all that there is to get wrong. */
const refusedBy = (rule: Rule.Rule): ReadonlyArray<Case> => {
  switch (rule._tag) {
    case "Count":
      return [
        ...[rule.least - 1, rule.least - 100].map((value) => ({ value, shown: String(value) })),
        { value: rule.least + 0.5, shown: String(rule.least + 0.5) },
        { value: Number.NaN, shown: "NaN" },
        { value: Number.NEGATIVE_INFINITY, shown: "-Infinity" },
        { value: "20", shown: '"20"' },
        { value: null, shown: "null" },
        { value: [1], shown: "a list of 1" },
        ...(Number.isFinite(rule.most)
          ? [
              { value: rule.most + 1, shown: String(rule.most + 1) },
              { value: Number.POSITIVE_INFINITY, shown: "Infinity" }
            ]
          : [])
      ]
    case "Time":
      return [
        ...badTimes,
        ...(rule.least > 0
          ? [
              { value: 0, shown: "0" },
              { value: Duration.zero, shown: "0" }
            ]
          : []),
        ...(rule.orNever
          ? []
          : [
              { value: Number.POSITIVE_INFINITY, shown: "Infinity" },
              { value: Duration.infinity, shown: "Infinity" }
            ])
      ]
    case "Factor":
      return [0, -1, Number.NaN].map((value) => ({ value, shown: String(value) }))
    case "Word":
      return [
        { value: "no such word", shown: '"no such word"' },
        { value: true, shown: "true" },
        { value: "x".repeat(100), shown: "text of 100 characters" }
      ]
    case "Text":
      return [
        { value: "", shown: '""' },
        { value: "x".repeat(rule.most + 1), shown: `text of ${rule.most + 1} characters` },
        { value: 7, shown: "7" }
      ]
    case "Secret":
      return [
        { value: "sk-plain", shown: "plain text" },
        { value: "", shown: "plain text" },
        { value: 7, shown: "7" },
        { value: null, shown: "null" },
        ...(rule.orEffect ? [] : [{ value: Effect.succeed(Redacted.make("sk")), shown: "an object" }])
      ]
  }
}

/** What a rule takes, at its ends. */
const takenBy = (rule: Rule.Rule): ReadonlyArray<unknown> => {
  switch (rule._tag) {
    case "Count":
      return [undefined, rule.least, rule.most]
    case "Time": {
      const never = rule.orNever ? [Number.POSITIVE_INFINITY, Duration.infinity] : []
      return [undefined, rule.least, Duration.millis(rule.least), 1n * 10n ** 9n, [1, 0], "24 days", ...never]
    }
    case "Factor":
      return [undefined, 0.1, 1, Number.POSITIVE_INFINITY]
    case "Word":
      return [undefined, ...rule.words]
    case "Text":
      return [undefined, "a", "x".repeat(rule.most)]
    case "Secret":
      return [undefined, Redacted.make("sk"), ...(rule.orEffect ? [Effect.succeed(Redacted.make("sk"))] : [])]
  }
}

/** `{ replay: { maxItems: 0 } }` for `replay.maxItems`. */
const optionsWith = (option: string, value: unknown): Record<string, unknown> => {
  const [outer = "", inner] = option.split(".")
  return { [outer]: inner === undefined ? value : { [inner]: value } }
}

// Whoever calls without types, or with values of a configuration, may pass anything: the one place that leaves the types.
const untyped = <O>(options: object): O => options as O

const agent = Agent.make("Desk", { instructions: "Help." })
const scripted = Effect.map(ScriptedModel.make([]), ({ layer }) => layer)
const silence: RealtimeModel["Type"] = { connect: () => Effect.die("Nothing was to be connected.") }
const toolOptions = { description: "Does it.", handler: () => Effect.void }
const check = () => Effect.succeed(Guardrail.pass)
const handler = { check }
const apiKey = Redacted.make("key")
const gateway = { authenticate: () => Effect.never, call: () => Effect.never }

interface Constructor {
  readonly name: string
  readonly of: string
  readonly rules: { readonly [name: string]: Rule.Rule }
  /** `typed`: in the error channel; else a defect, or thrown. */
  readonly kind: "typed" | "defect"
  readonly make: (options: object) => Effect.Effect<unknown, unknown, Scope.Scope>
}

const constructors: ReadonlyArray<Constructor> = [
  {
    name: "Session.make",
    of: "Session.make",
    rules: rules.session,
    kind: "typed",
    make: (options) => Effect.provideService(Session.make(agent, untyped(options)), RealtimeModel, silence)
  },
  {
    name: "Session.resume",
    of: "Session.resume",
    rules: rules.session,
    kind: "typed",
    make: (options) =>
      Session.resume(agent, "ses_1", untyped(options)).pipe(
        Effect.provideService(RealtimeModel, silence),
        Effect.provide(SessionJournal.layerMemory)
      )
  },
  {
    name: "OpenAiRealtime.layer",
    of: "OpenAiRealtime",
    rules: rules.openAi,
    kind: "typed",
    make: (options) => Layer.build(OpenAiRealtime.layer<never, never>(untyped({ apiKey, ...options })))
  },
  {
    name: "OpenAiRealtime.azure",
    of: "OpenAiRealtime.azure",
    rules: Object.fromEntries(
      Object.entries(rules.azure).filter(([option]) => option !== "authentication" && option !== "token")
    ),
    kind: "typed",
    make: (options) =>
      Layer.build(
        OpenAiRealtime.azure<never, never>(
          untyped({ resource: "my-resource", deployment: "my-deployment", apiKey, ...options })
        )
      )
  },
  {
    name: "XaiRealtime.layer",
    of: "XaiRealtime",
    rules: rules.xai,
    kind: "typed",
    make: (options) => Layer.build(XaiRealtime.layer<never, never>(untyped({ apiKey, ...options })))
  },
  {
    name: "GeminiLive.layer",
    of: "GeminiLive",
    rules: Object.fromEntries(Object.entries(rules.gemini).filter(([option]) => option !== "authentication")),
    kind: "typed",
    make: (options) => Layer.build(GeminiLive.layer<never, never>(untyped({ apiKey, ...options })))
  },
  {
    name: "EmbeddedRealtime.serve",
    of: "EmbeddedRealtime.serve",
    rules: rules.serve,
    kind: "typed",
    make: (options) => EmbeddedRealtime.serve(untyped(options))
  },
  {
    name: "EmbeddedRealtime.layer",
    of: "EmbeddedRealtime",
    rules: rules.embedded,
    kind: "defect",
    make: (options) => Layer.build(EmbeddedRealtime.layer(untyped(options)))
  },
  {
    name: "Tool.make",
    of: 'Tool.make("do_it")',
    rules: rules.tool,
    kind: "defect",
    make: (options) =>
      Effect.sync(() => Tool.make("do_it", untyped<typeof toolOptions>({ ...toolOptions, ...options })))
  },
  {
    name: "Guardrail.output",
    of: 'the guardrail "no_prices"',
    rules: rules.guardrail,
    kind: "defect",
    make: (options) => Effect.sync(() => Guardrail.output("no_prices", untyped<typeof handler>({ check, ...options })))
  },
  {
    name: "Gateway.make",
    of: "Gateway.make",
    rules: rules.gateway,
    kind: "typed",
    make: (options) =>
      Effect.provideService(
        Gateway.make(untyped<Gateway.Options<Gateway.Identity, never, never>>({ ...gateway, ...options })),
        RealtimeModel,
        silence
      )
  },
  {
    name: "GatewayClient.connect",
    of: "GatewayClient.connect",
    rules: rules.gatewayClient,
    kind: "typed",
    make: (options) => GatewayClient.connect(untyped({ url: "ws://127.0.0.1/", ...options }))
  },
  {
    name: "Testing.chaos",
    of: "Testing.chaos",
    rules: rules.chaos,
    kind: "typed",
    make: (options) => Testing.chaos(agent, untyped<Testing.Options<never>>(options))
  },
  {
    name: "session.subscribe",
    of: "session.subscribe",
    rules: rules.subscribe,
    kind: "defect",
    make: (options) =>
      Effect.gen(function* () {
        const session = yield* Effect.provide(Session.make(agent), yield* scripted)
        yield* Stream.runHead(session.subscribe(untyped<{ readonly capacity: number }>(options)))
      })
  }
]

describe("an option that is not what it should be", () => {
  for (const { kind, make, name, of, rules } of constructors) {
    for (const [option, rule] of Object.entries(rules)) {
      it.scoped(`of ${name} is named, with its value and what it should be: ${option}`, () =>
        Effect.gen(function* () {
          for (const { shown, value } of refusedBy(rule)) {
            const exit = yield* Effect.exit(make(optionsWith(option, value)))
            const cause = Exit.isFailure(exit) ? exit.cause : Cause.empty
            const error = kind === "typed" ? Cause.failureOption(cause) : Cause.dieOption(cause)
            const message = `\`${option}\` should be ${Rule.wanted(rule)}, but is ${shown}.`
            expect(error, `${option}: ${shown}`).toMatchObject({
              _tag: "Some",
              value: {
                _tag: "OptionsInvalid",
                of,
                problems: [{ option, value: shown, message }],
                message: `The options of ${of} cannot be used: ${message}`
              }
            })
          }
        })
      )
    }
  }

  it.scoped("is listed with all others", () =>
    Effect.gen(function* () {
      const options: Session.Options = { maxOpenCalls: 0, approvalTimeout: -1, replay: { maxItems: 0.5 } }
      const making = Effect.provideService(Session.make(agent, options), RealtimeModel, silence)
      const error = yield* Effect.flip(making)
      expect(error).toBeInstanceOf(OptionsInvalid)
      expect(error.message).toBe(
        "The options of Session.make cannot be used: " +
          "`maxOpenCalls` should be a whole number from 1 up, or Infinity for no limit, but is 0. " +
          '`approvalTimeout` should be a duration from 1ms to 24 days, such as "10 seconds", but is -1. ' +
          "`replay.maxItems` should be a whole number from 0 up, or Infinity for no limit, but is 0.5."
      )
    })
  )

  it.scoped("leaves the journal to the next session that is made", () =>
    Effect.gen(function* () {
      const journal = yield* SessionJournal.SessionJournal
      const making = Effect.provideService(Session.make(agent, { audioCapacity: 0 }), RealtimeModel, silence)
      yield* Effect.flip(making)
      expect(yield* journal.sessions).toEqual([])
    }).pipe(Effect.provide(SessionJournal.layerMemory))
  )

  it.scoped("is invalid data where it comes from a configuration", () =>
    Effect.gen(function* () {
      const layer = OpenAiRealtime.layerConfig({
        apiKey: Config.succeed(apiKey),
        maxQueuedFrames: Config.succeed(0),
        openTimeout: Config.succeed("soon" as Duration.DurationInput)
      })
      const error = yield* Effect.flip(Layer.build(layer))
      expect(error).toMatchObject({
        _op: "And",
        left: { _op: "InvalidData", path: ["openTimeout"] },
        right: { _op: "InvalidData", path: ["maxQueuedFrames"] }
      })
      expect(String(error)).toContain("`maxQueuedFrames` should be a whole number from 1 up")
    })
  )
})

describe("an option that is what it should be", () => {
  for (const [name, table] of Object.entries<Constructor["rules"]>(rules)) {
    it(`passes, also at the end of its range: ${name}`, () => {
      for (const [option, rule] of Object.entries(table)) {
        for (const value of takenBy(rule)) {
          expect(Rule.validate(name, { [option]: rule }, optionsWith(option, value)), option).toMatchObject({
            _tag: "Right"
          })
        }
      }
    })
  }

  it("is each default that is documented", () => {
    const documented = {
      openAi: {
        openTimeout: OpenAi.defaultOpenTimeout,
        closeTimeout: OpenAi.defaultCloseTimeout,
        pingInterval: OpenAi.defaultPingInterval,
        pingTimeout: "40 seconds",
        maxFrameBytes: defaultMaxFrameLength,
        maxQueuedFrames: OpenAi.defaultMaxQueuedFrames,
        maxQueuedBytes: OpenAi.defaultMaxQueuedBytes,
        maxBufferedBytes: OpenAi.defaultMaxBufferedBytes
      },
      tool: { timeout: "20 seconds", concurrency: Number.POSITIVE_INFINITY, onFailure: "respond", reply: "respond" },
      guardrail: { debounce: 100, onFailure: "open" },
      serve: { port: 0, pace: "5 millis", maxSessionDuration: "60 minutes", firstConnection: 1 },
      chaos: { runs: 100, maxSteps: 15 }
    }
    for (const [name, options] of Object.entries<Readonly<Record<string, unknown>>>(documented)) {
      const table = Object.entries<Constructor["rules"]>(rules).find(([one]) => one === name)?.[1] ?? {}
      expect(Object.keys(table)).toEqual(expect.arrayContaining(Object.keys(options)))
      expect(Rule.validate(name, table, options), name).toMatchObject({ _tag: "Right" })
    }
  })

  it("is each default of a session", () => {
    expect(Rule.validate("Session.defaults", rules.session, Session.defaults)).toMatchObject({ _tag: "Right" })
    const judged = new Set(Object.keys(rules.session).map((option) => option.split(".")[0]))
    // What is on or off, or a list of names, is checked by its type.
    const others = new Set(["rawEvents"])
    expect(Object.keys(Session.defaults).filter((option) => !judged.has(option) && !others.has(option))).toEqual([])
  })

  it.scoped("runs a session at the ends of all ranges", () =>
    Effect.gen(function* () {
      for (const pick of [1, 2]) {
        const options: Record<string, unknown> = {}
        for (const [option, rule] of Object.entries(rules.session)) {
          if (!option.includes(".") && rule._tag !== "Time") options[option] = takenBy(rule)[pick]
        }
        const session = yield* Effect.provide(Session.make(agent, untyped(options)), yield* scripted)
        yield* session.sendText("Hello.")
        yield* session.close
      }
    })
  )
})

describe("A voice that is written down", () => {
  const refused = (options: Session.Options) =>
    Effect.flip(
      Effect.provideServiceEffect(
        Session.make(Agent.make("Desk", { instructions: "" }), options),
        RealtimeModel,
        Effect.map(ScriptedModel.make([]), ({ model }) => model)
      )
    )

  it.scoped("is no more than may wait for the journal", () =>
    Effect.gen(function* () {
      const error = yield* refused({ untranscribedAudio: { journal: true, maxBytes: 16_000_000 } })
      expect(error).toMatchObject({
        _tag: "OptionsInvalid",
        problems: [{ option: "untranscribedAudio.maxBytes", value: "16000000" }]
      })
      expect(error.message).toContain("should be at most 12,582,912, three quarters of `journalLag.maxCharacters`")
      expect(
        yield* refused({ untranscribedAudio: { journal: true }, journalLag: { maxCharacters: 4_000 } })
      ).toMatchObject({
        problems: [{ option: "untranscribedAudio.maxBytes", value: "8388608" }]
      })
    })
  )

  it("may be more where the journal does not have it, or may wait for more", () => {
    const fits = (options: Session.Options) =>
      expect(together.session(Session.defaults)(options), JSON.stringify(options)).toEqual([])
    fits({ untranscribedAudio: { journal: true } })
    fits({ untranscribedAudio: { maxBytes: 16_000_000 } })
    fits({ untranscribedAudio: { journal: true, maxBytes: 16_000_000 }, journalLag: { maxCharacters: 32_000_000 } })
    fits({ journalLag: { maxCharacters: 1 } })
  })
})
