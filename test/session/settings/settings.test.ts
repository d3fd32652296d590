import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import type * as Agent from "../../../src/Agent.js"
import { read } from "../../../src/embedded/ClientFrames.js"
import { initial, merge } from "../../../src/embedded/SessionSettings.js"
import { isObject } from "../../../src/embedded/Shape.js"
import { RealtimeSession } from "../../../src/protocol/SessionConfig.js"
import { type SettingsProblem as Problem, SettingsInvalid } from "../../../src/SessionError.js"
import { type Context, problemsOf } from "../../../src/session/settings/settings.js"
import { mutate, mutation, pathsOf } from "../../protocol/arbitraries.js"
import { numRuns } from "../../runs.js"

const fresh: Context = { model: "gpt-realtime-2", audioHeard: false, tracingOn: false, toolNames: ["add", "subtract"] }

// Values that a caller without types may pass: the only place where tests bypass the types.
const untyped = (settings: unknown) => settings as Agent.Settings

const find = (settings: unknown, context: Partial<Context> = {}) =>
  problemsOf(untyped(settings), { ...fresh, ...context })

const params = (settings: unknown, context: Partial<Context> = {}) => find(settings, context).map(({ param }) => param)

const input = (config: unknown) => ({ audio: { input: config } })
const output = (config: unknown) => ({ audio: { output: config } })
const vad = (config: object) => input({ turn_detection: { type: "server_vad", ...config } })

const everything = {
  output_modalities: ["audio"],
  audio: {
    input: {
      format: { type: "audio/pcm", rate: 24_000 },
      noise_reduction: { type: "far_field", strength: 0.5 },
      transcription: { model: "gpt-4o-transcribe", language: "en", prompt: "names of towns" },
      turn_detection: {
        type: "server_vad",
        threshold: 0.5,
        prefix_padding_ms: 0,
        silence_duration_ms: 500,
        idle_timeout_ms: 5_000,
        create_response: true,
        interrupt_response: false
      }
    },
    output: { format: { type: "audio/pcmu" }, voice: { id: "voice_1" }, speed: 1.5 }
  },
  tool_choice: { type: "function", name: "add" },
  parallel_tool_calls: true,
  max_output_tokens: 4_096,
  reasoning: { effort: "low" },
  prompt: { id: "pmpt_1", version: null, variables: { town: "Ghent", map: { type: "input_text", text: "…" } } },
  include: ["item.input_audio_transcription.logprobs"],
  tracing: { workflow_name: "calls", group_id: "1", metadata: { caller: "x".repeat(512), attempt: 3 } },
  truncation: { type: "retention_ratio", retention_ratio: 0, token_limits: { post_instructions: 8_000 } }
} satisfies Agent.Settings

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`key_${index}`, ""]))
const metadata = (value: unknown) => ({ tracing: { metadata: value } })

