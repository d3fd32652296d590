/**
 * A server that speaks Gemini's Live API (BidiGenerateContent, v1beta), over any transport, with a mind of the embedded
 * server. It is as strict as the documentation says: the setup comes first, once, and a handle must be one of its own.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { encodeBase64 } from "../../src/audio/Base64.js"
import type * as Mind from "../../src/embedded/Mind.js"
import type { ServerItem } from "../../src/embedded/ServerItem.js"
import { silentVoice, type Voice } from "../../src/embedded/Voice.js"

export type Json = { readonly [key: string]: unknown }

export interface Transport {
  readonly deliver: (text: string) => void
  readonly close: (code: number, reason: string) => void
}

export interface Content {
  readonly role: string
  readonly parts: ReadonlyArray<Json>
}

export interface Options {
  readonly mind: Mind.Mind
  readonly voice?: Voice
  /** Between two messages of an answer. Default: none. */
  readonly pace?: Duration.DurationInput
  /** Whether the end of a turn waits until its audio must have been played. Default: no. */
  readonly waitsForPlayback?: boolean
  /** Whether it gives handles, with which another connection goes on. Default: yes. */
  readonly resumes?: boolean
  /** What comes after a message with calls, before their outputs. Some models send it, and some do not. */
  readonly afterCalls?: ReadonlyArray<Json>
  /** Before each message of the client is handled: `true` if it was dealt with. */
  readonly intercept?: (message: Json, connection: Connection) => boolean
}

/** The server's end of one connection. */
export interface Connection {
  readonly number: number
  readonly received: ReadonlyArray<Json>
  readonly setup: () => Json | undefined
  readonly contents: () => ReadonlyArray<Content>
  /** The outputs, by call id, in the order of their arrival. */
  readonly responses: ReadonlyArray<{ readonly id: string; readonly response: unknown }>
  /** What a server with less patience would have closed the connection for. */
  readonly mistakes: ReadonlyArray<string>
  /** Calls without an output, that were not taken back. */
  readonly open: () => ReadonlyArray<string>
  readonly receive: (text: string) => void
  /** A turn of the user, which interrupts what is being said, and takes back calls that are open. */
  readonly userSays: (text: string) => void
  readonly push: (message: Json) => void
  readonly close: (code: number, reason?: string) => void
  readonly goAway: (timeLeft: string) => void
  /** Takes calls back. */
  readonly takeBack: (ids: ReadonlyArray<string>) => void
  readonly hangUp: () => void
}

export interface GeminiServer {
  readonly connections: ReadonlyArray<Connection>
  readonly attach: (transport: Transport) => Effect.Effect<Connection, never, Scope.Scope>
  /** Handles are not known any more. */
  readonly forgetHandles: () => void
}

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)
const object = (value: unknown): Json => (isObject(value) ? value : {})
const list = (value: unknown): ReadonlyArray<Json> => (Array.isArray(value) ? value.map(object) : [])

const clientMessages = ["setup", "clientContent", "realtimeInput", "toolResponse"]

/** Words of a conversation for a mind: only what a router reads. */
const itemsOf = (contents: ReadonlyArray<Content>): ReadonlyArray<ServerItem> =>
  contents.flatMap(({ parts, role }, index) =>
    parts.flatMap((part, at): ReadonlyArray<ServerItem> => {
      const id = `content_${index}_${at}`
      const [call, response] = [object(part["functionCall"]), object(part["functionResponse"])]
      if (typeof part["text"] === "string") {
        const content = [{ type: role === "model" ? "output_text" : "input_text", text: part["text"] } as const]
        const of = role === "model" ? "assistant" : "user"
        return [{ id, object: "realtime.item", type: "message", role: of, status: "completed", content }]
      }
      if (typeof call["name"] === "string") {
        const args = JSON.stringify(call["args"] ?? {})
        const call_id = String(call["id"])
        return [
          {
            id,
            object: "realtime.item",
            type: "function_call",
            status: "completed",
            name: call["name"],
            call_id,
            arguments: args
          }
        ]
      }
      if (typeof response["name"] === "string") {
        const output = JSON.stringify(response["response"])
        const call_id = String(response["id"])
        return [{ id, object: "realtime.item", type: "function_call_output", status: "completed", call_id, output }]
      }
      return []
    })
  )

