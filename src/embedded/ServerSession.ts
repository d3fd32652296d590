/**
 * The server's side of one connection, whatever carries it: settings, conversation, audio buffer and responses.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import { Ids } from "./Ids.js"
import { InputAudio } from "./InputAudio.js"
import type { Parts, Request } from "./Mind.js"
import type { Emit } from "./Outgoing.js"
import { respond } from "./Responder.js"
import { type ResponseParams, readParams } from "./ResponseParams.js"
import { ServerConversation } from "./ServerConversation.js"
import { fromClient, type ServerItem } from "./ServerItem.js"
import { inputTokens, ServerResponse, type StatusDetails } from "./ServerResponse.js"
import * as Settings from "./SessionSettings.js"
import { isObject, type JsonObject, type Refusal, refusal } from "./Shape.js"
import type { Voice } from "./Voice.js"

export interface ServerSessionOptions {
  readonly connection: number
  readonly model: string
  /** Milliseconds since 1970. */
  readonly now: number
  readonly maxDuration: Duration.Duration
  readonly pace: Duration.Duration
  readonly voice: Voice | undefined
  readonly think: (request: Request) => Effect.Effect<Parts>
  readonly emit: Emit
  readonly fork: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>
  readonly close: (code: number, reason: string) => void
}

interface Running {
  readonly response: ServerResponse
  fiber: Fiber.RuntimeFiber<void> | undefined
}

export class ServerSession {
  readonly conversation = new ServerConversation()
  readonly ids: Ids
  readonly #options: ServerSessionOptions
  readonly #input = new InputAudio()
  readonly #running = new Map<string, Running>()
  readonly #conversationId: string
  #settings: Settings.SessionSettings
  #spoken = false
  #override: Parts | undefined

  constructor(options: ServerSessionOptions) {
    this.#options = options
    this.ids = new Ids(options.connection)
    this.#conversationId = this.ids.next("conv")
    const expiresAt = Math.floor((options.now + Duration.toMillis(options.maxDuration)) / 1_000)
    this.#settings = Settings.initial(this.ids.next("sess"), options.model, expiresAt)
  }

  get settings(): Settings.SessionSettings {
    return this.#settings
  }

  start(): void {
    this.#emitSession("session.created")
    this.#options.fork(Effect.sleep(this.#options.maxDuration).pipe(Effect.zipRight(Effect.sync(() => this.#expire()))))
  }

