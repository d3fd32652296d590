import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Agent from "../Agent.js"
import type { ItemParam } from "../protocol/ItemParam.js"
import { callArguments } from "./callArguments.js"
import { list, listOf } from "./list.js"
import { mutatedFrames } from "./mutatedFrames.js"
import type { Action, Beginning, Program, Reply, ReplyPart, Step } from "./Program.js"

export { mutatedFrames }

/** Sentences; some are long enough to be interrupted. */
export const sentence: fc.Arbitrary<string> = fc.constantFrom(
  "Hello.",
  "Yes.",
  "Something bad.",
  "",
  "Grüße, 你好, 👋!",
  "This takes a few seconds to be said, and somebody may break in before it is over.",
  "Well, that is a longer sentence, which takes its time to be said, and longer still to be heard, is it not?"
)

/**
 * Events of a server that do not change a session: of unknown types, of known types with missing fields, errors that
 * name nothing, and text that is not JSON. As text frames.
 *
 * @since 0.1.0
 * @category arbitraries
 */
export const serverFrame: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("", "{", "not JSON", "[]", "null", "42", '{"type":42}', '{"type":"response.'),
  fc
    .record({
      type: fc.constantFrom("session.quantum_state", "response.video.delta", "?"),
      spin: fc.jsonValue({ maxDepth: 1 })
    })
    .map((event) => JSON.stringify(event)),
  fc
    .record({
      type: fc.constantFrom(
        "conversation.item.input_audio_transcription.completed",
        "response.output_text.delta",
        "response.output_audio.delta",
        "rate_limits.updated",
        "input_audio_buffer.speech_started.unknown",
        "conversation.item.retrieved"
      ),
      event_id: fc.constantFrom("event_x", ""),
      item_id: fc.constantFrom("item_nobody_knows", ""),
      novelty: fc.jsonValue({ maxDepth: 1 })
    })
    .map((event) => JSON.stringify(event)),
  fc.constantFrom("server_error", "unknown_code", "rate_limit_exceeded").map((code) =>
    JSON.stringify({
      type: "error",
      event_id: "event_e",
      error: { type: "server_error", code, message: "Something went wrong.", param: null, event_id: null }
    })
  )
)

/**
 * A conversation as a client may create it: messages of the user and the model, calls of these functions, and outputs
 * for some of the calls.
 *
 * @since 0.1.0
 * @category arbitraries
 */
export const conversationWith = (
  functions: ReadonlyArray<string>,
  options: { readonly maxLength?: number } = {}
): fc.Arbitrary<ReadonlyArray<ItemParam>> => {
  const calls = fc
    .record({ name: fc.constantFrom(...functions), output: fc.option(sentence, { nil: undefined }) })
    .map(
      ({ name, output }): ReadonlyArray<ItemParam> => [
        { type: "function_call", name, call_id: "", arguments: "{}" },
        ...(output === undefined ? [] : [{ type: "function_call_output", call_id: "", output } as const])
      ]
    )
  const messages = fc
    .record({ text: sentence, isUser: fc.boolean() })
    .map(
      ({ isUser, text }): ReadonlyArray<ItemParam> => [
        isUser
          ? { type: "message", role: "user", content: [{ type: "input_text", text }] }
          : { type: "message", role: "assistant", content: [{ type: "output_text", text }] }
      ]
    )
  return list(functions.length === 0 ? messages : fc.oneof({ weight: 2, arbitrary: messages }, calls), {
    maxLength: options.maxLength ?? 12
  }).map((groups) =>
    groups.flatMap((group, index) =>
      group.map((item) => ("call_id" in item ? { ...item, call_id: `call_made_up_${index}` } : item))
    )
  )
}

/**
 * Like `conversationWith`, for an assistant that reports the weather and books tables.
 *
 * @since 0.1.0
 * @category arbitraries
 */
export const conversation: fc.Arbitrary<ReadonlyArray<ItemParam>> = conversationWith(["get_weather", "book_table"])

/** Calls of functions by name, usually with valid arguments. */
const callsOf = (agent: Agent.Any): fc.Arbitrary<ReplyPart> => {
  const functions = new Map<string, fc.Arbitrary<string>>([["no_such_tool", fc.constantFrom("{}", '{"n":1}')]])
  for (const { handoffs, tools } of Agent.reachable(agent)) {
    for (const { definition, name, parameters } of tools) {
      functions.set(name, callArguments({ ast: parameters.ast, definition }))
    }
    for (const { definition, input } of handoffs) {
      if (Either.isLeft(definition)) continue
      functions.set(definition.right.name, callArguments({ ast: input.ast, definition }))
    }
  }
  const byName = Array.from(functions, ([name, args]) =>
    fc.record({
      _tag: fc.constant("Calls" as const),
      name: fc.constant(name),
      args,
      repeatsId: fc.integer({ min: 0, max: 29 }).map((n) => n === 29)
    })
  )
  return fc.oneof(...byName)
}