describe("§2 Settings: refuses", () => {
  const rows: Array<[settings: unknown, param: string, message: string, context?: Partial<Context>]> = [
    [null, "session", "an object"],
    [[], "session", "an object"],
    [{ temperature: 0.8 }, "session.temperature", "leave it out"],
    [{ modalities: ["text"] }, "session.modalities", "output_modalities"],
    [{ voice: "marin" }, "session.voice", "audio.output.voice"],
    [{ speed: 1 }, "session.speed", "audio.output.speed"],
    [{ input_audio_format: "pcm16" }, "session.input_audio_format", "audio.input.format"],
    [{ output_audio_format: "pcm16" }, "session.output_audio_format", "audio.output.format"],
    [{ input_audio_transcription: null }, "session.input_audio_transcription", "audio.input.transcription"],
    [{ input_audio_noise_reduction: {} }, "session.input_audio_noise_reduction", "audio.input.noise_reduction"],
    [{ turn_detection: null }, "session.turn_detection", "audio.input.turn_detection"],
    [{ max_response_output_tokens: 1 }, "session.max_response_output_tokens", "max_output_tokens"],
    [{ instructions: "" }, "session.instructions", "Agent.make"],
    [{ tools: [] }, "session.tools", "Agent.make"],
    [{ model: "gpt-realtime" }, "session.model", "Session.make"],
    [{ type: "transcription" }, "session.type", "leave it out"],
    [{ colour: "red" }, "session.colour", "output_modalities, audio, tool_choice"],
    [output({ pitch: 2 }), "session.audio.output.pitch", "format, voice, speed"],
    [{ audio: null }, "session.audio", "an object, but is null"],
    [output({ speed: 0.24 }), "session.audio.output.speed", "from 0.25 to 1.5, but is 0.24"],
    [output({ speed: 1.51 }), "session.audio.output.speed", "from 0.25 to 1.5"],
    [output({ speed: "fast" }), "session.audio.output.speed", 'from 0.25 to 1.5, but is "fast"'],
    [output({ speed: Number.NaN }), "session.audio.output.speed", "but is NaN"],
    [output({ voice: {} }), "session.audio.output.voice.id", "missing"],
    [output({ voice: 3 }), "session.audio.output.voice", "a string or an object"],
    [output({ format: "pcm16" }), "session.audio.output.format", "{ type: "],
    [input({ format: { type: "audio/pcm", rate: 16_000 } }), "session.audio.input.format.rate", "resampled"],
    [input({ format: { type: "audio/pcmu", rate: 8_000 } }), "session.audio.input.format.rate", "not a setting"],
    [input({ format: { type: "audio/opus" } }), "session.audio.input.format.type", '"audio/pcm" or "audio/pcmu"'],
    [input({ format: {} }), "session.audio.input.format.type", "missing"],
    [input({ noise_reduction: { type: "none" } }), "session.audio.input.noise_reduction.type", "near_field"],
    [input({ transcription: { delay: "none" } }), "session.audio.input.transcription.delay", "minimal"],
    [input({ transcription: { languages: ["en", 1] } }), "session.audio.input.transcription.languages[1]", "a string"],
    [input({ turn_detection: { type: "none" } }), "session.audio.input.turn_detection.type", '"server_vad" or'],
    [
      input({ turn_detection: { type: "semantic_vad", idle_timeout_ms: 6_000 } }),
      "session.audio.input.turn_detection.idle_timeout_ms",
      "server_vad"
    ],
    [
      input({ turn_detection: { type: "semantic_vad", threshold: 0.5 } }),
      "session.audio.input.turn_detection.threshold",
      "eagerness"
    ],
    [vad({ eagerness: "low" }), "session.audio.input.turn_detection.eagerness", "threshold"],
    [vad({ threshold: 1.1 }), "session.audio.input.turn_detection.threshold", "from 0 to 1"],
    [vad({ threshold: -0.1 }), "session.audio.input.turn_detection.threshold", "from 0 to 1"],
    [vad({ prefix_padding_ms: -1 }), "session.audio.input.turn_detection.prefix_padding_ms", "milliseconds"],
    [vad({ silence_duration_ms: 0.5 }), "session.audio.input.turn_detection.silence_duration_ms", "milliseconds"],
    [vad({ idle_timeout_ms: 4_999 }), "session.audio.input.turn_detection.idle_timeout_ms", "from 5000 to 30000"],
    [vad({ idle_timeout_ms: 30_001 }), "session.audio.input.turn_detection.idle_timeout_ms", "from 5000 to 30000"],
    [vad({ create_response: null }), "session.audio.input.turn_detection.create_response", "but is null"],
    [{ output_modalities: ["text", "audio"] }, "session.output_modalities", '["audio"] or ["text"]'],
    [{ output_modalities: [] }, "session.output_modalities", "an empty list"],
    [{ output_modalities: "audio" }, "session.output_modalities", '["audio"] or ["text"]'],
    [{ output_modalities: ["video"] }, "session.output_modalities[0]", '"text" or "audio"'],
    [{ max_output_tokens: 0 }, "session.max_output_tokens", "from 1 to 4096"],
    [{ max_output_tokens: 4_097 }, "session.max_output_tokens", 'or "inf"'],
    [{ max_output_tokens: 1.5 }, "session.max_output_tokens", "whole"],
    [{ max_output_tokens: "all" }, "session.max_output_tokens", '"inf"'],
    [{ tool_choice: "any" }, "session.tool_choice", "required"],
    [{ tool_choice: { type: "function", name: "divide" } }, "session.tool_choice", "add, subtract"],
    [{ tool_choice: { type: "function", name: "add" } }, "session.tool_choice", "has none", { toolNames: [] }],
    [{ tool_choice: { type: "function" } }, "session.tool_choice.name", "missing"],
    [{ reasoning: { effort: "huge" } }, "session.reasoning.effort", "minimal"],
    [{ reasoning: { effort: "low" } }, "session.reasoning", "gpt-realtime-mini", { model: "gpt-realtime-mini" }],
    [{ reasoning: {} }, "session.reasoning", "gpt-realtime-2.", { model: "gpt-realtime-2025-08-28" }],
    [{ parallel_tool_calls: false }, "session.parallel_tool_calls", "leave it out", { model: "gpt-realtime" }],
    [{ prompt: {} }, "session.prompt.id", "missing"],
    [{ prompt: { id: "pmpt_1", variables: { town: 3 } } }, "session.prompt.variables.town", "a string or an object"],
    [
      { prompt: { id: "pmpt_1", variables: { town: { type: "input_video" } } } },
      "session.prompt.variables.town.type",
      "input_image"
    ],
    [{ include: ["logprobs"] }, "session.include[0]", "item.input_audio_transcription.logprobs"],
    [{ include: null }, "session.include", "a list"],
    [{ tracing: "on" }, "session.tracing", '"auto"'],
    [{ tracing: { workflow: "calls" } }, "session.tracing.workflow", "workflow_name"],
    [metadata(many(17)), "session.tracing.metadata", "at most 16"],
    [metadata({ ["k".repeat(65)]: "" }), "session.tracing.metadata", "keys of at most 64"],
    [metadata({ caller: "x".repeat(513) }), "session.tracing.metadata", '512 characters: shorten that of "caller"'],
    [metadata("caller"), "session.tracing.metadata", "an object"],
    [metadata({ caller: 1n }), "session.tracing.metadata", "JSON"],
    [{ truncation: "never" }, "session.truncation", '"disabled"'],
    [{ truncation: { type: "retention_ratio" } }, "session.truncation.retention_ratio", "missing"],
    [
      { truncation: { type: "retention_ratio", retention_ratio: 1.1 } },
      "session.truncation.retention_ratio",
      "from 0 to 1"
    ],
    [
      { truncation: { type: "retention_ratio", retention_ratio: 1, token_limits: { post_instructions: -1 } } },
      "session.truncation.token_limits.post_instructions",
      "but is -1"
    ],
    [output({ voice: "cedar" }), "session.audio.output.voice", "another session", { audioHeard: true }],
    [
      output({ voice: "cedar" }),
      "session.audio.output.voice",
      "another session",
      { audioHeard: true, current: { audio: { output: { voice: "marin" } } } }
    ],
    [{ tracing: null }, "session.tracing", "another session", { tracingOn: true, current: { tracing: "auto" } }]
  ]

  it.each<(typeof rows)[number]>(rows)("%o at %s", (settings, param, message, context) => {
    const problems = find(settings, context)
    expect(problems.map((problem) => problem.param)).toEqual([param])
    expect(problems[0]?.message).toMatch(new RegExp(`^${param.replace(/[.[\]]/g, "\\$&")} .*\\.$`))
    expect(problems[0]?.message).toContain(message)
  })

  it("everything at once, so that one round of fixes is enough", () => {
    const settings = {
      modalities: ["text"],
      ...vad({ threshold: 2, prefix_padding_ms: "1" }),
      reasoning: { effort: 1 }
    }
    expect(params(settings, { model: "gpt-realtime" })).toEqual([
      "session.modalities",
      "session.audio.input.turn_detection.threshold",
      "session.audio.input.turn_detection.prefix_padding_ms",
      "session.reasoning",
      "session.reasoning.effort"
    ])
    expect(new SettingsInvalid({ problems: find({ voice: "ash", temperature: 1 }) }).message).toBe(
      "The settings were not sent: session.voice has been called audio.output.voice since the beta ended: move it there." +
        " session.temperature is no longer in the protocol: leave it out."
    )
  })

  it("anything, without throwing", () => {
    fc.assert(
      fc.property(fc.oneof(settings, fc.anything()), fc.boolean(), (settings, later) => {
        const problems = find(settings, { audioHeard: later, tracingOn: later, current: everything })
        expect(problems.every(({ message, param }) => message.startsWith(`${param} `))).toBe(true)
      }),
      { numRuns: numRuns(1_000) }
    )
  })

  it("without printing what an object holds", () => {
    const message = find({ tracing: ["sk-1234"], prompt: "s".repeat(100), ...output({ voice: { key: "sk-1234" } }) })
    expect(JSON.stringify(message)).not.toMatch(/sk-1234|sss/)
  })
})