  /** Carries out a client event, or says why not. */
  handle(event: ClientEvent): Refusal | undefined {
    switch (event.type) {
      case "session.update":
        return this.#update(event)
      case "conversation.item.create":
        return this.#createItem(event)
      case "conversation.item.retrieve":
        return this.#withItem(event.item_id, "retrieve", (item) => {
          this.#options.emit({ type: "conversation.item.retrieved", item })
        })
      case "conversation.item.delete":
        return this.#withItem(event.item_id, "delete", (item) => {
          this.conversation.delete(item.id)
          this.#options.emit({ type: "conversation.item.deleted", item_id: item.id })
        })
      case "conversation.item.truncate":
        return this.#truncate(event)
      case "input_audio_buffer.append":
        return this.#input.append(event.audio, Settings.inputFormat(this.#settings))
      case "input_audio_buffer.clear":
        this.#input.clear()
        this.#options.emit({ type: "input_audio_buffer.cleared" })
        return undefined
      case "input_audio_buffer.commit":
        return this.#input.refuseCommit() ?? this.#commit(this.#itemId(), null)
      case "output_audio_buffer.clear":
        return refusal("invalid_value", "output_audio_buffer.clear is only supported on WebRTC and SIP.", "type")
      case "response.create":
        return this.createResponse(event.response ?? {}, "client")
      case "response.cancel":
        return this.#cancel(event.response_id ?? undefined)
    }
  }

  refuse(problem: Refusal, eventId: string | null): void {
    this.#options.emit({ type: "error", error: { ...problem, event_id: eventId } })
  }

  /** Gives the parts of the next response, in place of the mind. */
  override(parts: Parts): void {
    this.#override = parts
  }

  createResponse(
    asked: NonNullable<Extract<ClientEvent, { type: "response.create" }>["response"]>,
    origin: "client" | "server"
  ): Refusal | undefined {
    const params = readParams(asked, this.#settings, this.conversation)
    if (Either.isLeft(params)) return params.left
    const { outOfBand } = params.right
    const active = outOfBand ? undefined : this.active
    if (active !== undefined) return alreadyActive(active.id)
    this.#begin(params.right, origin)
    return undefined
  }

  /**
   * Lets a response of the server's own win against the client's request, and says so before that response is
   * announced.
   */
  collide(eventId: string | null): void {
    this.refuse(alreadyActive(this.active?.id ?? this.ids.peek("resp")), eventId)
    this.createResponse({}, "server")
  }

  /** The response that holds the default conversation. */
  get active(): ServerResponse | undefined {
    for (const { response } of this.#running.values()) {
      if (response.inBand && response.active) return response
    }
    return undefined
  }

  /** What voice activity detection does when the user begins to speak; gives the id of the item to come. */
  startSpeech(): string {
    const item_id = this.#itemId()
    this.#options.emit({ type: "input_audio_buffer.speech_started", item_id, audio_start_ms: this.#input.clockMs })
    const active = this.active
    if (active !== undefined && Settings.detection(this.#settings)["interrupt_response"] !== false) {
      this.#stop(active.id, { type: "cancelled", reason: "turn_detected" })
    }
    return item_id
  }

  /** What voice activity detection does when the user has said `transcript`. */
  endSpeech(item_id: string, transcript: string): void {
    // An unhurried speaker takes about 400 ms a word.
    this.#input.hear(400 * Math.max(1, transcript.split(/\s+/).length))
    this.#options.emit({ type: "input_audio_buffer.speech_stopped", item_id, audio_end_ms: this.#input.clockMs })
    this.#commit(item_id, transcript)
    if (Settings.detection(this.#settings)["create_response"] !== false) this.createResponse({}, "server")
  }

  /** Ends everything that still runs, without a word: nobody listens any more. */
  shutdown(): void {
    for (const { fiber } of this.#running.values()) fiber?.unsafeInterruptAsFork(FiberId.none)
    this.#running.clear()
  }

  #emitSession(type: "session.created" | "session.updated"): void {
    // JSON border: the settings hold checked fields of the client next to the defaults.
    this.#options.emit({ type, session: this.#settings as never })
  }

  #expire(): void {
    const minutes = Math.round(Duration.toMinutes(this.#options.maxDuration))
    const message = `Your session hit the maximum duration of ${minutes} minutes.`
    this.refuse(refusal("session_expired", message), null)
    this.#options.close(1001, message)
  }

  #update(event: Extract<ClientEvent, { type: "session.update" }>): Refusal | undefined {
    // JSON border: merging works on the fields as they travelled.
    const update = event.session as unknown as JsonObject
    const merged = Settings.merge(this.#settings, update, this.#spoken)
    if (Either.isLeft(merged)) return merged.left
    this.#settings = merged.right
    this.#emitSession("session.updated")
    return undefined
  }

  #itemId(): string {
    return this.ids.unused("item", (id) => this.conversation.has(id))
  }

  #createItem(event: Extract<ClientEvent, { type: "conversation.item.create" }>): Refusal | undefined {
    const item = fromClient(event.item, {
      id: () => this.#itemId(),
      callId: () => this.ids.unused("call", (id) => this.conversation.call(id) !== undefined)
    })
    const problem = this.conversation.refuse(item, event.previous_item_id)
    if (problem !== undefined) return problem
    this.#addItem(item, event.previous_item_id)
    return undefined
  }

  #addItem(item: ServerItem, previous: string | null | undefined, shown: ServerItem = item): void {
    const previous_item_id = this.conversation.insert(item, previous)
    this.#options.emit({ type: "conversation.item.added", previous_item_id, item: shown })
    this.#options.emit({ type: "conversation.item.done", previous_item_id, item: shown })
  }

  #withItem(id: string, verb: "retrieve" | "delete", use: (item: ServerItem) => void): Refusal | undefined {
    const item = this.conversation.get(id)
    if (item === undefined) {
      return refusal(
        `item_${verb}_invalid_item_id`,
        `Error ${verb === "delete" ? "deleting" : "retrieving"} item: the item with id '${id}' does not exist.`,
        "item_id"
      )
    }
    use(item)
    return undefined
  }

  #truncate(event: Extract<ClientEvent, { type: "conversation.item.truncate" }>): Refusal | undefined {
    const { item_id, content_index, audio_end_ms } = event
    const problem = this.conversation.truncate(item_id, content_index, audio_end_ms)
    if (problem !== undefined) return problem
    this.#options.emit({ type: "conversation.item.truncated", item_id, content_index, audio_end_ms })
    return undefined
  }

  #commit(item_id: string, transcript: string | null): undefined {
    this.#input.clear()
    this.#options.emit({ type: "input_audio_buffer.committed", item_id, previous_item_id: this.conversation.last })
    // The item is announced before its speech is transcribed.
    this.#addItem(userSpeech(item_id, transcript), undefined, userSpeech(item_id, null))
    if (transcript !== null && this.#transcribes) {
      this.#options.emit({
        type: "conversation.item.input_audio_transcription.completed",
        item_id,
        content_index: 0,
        transcript,
        usage: { type: "duration", seconds: Math.ceil(this.#input.clockMs / 1_000) }
      })
    }
  }

  get #transcribes(): boolean {
    const audio = this.#settings["audio"]
    const input = isObject(audio) ? audio["input"] : undefined
    return isObject(input) && isObject(input["transcription"])
  }

  #begin(params: ResponseParams, origin: "client" | "server"): void {
    const seen = params.input ?? this.conversation.snapshot()
    const response = new ServerResponse({
      ids: this.ids,
      emit: this.#options.emit,
      conversation: params.outOfBand ? undefined : this.conversation,
      conversationId: this.#conversationId,
      modality: params.modality,
      metadata: params.metadata,
      maxOutputTokens: params.maxOutputTokens,
      inputTokens: inputTokens(seen, params.instructions, params.tools),
      audio: params.audio
    })
    const running: Running = { response, fiber: undefined }
    this.#running.set(response.id, running)
    response.begin()
    const override = this.#override
    this.#override = undefined
    const thought =
      override === undefined
        ? this.#options.think({
            conversation: seen,
            tools: params.toolChoice._tag === "None" ? [] : params.tools,
            toolChoice: params.toolChoice,
            instructions: params.instructions,
            modality: params.modality,
            origin,
            responseId: response.id,
            metadata: params.metadata
          })
        : Effect.succeed(override)
    const { pace, voice } = this.#options
    running.fiber = this.#options.fork(
      thought.pipe(
        Effect.tap((parts) => {
          if (params.modality === "audio" && parts.some((part) => part._tag === "Say")) this.#spoken = true
        }),
        Effect.flatMap((parts) => respond(response, parts, { pace, voice, format: params.format })),
        Effect.catchAllCause((cause) => Effect.sync(() => response.finish(broken(cause)))),
        Effect.ensuring(Effect.sync(() => this.#running.delete(response.id)))
      )
    )
  }

  #cancel(id: string | undefined): Refusal | undefined {
    const target = id ?? this.active?.id
    if (target === undefined || this.#running.get(target)?.response.active !== true) {
      return refusal("response_cancel_not_active", "Cancellation failed: no active response found", null)
    }
    this.#stop(target, { type: "cancelled", reason: "client_cancelled" })
    return undefined
  }

  #stop(id: string, details: StatusDetails): void {
    const running = this.#running.get(id)
    running?.response.finish(details)
    running?.fiber?.unsafeInterruptAsFork(FiberId.none)
  }
}

/** The refusal of a second response on the default conversation. */
export const alreadyActive = (id: string): Refusal =>
  refusal(
    "conversation_already_has_active_response",
    `Conversation already has an active response in progress: ${id}. Wait until the response is finished before creating a new one.`
  )

const broken = (cause: Cause.Cause<never>): StatusDetails => ({
  type: "failed",
  error: {
    type: "server_error",
    code: "server_error",
    message: `The mind of the embedded server failed: ${Cause.pretty(cause).split("\n")[0] ?? "no reason given"}`
  }
})

const userSpeech = (id: string, transcript: string | null): ServerItem => ({
  id,
  object: "realtime.item",
  type: "message",
  role: "user",
  status: "completed",
  content: [{ type: "input_audio", transcript }]
})
