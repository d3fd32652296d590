import * as fc from "effect/FastCheck"
import type { Item } from "../../src/Conversation.js"
import type { CallStage, JournalRecord } from "../../src/SessionJournal.js"

/** Any text that a program can hold: also halves of surrogate pairs, zero bytes and line breaks. */
export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.fullUnicodeString(),
  fc.string16bits(),
  fc.constantFrom("", "\ud800", "\udc00\ud800", "\u0000", "a\nb\r\n", "\u2028", "\ufeff", "__proto__", "🎙️")
)

const maybe = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined })

export const item: fc.Arbitrary<Item> = fc.oneof(
  fc.record({
    _tag: fc.constant("Message" as const),
    id: text,
    role: fc.constantFrom("user" as const, "assistant" as const, "system" as const),
    status: fc.constantFrom("completed" as const, "incomplete" as const),
    content: fc.array(
      fc.oneof(
        fc.record({ _tag: fc.constant("Text" as const), text }),
        fc.record({ _tag: fc.constant("Audio" as const), transcript: maybe(text) }),
        fc.record({
          _tag: fc.constant("Audio" as const),
          transcript: maybe(text),
          recording: fc.record({
            _tag: fc.constant("Kept" as const),
            format: fc.constant({ type: "audio/pcm", rate: 24000 } as const),
            bytes: fc.uint8Array()
          })
        }),
        fc.record({ _tag: fc.constant("Image" as const), url: maybe(text) })
      ),
      { maxLength: 3 }
    )
  }),
  fc.record({
    _tag: fc.constant("FunctionCall" as const),
    id: text,
    callId: text,
    name: text,
    arguments: text,
    status: fc.constant("completed" as const)
  }),
  fc.record({ _tag: fc.constant("FunctionCallOutput" as const), id: text, callId: text, output: text }),
  // JSON text, as servers send it: they never send a value that JSON cannot hold.
  fc.record({
    _tag: fc.constant("Other" as const),
    id: text,
    type: text,
    item: fc.json().map((json): unknown => JSON.parse(json))
  })
)

export const stage: fc.Arbitrary<CallStage> = fc.oneof(
  fc.record({
    _tag: fc.constant("Arrived" as const),
    itemId: maybe(text),
    responseId: maybe(text),
    agent: text,
    tool: text,
    arguments: text
  }),
  fc.constant({ _tag: "Started" as const }),
  fc.constant({ _tag: "Withdrawn" as const }),
  fc.record({ _tag: fc.constant("Settled" as const), output: text, reply: fc.boolean() }),
  fc.record({ _tag: fc.constant("Acknowledged" as const), outputItemId: maybe(text) })
)

/** Parts of an item that were not heard to their end. */
export const unheard = fc.array(
  fc.record({ contentIndex: fc.nat({ max: 3 }), heardMs: fc.nat({ max: 5000 }), length: fc.nat({ max: 20 }) }),
  { maxLength: 3 }
)

export const record: fc.Arbitrary<JournalRecord> = fc.oneof(
  fc.record({ _tag: fc.constant("SessionOpened" as const), sessionId: text, agent: text, at: fc.nat() }),
  fc.record({
    _tag: fc.constant("SettingsConfirmed" as const),
    agent: text,
    settings: fc.record(
      {
        instructions: text,
        max_output_tokens: fc.constantFrom("inf" as const, 4096),
        tools: fc.array(fc.record({ type: fc.constant("function" as const), name: text }), { maxLength: 2 }),
        audio: fc.constant({ output: { voice: "marin", speed: 1.25 } }),
        tracing: fc.constant(null)
      },
      { requiredKeys: [] }
    )
  }),
  fc.record({
    _tag: fc.constant("ItemFinal" as const),
    item,
    previousItemId: maybe(text),
    unheard: maybe(unheard),
    owed: maybe(fc.constant(true as const))
  }),
  fc.record({ _tag: fc.constant("ItemHeard" as const), itemId: text, unheard }),
  fc.record({ _tag: fc.constant("ItemRemoved" as const), itemId: text }),
  fc.record({
    _tag: fc.constant("TurnAudioKept" as const),
    itemId: text,
    contentIndex: fc.nat(),
    format: fc.constantFrom({ type: "audio/pcm", rate: 24000 } as const, { type: "audio/pcmu" } as const),
    audio: fc.base64String()
  }),
  fc.record({ _tag: fc.constant("TurnAudioDropped" as const), itemId: text, contentIndex: maybe(fc.nat()) }),
  fc.record({ _tag: fc.constant("CallTransition" as const), callId: text, to: stage }),
  fc.record({ _tag: fc.constant("SessionEnded" as const), at: fc.nat(), reason: text })
)