describe("§2 Settings: accepts", () => {
  const rows: Array<[name: string, settings: unknown, context?: Partial<Context>]> = [
    ["nothing", {}],
    ["every setting", everything],
    [
      "the other ends of the ranges",
      {
        ...vad({ threshold: 0, idle_timeout_ms: 30_000 }),
        max_output_tokens: 1,
        truncation: { type: "retention_ratio", retention_ratio: 1 }
      }
    ],
    [
      "the slowest voice and the highest threshold",
      { audio: { ...vad({ threshold: 1 }).audio, output: { speed: 0.25 } } }
    ],
    [
      "what turns things off",
      { prompt: null, tracing: null, ...input({ noise_reduction: null, transcription: null }) }
    ],
    ["push-to-talk", input({ turn_detection: null })],
    ["no idle timeout", vad({ idle_timeout_ms: null })],
    ["what JSON leaves out", { temperature: undefined, audio: { output: { speed: undefined } } }],
    ["voices that it does not know", output({ voice: "gravel" }), { model: "gpt-realtime" }],
    ["models that it does not know", { reasoning: {}, parallel_tool_calls: true }, { model: "my-deployment" }],
    ["a model that is not named", { reasoning: {}, parallel_tool_calls: true }, { model: undefined }],
    ["later reasoning models", { reasoning: {}, parallel_tool_calls: true }, { model: "gpt-realtime-2.1-mini" }],
    ["a choice of a remote tool", { tool_choice: { type: "mcp", server_label: "maps" } }],
    ["characters, not code units", metadata({ caller: "🙂".repeat(512) })],
    [
      "the voice that the model has spoken with",
      output({ voice: { id: "voice_1" } }),
      { audioHeard: true, current: { audio: { output: { voice: { id: "voice_1" } } } } }
    ],
    ["the trace that is on", { tracing: "auto" }, { tracingOn: true, current: { tracing: "auto" } }],
    [
      "other changes, once the model has spoken and is traced",
      output({ speed: 1 }),
      { audioHeard: true, tracingOn: true }
    ],
    ["a transcription model of any kind", input({ transcription: { model: "gpt-realtime-whisper" } })]
  ]
  it.each<(typeof rows)[number]>(rows)("%s", (_, settings, context) => {
    expect(find(settings, context)).toEqual([])
  })
})