export const make = (options: Options): Effect.Effect<GeminiServer> =>
  Effect.gen(function* () {
    const think = yield* options.mind.start
    const connections: Array<Connection> = []
    const voice = options.voice ?? silentVoice()
    const pace = Duration.decode(options.pace ?? 0)
    const pause = Duration.toMillis(pace) === 0 ? Effect.yieldNow() : Effect.sleep(pace)
    const handles = new Map<string, ReadonlyArray<Content>>()
    let count = 0
    let calls = 0

    const attach = (transport: Transport): Effect.Effect<Connection, never, Scope.Scope> =>
      Effect.gen(function* () {
        const run = yield* FiberSet.makeRuntime<never, void>()
        count += 1
        const number = count
        let isOpen = true
        let setup: Json | undefined
        let contents: ReadonlyArray<Content> = []
        let generating: { readonly stop: () => void } | undefined
        const open = new Map<string, string>()
        const known = new Set<string>()
        const received: Array<Json> = []
        const responses: Array<{ readonly id: string; readonly response: unknown }> = []
        const mistakes: Array<string> = []

        /** Whether the client can know that an answer is being generated. */
        let hasSpoken = false
        const send = (message: Json): void => {
          if (message["serverContent"] !== undefined) hasSpoken = true
          if (isOpen) transport.deliver(JSON.stringify(message))
        }
        const end = (): void => {
          generating?.stop()
          generating = undefined
          isOpen = false
        }
        const close = (code: number, reason = ""): void => {
          if (!isOpen) return
          end()
          transport.close(code, reason)
        }
        const say = (role: string, parts: ReadonlyArray<Json>): void => {
          contents = [...contents, { role, parts }]
        }
        const handOut = (): void => {
          if (options.resumes === false) return
          const newHandle = `handle_${number}_${handles.size + 1}`
          handles.set(newHandle, contents)
          send({ sessionResumptionUpdate: { newHandle, resumable: true } })
        }
        const over = (more: Json = {}): void => {
          generating = undefined
          send({
            serverContent: { turnComplete: true, ...more },
            usageMetadata: { promptTokenCount: 5, responseTokenCount: 3, totalTokenCount: 8 }
          })
          handOut()
        }
        const interrupt = (): void => {
          if (generating === undefined) return
          generating.stop()
          generating = undefined
          send({ serverContent: { interrupted: true } })
          send({ serverContent: { turnComplete: true } })
        }
        const speaks = (): boolean => {
          const modalities = object(setup?.["generationConfig"])["responseModalities"]
          return !Array.isArray(modalities) || modalities[0] !== "TEXT"
        }

        const utter = (text: string): Effect.Effect<number> =>
          Effect.gen(function* () {
            // Nothing is sent of what says nothing.
            const words = text.match(/\s*\S+\s*/g) ?? []
            if (!speaks()) {
              for (const word of words) {
                yield* pause
                send({ serverContent: { modelTurn: { parts: [{ text: word }] } } })
              }
              return 0
            }
            let ms = 0
            const left = [...words]
            yield* Stream.runForEach(voice.speak(text, { format: "audio/pcm" }), (piece) =>
              Effect.gen(function* () {
                yield* pause
                ms += piece.ms
                const inlineData = { mimeType: "audio/pcm;rate=24000", data: encodeBase64(piece.audio) }
                const word = left.shift()
                send({
                  serverContent: {
                    modelTurn: { parts: [{ inlineData }] },
                    ...(word === undefined ? {} : { outputTranscription: { text: word } })
                  }
                })
              })
            )
            if (left.length > 0) send({ serverContent: { outputTranscription: { text: left.join("") } } })
            return ms
          })

        const answer = (parts: Stream.Stream<Mind.Part>): Effect.Effect<void> =>
          Effect.gen(function* () {
            const made: Array<Json> = []
            const said: Array<Json> = []
            let ms = 0
            let more: Json | undefined
            yield* Stream.runForEachWhile(parts, (part) =>
              Effect.gen(function* () {
                switch (part._tag) {
                  case "Say":
                  case "SayDelta":
                    ms += yield* utter(part.text)
                    said.push({ text: part.text })
                    return true
                  case "Call": {
                    calls += 1
                    const id = part.callId ?? `function-call-${calls}`
                    // Gemini's ids are its own: one that comes again is another.
                    const unique = known.has(id) ? `${id}-${calls}` : id
                    known.add(unique)
                    made.push({ id: unique, name: part.name, args: argsOf(part.arguments) })
                    return true
                  }
                  case "Pause":
                    yield* Effect.sleep(part.duration)
                    return true
                  case "Stall":
                    return yield* Effect.never
                  case "Fail":
                    more = { turnCompleteReason: "MALFORMED_FUNCTION_CALL" }
                    return false
                  case "CutShort":
                    more = { turnCompleteReason: "RESPONSE_REJECTED" }
                    return false
                  default:
                    return true
                }
              })
            )
            yield* pause
            if (said.length > 0) say("model", said)
            if (more === undefined && made.length > 0) {
              say(
                "model",
                made.map((functionCall) => ({ functionCall }))
              )
              for (const { id, name } of made) open.set(String(id), String(name))
              generating = undefined
              send({ toolCall: { functionCalls: made } })
              for (const message of options.afterCalls ?? []) send(message)
              return
            }
            if (more === undefined) send({ serverContent: { generationComplete: true } })
            if (options.waitsForPlayback === true) yield* Effect.sleep(ms)
            over(more)
          })

        const generate = (): void => {
          interrupt()
          const conversation = itemsOf(contents)
          const request: Mind.Request = {
            conversation,
            hasSeen: () => true,
            heard: () => undefined,
            tools: list(list(setup?.["tools"])[0]?.["functionDeclarations"]).map((tool) => ({
              name: String(tool["name"]),
              description: String(tool["description"] ?? ""),
              parameters: object(tool["parametersJsonSchema"])
            })),
            toolChoice: { _tag: "Auto" },
            instructions: "",
            ownInstructions: undefined,
            modality: speaks() ? "audio" : "text",
            origin: "server",
            responseId: `turn_${number}_${contents.length}`,
            metadata: null
          }
          hasSpoken = false
          let isStopped = false
          const fiber = run(Effect.suspend(() => (isStopped ? Effect.void : answer(think(request)))))
          generating = {
            stop: () => {
              isStopped = true
              fiber.unsafeInterruptAsFork(fiber.id())
            }
          }
        }

        const takeBack = (ids: ReadonlyArray<string>): void => {
          const taken = ids.filter((id) => open.delete(id))
          if (taken.length > 0) send({ toolCallCancellation: { ids: taken } })
        }

        const begin = (given: Json) => {
          if (setup !== undefined) return close(1007, "setup must be the first message, and only the first")
          if (typeof given["model"] !== "string" || !given["model"].startsWith("models/")) {
            return close(1007, "Invalid model: the name must begin with models/.")
          }
          const handle = object(given["sessionResumption"])["handle"]
          if (handle !== undefined) {
            const kept = handles.get(String(handle))
            if (kept === undefined) return close(1007, "Invalid session resumption handle.")
            contents = kept
          }
          setup = given
          send({ setupComplete: {} })
          if (given["sessionResumption"] !== undefined) handOut()
        }

        const hear = (input: Json) => {
          const isManual =
            object(object(setup?.["realtimeInputConfig"])["automaticActivityDetection"])["disabled"] === true
          if (input["activityStart"] !== undefined || input["activityEnd"] !== undefined) {
            if (!isManual)
              return close(
                1007,
                "Explicit activity control is not supported when automatic activity detection is enabled."
              )
          }
          if (input["audio"] !== undefined) {
            if (!String(object(input["audio"])["mimeType"]).startsWith("audio/pcm"))
              mistakes.push("audio of another type")
          }
          if (input["activityStart"] !== undefined) {
            interrupt()
            takeBack([...open.keys()])
          }
          if (input["activityEnd"] !== undefined) {
            say("user", [{ text: "(spoken)" }])
            generate()
          }
          if (typeof input["text"] === "string") {
            say("user", [{ text: input["text"] }])
            generate()
          }
        }

        const receive = (text: string) => {
          if (!isOpen) return
          const message = object(JSON.parse(text))
          received.push(message)
          const kinds = Object.keys(message)
          if (kinds.length !== 1 || !clientMessages.includes(kinds[0] ?? "")) {
            return close(1007, `Invalid JSON payload received. Unknown name "${kinds.join()}"`)
          }
          if (options.intercept?.(message, connection) === true) return
          if (message["setup"] !== undefined) return begin(object(message["setup"]))
          if (setup === undefined) return close(1007, "setup must be the first message")
          if (message["realtimeInput"] !== undefined) return hear(object(message["realtimeInput"]))
          if (message["clientContent"] !== undefined) {
            const content = object(message["clientContent"])
            // A message here interrupts what is being generated.
            if (generating !== undefined && hasSpoken && content["turnComplete"] !== true) {
              mistakes.push("content within a turn")
            }
            for (const turn of list(content["turns"])) say(String(turn["role"]), list(turn["parts"]))
            if (content["turnComplete"] === true) generate()
            return
          }
          for (const response of list(object(message["toolResponse"])["functionResponses"])) {
            const id = String(response["id"])
            responses.push({ id, response: response["response"] })
            if (!open.delete(id)) mistakes.push(`an output for ${id}, which waits for none`)
            if (!isObject(response["response"]) || typeof response["name"] !== "string")
              mistakes.push(`a misshapen output for ${id}`)
            say("user", [{ functionResponse: response }])
          }
          if (open.size === 0) generate()
        }

        const connection: Connection = {
          number,
          received,
          setup: () => setup,
          contents: () => contents,
          responses,
          mistakes,
          open: () => [...open.keys()],
          receive,
          userSays: (text) => {
            if (!isOpen || setup === undefined) return
            interrupt()
            takeBack([...open.keys()])
            if (setup["inputAudioTranscription"] !== undefined) {
              for (const word of text.match(/\s*\S+\s*/g) ?? [])
                send({ serverContent: { inputTranscription: { text: word } } })
            }
            say("user", [{ text }])
            generate()
          },
          push: send,
          close,
          goAway: (timeLeft) => send({ goAway: { timeLeft } }),
          takeBack,
          hangUp: end
        }
        connections.push(connection)
        yield* Effect.addFinalizer(() => Effect.sync(end))
        return connection
      })

    return { connections, attach, forgetHandles: () => handles.clear() }
  })

/** Gemini's arguments are always an object. */
const argsOf = (text: string): Json => {
  try {
    return object(JSON.parse(text))
  } catch {
    return {}
  }
}
