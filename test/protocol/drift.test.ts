/**
 * The types of this library against those of OpenAI's own SDK. `tsc` decides everything here: what OpenAI adds,
 * renames or removes in a later version of its SDK shows as a type error that names the event and the field.
 */
import { describe, expectTypeOf, it } from "@effect/vitest"
import type * as OpenAi from "openai/resources/realtime/realtime"
import type * as Protocol from "../../src/Protocol.js"

type Primitive = string | number | boolean | null | undefined

type Nested<Key extends string, Path> = Path extends `=${infer Value}`
  ? `${Key}=${Value}`
  : Path extends string
    ? `${Key}.${Path}`
    : never

type Literal<T extends string> = string extends T ? never : T extends Protocol.UnknownItemType ? never : `=${T}`

/**
 * The paths of all fields of a type, however deep, and `path=literal` for each literal that a string may be. Those of a
 * union are those of its members.
 */
type Vocabulary<T> = T extends string
  ? Literal<T>
  : T extends Primitive
    ? never
    : T extends ReadonlyArray<infer Element>
      ? Vocabulary<Element>
      : {
          [Key in keyof T & string]-?: string extends Key ? never : Key | Nested<Key, Vocabulary<T[Key]>>
        }[keyof T & string]

type Member<Union, Type> = Extract<Union, { readonly type: Type }>

/** By type of event, the words that the first of two unions of events has and the second has not. */
type Surplus<Left extends { readonly type: string }, Right extends { readonly type: string }> = {
  [Type in Left["type"]]: Exclude<Vocabulary<Member<Left, Type>>, Vocabulary<Member<Right, Type>>>
}

/** The members of a record by event type that are not `never`. */
type Present<T> = { [Type in keyof T as [T[Type]] extends [never] ? never : Type]: T[Type] }

/** Arrays and fields of OpenAI's types are mutable, ours are readonly; on the wire they are the same. */
type Writable<T> = T extends Primitive ? T : { -readonly [Key in keyof T]: Writable<T[Key]> }

type Nothing = Record<never, never>

type Event<Type> = { readonly type: Type }

/** OpenAI's `response.create`, in the variant that may refer to items which the conversation already has. */
type OpenAiClientEvent =
  | Exclude<OpenAi.RealtimeClientEvent, OpenAi.ResponseCreateEvent>
  | OpenAi.ResponseCreateEventWithReferencesParam

/** OpenAI's types list the voices of a session, and lose them by adding `string`. */
type VoiceOf<Path extends string> =
  `${Path}.voice=${"alloy" | "ash" | "ballad" | "coral" | "echo" | "sage" | "shimmer" | "verse" | "marin" | "cedar"}`

/** Documented by OpenAI as "can be set to `null` to turn off", also in an example, but not in its types. */
type NullableInput = Omit<OpenAi.RealtimeAudioConfigInput, "noise_reduction" | "transcription"> & {
  noise_reduction?: OpenAi.RealtimeAudioConfigInput["noise_reduction"] | null
  transcription?: OpenAi.RealtimeAudioConfigInput["transcription"] | null
}
type SessionUpdate = Omit<OpenAi.SessionUpdateEvent, "session"> & {
  session:
    | (Omit<OpenAi.RealtimeSessionCreateRequest, "audio"> & {
        audio?: { input?: NullableInput; output?: OpenAi.RealtimeAudioConfigOutput }
      })
    | (Omit<OpenAi.RealtimeTranscriptionSessionCreateRequest, "audio"> & { audio?: { input?: NullableInput } })
}
type Accepted = Exclude<OpenAiClientEvent, OpenAi.SessionUpdateEvent> | SessionUpdate

describe("Drift", () => {
  it("knows the types of event that OpenAI's SDK knows, and no others", () => {
    expectTypeOf<Protocol.ServerEventType>().toEqualTypeOf<OpenAi.RealtimeServerEvent["type"]>()
    expectTypeOf<Protocol.ClientEventType>().toEqualTypeOf<OpenAi.RealtimeClientEvent["type"]>()
  })

  it("accepts every server event of OpenAI's types", () => {
    type Unfit = {
      [Type in Protocol.ServerEventType]: Member<OpenAi.RealtimeServerEvent, Type> extends Protocol.ServerEvent &
        Event<Type>
        ? never
        : Type
    }
    expectTypeOf<Present<Unfit>>().toEqualTypeOf<Nothing>()
  })

  it("sends only client events that OpenAI's types accept", () => {
    type Unfit = {
      [Type in Protocol.ClientEventType]: Writable<Member<Protocol.ClientEvent, Type>> extends Member<Accepted, Type>
        ? never
        : Type
    }
    expectTypeOf<Present<Unfit>>().toEqualTypeOf<Nothing>()
  })

  it("has the fields and literals of every server event", () => {
    type Missing = Surplus<OpenAi.RealtimeServerEvent, Protocol.ServerEvent>
    // Of a tool that runs on the server's side, only what tells tools apart is typed.
    type Typed = { [Type in keyof Missing]: Exclude<Missing[Type], `session.tools.${string}`> }
    expectTypeOf<Present<Typed>>().toEqualTypeOf<Nothing>()
  })

  it("has no field of a server event that OpenAI's types lack, but for those that its servers do send", () => {
    type Session = "session.id" | "session.object" | "session.expires_at" | VoiceOf<"session.audio.output">
    type Output = "response.output.phase" | "response.audio.output.voice.id"
    expectTypeOf<Present<Surplus<Protocol.ServerEvent, OpenAi.RealtimeServerEvent>>>().toEqualTypeOf<{
      "session.created": Session
      "session.updated": Session
      "conversation.item.created": "item.phase"
      "conversation.item.added": "item.phase"
      "conversation.item.done": "item.phase"
      "conversation.item.retrieved": "item.phase"
      "response.created": Output
      "response.done": Output
      "response.output_item.added": "item.phase"
      "response.output_item.done": "item.phase"
      // Optional everywhere, so that it can stand here too.
      "input_audio_buffer.dtmf_event_received": "event_id"
    }>()
  })

  it("has the fields and literals of every client event, and no others", () => {
    expectTypeOf<Present<Surplus<OpenAiClientEvent, Protocol.ClientEvent>>>().toEqualTypeOf<Nothing>()
    expectTypeOf<Present<Surplus<Protocol.ClientEvent, OpenAiClientEvent>>>().toEqualTypeOf<{
      "session.update": VoiceOf<"session.audio.output">
      "response.create": VoiceOf<"response.audio.output">
    }>()
  })
})