const number = fc.oneof(
  { arbitrary: fc.constantFrom(-1, 0, 0.25, 0.3, 1, 1.5, 1.6, 500, 4_096, 4_097, 5_000, 30_000, 30_001), weight: 3 },
  fc.double()
)
const likely = <A>(usual: ReadonlyArray<A>) => fc.oneof({ arbitrary: fc.constantFrom(...usual), weight: 19 }, number)
const rarely = <A>(arbitrary: fc.Arbitrary<A>) => fc.oneof({ arbitrary: fc.constant(null), weight: 4 }, arbitrary)
const sometimes = <T extends object>(fields: { [Key in keyof T]: fc.Arbitrary<T[Key]> }) =>
  fc.record(fields, { requiredKeys: [] })

const detection = fc.oneof(
  sometimes({
    threshold: likely([0, 0.5, 1]),
    idle_timeout_ms: likely([null, 5_000, 30_000]),
    silence_duration_ms: likely([0, 500])
  }).map((config) => ({ type: "server_vad", ...config })),
  sometimes({ eagerness: fc.constantFrom("low", "auto"), create_response: fc.boolean() }).map((config) => ({
    type: "semantic_vad",
    ...config
  }))
)

const plausible = sometimes({
  audio: sometimes({
    input: sometimes({
      turn_detection: detection,
      format: fc.constantFrom({ type: "audio/pcm" }, { type: "audio/pcm", rate: 24_000 }, { type: "audio/pcma" })
    }),
    output: sometimes({ speed: likely([0.25, 1, 1.5]), voice: fc.constantFrom("marin", "cedar", { id: "voice_1" }) })
  }),
  output_modalities: fc.constantFrom(["audio"], ["text"], ["text", "audio"]),
  max_output_tokens: likely([1, 4_096, "inf"]),
  reasoning: sometimes({ effort: fc.constantFrom("low", "high") }),
  parallel_tool_calls: fc.boolean(),
  truncation: sometimes({ type: fc.constant("retention_ratio"), retention_ratio: likely([0, 0.5, 1]) })
})