/**
 * A response of the model that may call any function of these agents, and some that they do not have.
 *
 * @since 0.1.0
 * @category arbitraries
 */
export const reply = (agent: Agent.Any): fc.Arbitrary<Reply> =>
  list(
    fc.oneof(
      { weight: 6, arbitrary: callsOf(agent) },
      { weight: 4, arbitrary: fc.record({ _tag: fc.constant("Says" as const), text: sentence }) },
      {
        weight: 1,
        arbitrary: fc.record({
          _tag: fc.constant("CallsHosted" as const),
          runs: fc.constantFrom("within" as const, "after" as const, "when approved" as const),
          succeeds: fc.boolean(),
          item: fc.constantFrom("before" as const, "behind" as const),
          ms: fc.constantFrom(0, 1, 2_000, 50_000, 90_000)
        })
      },
      {
        weight: 2,
        arbitrary: fc.record({ _tag: fc.constant("Pauses" as const), ms: fc.integer({ min: 1, max: 4_000 }) })
      },
      {
        weight: 1,
        arbitrary: fc.record({
          _tag: fc.constant("Fails" as const),
          code: fc.constantFrom("server_error", "rate_limit_exceeded", "content_policy")
        })
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom<ReplyPart[]>({ _tag: "IsCutShort" }, { _tag: "Stalls" })
      }
    ),
    { maxLength: 4 }
  )

const tag = <const Tag extends string>(_tag: Tag) => fc.constant(_tag)
const just = <const A extends Action>(action: A): fc.Arbitrary<Action> => fc.constant(action)

const passingRefusal: fc.Arbitrary<Action> = fc.record({
  _tag: tag("ServerRefuses"),
  type: fc.constant("response.create" as const),
  code: fc.constantFrom("server_error" as const, "rate_limit_exceeded" as const),
  echo: fc.constant(true),
  times: fc.constantFrom(1, 1, 2, 5)
})

/** Some are shorter than the time that a record is waited for, and some longer than a session waits for its journal. */
const journalIsAway: fc.Arbitrary<Action> = fc.record({
  _tag: tag("JournalIsAway"),
  how: fc.constantFrom(
    "refuses" as const,
    "refuses" as const,
    "fails halfway" as const,
    "fails halfway" as const,
    "is slow" as const,
    "is slow" as const,
    "is taken" as const
  ),
  forMs: fc.constantFrom(300, 5_000, 5_000, 60_000)
})

/**
 * One thing that happens to a session of these agents.
 *
 * @since 0.1.0
 * @category arbitraries
 */