const shapely = Arbitrary.make(RealtimeSession.omit("type", "instructions", "tools", "model"))

const changed = fc
  .tuple(fc.oneof({ arbitrary: plausible, weight: 2 }, shapely), rarely(fc.tuple(fc.nat(), mutation)))
  .map(([settings, change]) => {
    const json: unknown = JSON.parse(JSON.stringify(settings))
    const paths = pathsOf(json)
    const path = change === null ? undefined : paths[change[0] % Math.max(paths.length, 1)]
    return change === null || path === undefined ? json : mutate(json, path, change[1])
  })

const stray = fc.constantFrom("temperature", "voice", "rate", "idle_timeout_ms", "constructor", "colour")

/** Settings, right or wrong, some with a key that belongs elsewhere. */
const settings = fc.tuple(changed, rarely(fc.tuple(fc.nat(), stray))).map(([json, added]) => {
  const objects = [[], ...pathsOf(json)].filter((path) => isObject(at(json, path)))
  const path = objects[(added?.[0] ?? 0) % Math.max(objects.length, 1)]
  if (added === null || path === undefined) return json
  return mutate(json, path, { _tag: "Replace", value: { ...Object(at(json, path)), [added[1]]: 1 } })
})

const at = (value: unknown, path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>((inner, key) => Object(inner)[key], value)

const model = fc.constantFrom("gpt-realtime", "gpt-realtime-2", "gpt-realtime-2.1-mini", "gpt-4o-realtime-preview")

/** What throws when it is turned into text, which the embedded server does with it. */
const isUnspeakable = (settings: unknown) => /"(toString|valueOf)":/.test(JSON.stringify(settings))

/** Cases that the embedded server accepts and that OpenAI's types or documentation rule out. */
const beyondTheEmbedded = [
  /^session\.prompt\.variables\./,
  /^session\.tracing\.metadata /,
  /^session\.include .* is null\.$/,
  /^session\.tool_choice names /,
  /^session\.audio\.input\.turn_detection must be null with /,
  // Integers that a double does not count exactly.
  /but is (\d{16,}|[\d.]+e\+\d+)\.$/
]

describe("§2 Settings: agrees with the embedded server", () => {
  const refusal = (settings: unknown, name: string, spoken: boolean) => {
    const session = { type: "realtime", ...Object(settings) }
    const frame = read(JSON.stringify({ type: "session.update", session }))
    if (frame._tag === "Refused") return frame.refusal
    return Either.getOrUndefined(Either.flip(merge(initial("sess_1", name, 0), session, spoken)))
  }

  it("on settings right and wrong", () => {
    const current: Agent.Settings = { audio: { output: { voice: "marin" } } }
    fc.assert(
      fc.property(settings, model, fc.boolean(), (settings, model, audioHeard) => {
        fc.pre(!isUnspeakable(settings))
        const found = find(settings, { model, audioHeard, current })
        const refused = refusal(settings, model, audioHeard)
        if (refused === undefined) {
          const known = ({ message }: Problem) => beyondTheEmbedded.some((pattern) => pattern.test(message))
          expect(found.filter((problem) => !known(problem))).toEqual([])
        } else {
          expect(found.map(({ param }) => param)).toContain(refused.param)
        }
      }),
      { numRuns: numRuns(2_000) }
    )
  })
})