export const action = (agent: Agent.Any): fc.Arbitrary<Action> => {
  const names = Agent.reachable(agent).map(({ name }) => name)
  const weighted = (weight: number, arbitrary: fc.Arbitrary<Action>) => ({ weight, arbitrary })
  return fc.oneof(
    weighted(13, fc.record({ _tag: tag("UserWrites"), text: sentence })),
    weighted(1, fc.record({ _tag: tag("UserWrites"), text: sentence, again: fc.constant(true as const) })),
    weighted(1, fc.record({ _tag: tag("PutsFirst"), text: sentence })),
    weighted(1, fc.record({ _tag: tag("Retrieves"), which: fc.constantFrom("first" as const, "last" as const) })),
    weighted(6, fc.record({ _tag: tag("UserSpeaks"), transcript: sentence, forMs: fc.constantFrom(0, 1, 200, 3_000) })),
    weighted(
      3,
      fc.record({
        _tag: tag("SendsAudio"),
        chunks: fc.integer({ min: 1, max: 4 }),
        bytes: fc.constantFrom(2, 4_800, 48_000),
        commits: fc.boolean()
      })
    ),
    weighted(3, fc.record({ _tag: tag("SpeaksAloud"), forMs: fc.constantFrom(100, 700, 2_000) })),
    weighted(1, just({ _tag: "ClearsAudio" })),
    weighted(5, just({ _tag: "Interrupts" })),
    weighted(
      12,
      fc.record({
        _tag: tag("Waits"),
        ms: fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.constantFrom(20_000, 130_000))
      })
    ),
    weighted(2, fc.record({ _tag: tag("ClockIsSet"), byMs: fc.constantFrom(-3_600_000, -1_000, 1_000, 3_600_000) })),
    weighted(
      6,
      fc.record({
        _tag: tag("Decides"),
        approves: fc.boolean(),
        always: fc.integer({ max: 7, min: 0 }).map((n) => n === 7)
      })
    ),
    weighted(
      4,
      fc.record({
        _tag: tag("AsksForResponse"),
        params: fc.constantFrom(
          undefined,
          { instructions: "Be brief." },
          { conversation: "none" as const },
          { conversation: "none" as const, tool_choice: "none" as const },
          { conversation: "none" as const, output_modalities: ["audio" as const] }
        )
      })
    ),
    weighted(2, fc.record({ _tag: tag("UpdatesAgent"), name: fc.constantFrom(...names, "Nobody") })),
    weighted(2, just({ _tag: "UpdatesTools" })),
    weighted(2, fc.record({ _tag: tag("UpdatesConfig"), maxOutputTokens: fc.integer({ min: 1, max: 4_096 }) })),
    weighted(
      2,
      fc.record({
        _tag: tag("Subscribes"),
        onLag: fc.constantFrom("skip" as const, "snapshot" as const, "fail" as const),
        capacity: fc.constantFrom(1, 3, 16, 4_096),
        reads: fc.constantFrom("at once" as const, "late" as const, "in bursts" as const, "never" as const)
      })
    ),
    weighted(1, just({ _tag: "Closes" })),
    weighted(
      3,
      fc.record({
        _tag: tag("ServerWinsRace"),
        order: fc.constantFrom("created-first" as const, "error-first" as const, "before-item" as const)
      })
    ),
    weighted(
      3,
      fc.oneof(
        fc.record({
          _tag: tag("ServerRefuses"),
          type: fc.constantFrom("response.create" as const, "session.update" as const),
          code: fc.constant("made_up" as const),
          echo: fc.boolean(),
          times: fc.constant(1)
        }),
        passingRefusal,
        // If an output is refused without saying which one, nobody can send it again.
        just({ _tag: "ServerRefuses", type: "function_call_output", code: "made_up", echo: true, times: 1 }),
        just({ _tag: "ServerRefuses", type: "conversation.item.create", code: "made_up", echo: true, times: 1 })
      )
    ),
    weighted(3, fc.record({ _tag: tag("ServerSends"), frame: serverFrame })),
    weighted(1, fc.record({ _tag: tag("ServerTruncates"), share: fc.constantFrom(0, 0.3, 1) })),
    weighted(2, fc.record({ _tag: tag("ServerIsSlow"), ms: fc.integer({ min: 1, max: 5_000 }) })),
    weighted(
      2,
      fc.record({
        _tag: tag("ServerRepeats"),
        type: fc.constantFrom(
          "conversation.item.added",
          "response.output_item.done",
          "response.created",
          "response.done"
        )
      })
    ),
    weighted(
      1,
      fc.record({
        _tag: tag("ServerIgnores"),
        type: fc.constantFrom("response.create" as const, "session.update" as const, "turn" as const)
      })
    ),
    weighted(1, just({ _tag: "ServerWithholds", type: "response.created" })),
    weighted(4, just({ _tag: "ConnectionDrops" })),
    weighted(
      3,
      fc.record({ _tag: tag("ConnectionCloses"), code: fc.constantFrom(1000, 1001, 1006, 1011, 1012, 1013) })
    ),
    weighted(1, just({ _tag: "SessionExpires" })),
    weighted(
      2,
      fc.record({
        _tag: tag("HandshakesFail"),
        count: fc.integer({ min: 1, max: 3 }),
        status: fc.constantFrom(429, 500, 503)
      })
    ),
    weighted(1, journalIsAway)
  )
}

/** Most sessions begin with nothing. In a resumed session, the agent may have called its own tools and others. */
const beginning = (agent: Agent.Any): fc.Arbitrary<Beginning> => {
  const items = conversationWith(["no_such_tool", ...agent.tools.map(({ name }) => name)], { maxLength: 5 })
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 6, arbitrary: fc.constant<Beginning>({ _tag: "Afresh" }) },
    { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Edited" as const), items }) },
    {
      weight: 1,
      arbitrary: fc.record({
        _tag: fc.constant("Resumed" as const),
        items,
        leftCalls: fc.constantFrom("Arrived" as const, "Started" as const, "Settled" as const)
      })
    }
  )
}

const imports: fc.Arbitrary<Program["imports"]> = fc.record({
  outcome: fc.constantFrom("completed" as const, "completed" as const, "failed" as const, "never" as const),
  item: fc.constantFrom("behind" as const, "before" as const, "never" as const),
  ms: fc.constantFrom(0, 0, 1, 2_000, 12_000)
})

const thenRuns: fc.Arbitrary<Step["thenRuns"]> = fc.oneof(
  { withCrossShrink: true },
  { weight: 2, arbitrary: fc.constant("all" as const) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 60 }) }
)

/** Combinations of faults that would rarely occur by chance. */
const motifs: ReadonlyArray<ReadonlyArray<fc.Arbitrary<Action>>> = [
  // The model's speech is still being played when another connection carries the session, and is then interrupted.
  [
    fc.record({ _tag: tag("UserWrites"), text: sentence }),
    fc.record({ _tag: tag("Waits"), ms: fc.integer({ min: 1, max: 500 }) }),
    just({ _tag: "ConnectionDrops" }),
    fc.record({ _tag: tag("Waits"), ms: fc.integer({ min: 250, max: 1_500 }) }),
    just({ _tag: "Interrupts" })
  ],
  // The server speaks by itself before it has the user's message.
  [just({ _tag: "ServerWinsRace", order: "before-item" }), fc.record({ _tag: tag("UserWrites"), text: sentence })],
  // The user speaks, and the server does not begin to answer, or does not say so.
  [
    fc.oneof(
      just({ _tag: "ServerIgnores", type: "turn" }),
      just({ _tag: "ServerWithholds", type: "response.created" })
    ),
    fc.record({ _tag: tag("UserSpeaks"), transcript: sentence, forMs: fc.constantFrom(0, 200) }),
    fc.record({ _tag: tag("Waits"), ms: fc.integer({ min: 1, max: 15_000 }) })
  ],
  // A request for a response is refused temporarily, and further requests follow in the meantime.
  [
    passingRefusal,
    fc.record({ _tag: tag("UserWrites"), text: sentence }),
    fc.record({ _tag: tag("Waits"), ms: fc.integer({ min: 1, max: 1_500 }) }),
    fc.record({ _tag: tag("UserWrites"), text: sentence })
  ],
  // The user goes on while the journal is away.
  [journalIsAway, fc.record({ _tag: tag("UserWrites"), text: sentence })],
  // The user goes on while there is no connection.
  [
    fc.record({ _tag: tag("HandshakesFail"), count: fc.integer({ min: 1, max: 3 }), status: fc.constant(503) }),
    just({ _tag: "ConnectionDrops" }),
    fc.record({ _tag: tag("UserWrites"), text: sentence })
  ]
]

/** Agents take over from each other: does anything of the first one's settings remain? */
const roundOf = (agent: Agent.Any): ReadonlyArray<fc.Arbitrary<Action>> => {
  const takesOver = fc.record({
    _tag: tag("UpdatesAgent"),
    name: fc.constantFrom(...Agent.reachable(agent).map(({ name }) => name))
  })
  return [takesOver, fc.record({ _tag: tag("Waits"), ms: fc.integer({ min: 1, max: 500 }) }), takesOver]
}

/**
 * Programs for a session of these agents. Each one shrinks until no step, response or part of a response can be left
 * out.
 *
 * @since 0.1.0
 * @category arbitraries
 */
export const program = (agent: Agent.Any, options: { readonly maxSteps?: number } = {}): fc.Arbitrary<Program> => {
  const maxSteps = options.maxSteps ?? 15
  const step = (action: fc.Arbitrary<Action>): fc.Arbitrary<Step> => fc.record({ action, thenRuns })
  const together = [...motifs, roundOf(agent)].map((actions) => ({ weight: 1, elements: actions.map(step) }))
  const hasHosted = Agent.reachable(agent).some(({ hostedTools }) => hostedTools.length > 0)
  return fc.record({
    // In the order in which a counterexample shrinks.
    steps: listOf([{ weight: 12 * together.length, elements: [step(action(agent))] }, ...together], {
      minLength: 1,
      maxLength: maxSteps
    }),
    replies: list(reply(agent), { maxLength: 6 }),
    beginning: beginning(agent),
    modality: fc.constantFrom("text" as const, "text" as const, "audio" as const),
    listens: fc.constantFrom("at once" as const, "at once" as const, "in bursts" as const),
    toolChoice: fc.integer({ min: 0, max: 7 }).map((n) => (n === 7 ? "required" : "auto")),
    rolloverAfterMs: fc.constantFrom(3_300_000, 3_300_000, 60_000),
    journal: fc.constantFrom("none" as const, "none" as const, "preferred" as const, "required" as const),
    transcribes: fc.constantFrom("never" as const, "never" as const, "at once" as const, "late" as const),
    imports: hasHosted ? imports : fc.constant({ outcome: "completed" as const, item: "behind" as const, ms: 0 })
  })
}
