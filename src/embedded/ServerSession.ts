/**
 * The server's side of one connection, over any transport: settings, conversation, the user's turns and the responses.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as Audio from "../Audio.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { ItemParam } from "../protocol/ItemParam.js"
import type { ResponseParams } from "../protocol/Response.js"
import { type Budget, kept } from "./Budget.js"
import { Ids } from "./Ids.js"
import { McpImports, type McpServer } from "./McpImports.js"
import { McpRuns } from "./McpRuns.js"
import type { Parts } from "./Mind.js"
import type { Emit } from "./Outgoing.js"
import { OutputAudio } from "./OutputAudio.js"
import { pause } from "./Responder.js"
import { ServerConversation } from "./ServerConversation.js"
import { fromClient, type MessageItem, type ServerItem } from "./ServerItem.js"
import { type Manners, ServerResponses } from "./ServerResponses.js"
import * as Settings from "./SessionSettings.js"
import { type JsonObject, type Refusal, refusal } from "./Shape.js"
import type { Transcribe } from "./Transcription.js"
import type { TurnDetection } from "./TurnDetection.js"
import { UserTurns } from "./UserTurns.js"

export interface ServerSessionOptions {
  /** The number of the connection, or the name of the call: a part of all ids. */
  readonly of: number | string
  readonly model: string
  /** Milliseconds since 1970. */
  readonly now: number
  readonly maxDuration: Duration.Duration
  readonly manners: Manners
  readonly turnDetection: TurnDetection
  readonly transcribe: Transcribe | undefined
  readonly mcpServers: { readonly [label: string]: McpServer }
  readonly userAudio: Budget
  readonly conversation: ServerConversation | undefined
  /** The clock of a call that the server carries, whose audio does not travel on connections. In milliseconds. */
  readonly carried: (() => number) | undefined
  readonly emit: Emit
  readonly fork: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>
  /** Called when the server should respond to a turn: decides whether and when the response begins. */
  readonly respond: (begin: () => void) => void
  readonly close: (code: number, reason: string) => void
}

export class ServerSession {
  readonly conversation: ServerConversation
  readonly ids: Ids
  readonly turns: UserTurns
  readonly options: ServerSessionOptions
  readonly #responses: ServerResponses
  readonly #mcpImports: McpImports
  readonly #mcpRuns: McpRuns
  readonly #output: OutputAudio | undefined
  #settings: Settings.SessionSettings

  constructor(options: ServerSessionOptions) {
    const { emit, fork, manners } = options
    this.options = options
    this.conversation = options.conversation ?? new ServerConversation()
    this.ids = new Ids(options.of)
    const conversationId = this.ids.next("conv")
    const expiresAt = Math.floor((options.now + Duration.toMillis(options.maxDuration)) / 1_000)
    this.#settings = Settings.initial(
      options.conversation === undefined ? this.ids.next("sess") : "sess_kept",
      options.model,
      expiresAt
    )
    this.#output =
      options.carried === undefined
        ? undefined
        : new OutputAudio({ emit, fork, conversation: this.conversation, now: options.carried })
    this.turns = new UserTurns({
      emit,
      fork,
      conversation: this.conversation,
      userAudio: options.userAudio,
      settings: () => this.#settings,
      turnDetection: options.turnDetection,
      transcribe: options.transcribe,
      itemId: () => this.#itemId(),
      addItem: (item, shown) => this.#addItem(item, undefined, shown),
      interrupt: () => this.#responses.interrupt(),
      // While an active response must not be interrupted, the user's turn does not get its own response.
      respond: () => options.respond(() => void this.#responses.create({}, "server"))
    })
    this.#responses = new ServerResponses({
      ids: this.ids,
      emit,
      fork,
      manners,
      conversation: this.conversation,
      conversationId,
      settings: () => this.#settings,
      understood: this.turns.understood,
      output: this.#output,
      began: () => this.turns.responseBegan(),
      done: (audioMs) => this.turns.responseDone(audioMs),
      asked: (requestId, call) => this.#mcpRuns.asked(requestId, call),
      left: (item, call, place) => this.#mcpRuns.left(item, call, place)
    })
    this.#mcpImports = new McpImports({
      emit,
      fork,
      conversation: this.conversation,
      itemId: () => this.#itemId(),
      servers: options.mcpServers,
      step: pause(manners.pace)
    })
    this.#mcpRuns = new McpRuns({
      emit,
      fork,
      conversation: this.conversation,
      itemId: () => this.#itemId(),
      step: pause(manners.pace)
    })
  }

  get settings(): Settings.SessionSettings {
    return this.#settings
  }

  start(): void {
    // Whoever joins a call is told nothing: its session was there before.
    if (this.#output === undefined) this.#emitSession("session.created")
    this.options.fork(Effect.sleep(this.options.maxDuration).pipe(Effect.zipRight(Effect.sync(() => this.#expire()))))
  }

  /** Carries out a client event, or returns why not. */
  handle(event: ClientEvent): Refusal | undefined {
    switch (event.type) {
      case "session.update":
        return this.#update(event)
      case "conversation.item.create":
        return this.#createItem(event)
      case "conversation.item.retrieve":
        return this.#withItem(event.item_id, "retrieve", (item) => {
          this.options.emit({ type: "conversation.item.retrieved", item: this.#withAudio(item) })
        })
      case "conversation.item.delete":
        return this.#withItem(event.item_id, "delete", (item) => {
          this.conversation.delete(item.id)
          this.options.emit({ type: "conversation.item.deleted", item_id: item.id })
        })
      case "conversation.item.truncate":
        return this.#truncate(event)
      case "input_audio_buffer.append":
        return this.#output === undefined
          ? this.turns.append(event.audio)
          : refusal("invalid_value", "The audio of this call comes over WebRTC or SIP, and not as events.", "type")
      case "input_audio_buffer.clear":
        this.turns.clear()
        return undefined
      case "input_audio_buffer.commit":
        return this.turns.commit()
      case "output_audio_buffer.clear":
        if (this.#output === undefined) {
          return refusal("invalid_value", "output_audio_buffer.clear is only supported on WebRTC and SIP.", "type")
        }
        this.#output.clear()
        return undefined
      case "response.create":
        return this.#responses.create(event.response ?? {}, "client")
      case "response.cancel":
        return this.#responses.cancel(event.response_id ?? undefined)
    }
  }

  refuse(problem: Refusal, eventId: string | null): void {
    this.options.emit({ type: "error", error: { ...problem, event_id: eventId } })
  }

  /** Sets the parts of the next response, instead of the mind. */
  override(parts: Parts): void {
    this.#responses.override(parts)
  }

  createResponse(asked: ResponseParams, origin: "client" | "server"): Refusal | undefined {
    return this.#responses.create(asked, origin)
  }

  /** Takes settings from whoever makes or accepts the call, or returns why not. */
  configure(settings: JsonObject): Refusal | undefined {
    const merged = Settings.merge(this.#settings, settings, this.#responses.spoken)
    if (Either.isLeft(merged)) return merged.left
    this.#settings = merged.right
    this.turns.configured()
    return undefined
  }

  /** Reads the lists of the hosted servers that it was configured with: nobody may ever send an update. */
  readLists(): void {
    this.#mcpImports.updated(this.#settings.tools)
  }

  /**
   * Lets a response of the server's own win against the client's request. The request is refused before that response
   * is announced.
   */
  collide(eventId: string | null): void {
    this.refuse(this.#responses.collision, eventId)
    this.#responses.create({}, "server")
  }

  /** Cuts the latest audio to this fraction, like a server that plays it itself. */
  truncateLast(share: number): void {
    const last = this.conversation
      .snapshot()
      .findLast((item) => item.type === "message" && item.content[0]?.type === "output_audio")
    if (last === undefined || this.#responses.active !== undefined) return
    const audio_end_ms = Math.floor(this.conversation.audioMs(last.id) * share)
    this.#truncate({ type: "conversation.item.truncate", item_id: last.id, content_index: 0, audio_end_ms })
  }

  /** Ends everything that is still running, without sending events: nobody listens any more. */
  shutdown(): void {
    this.#responses.shutdown()
    this.turns.shutdown()
  }

  #emitSession(type: "session.created" | "session.updated"): void {
    // JSON border: the settings contain checked fields of the client and the defaults.
    this.options.emit({ type, session: this.#settings as never })
  }

  #expire(): void {
    const { maxDuration } = this.options
    const minutes = Duration.toMinutes(maxDuration)
    const length = Number.isInteger(minutes) && minutes !== 1 ? `${minutes} minutes` : Duration.format(maxDuration)
    const message = `Your session hit the maximum duration of ${length}.`
    this.refuse(refusal("session_expired", message), null)
    this.options.close(1001, message)
  }

  #update(event: Extract<ClientEvent, { type: "session.update" }>): Refusal | undefined {
    // JSON border: merging works on the fields as they were sent.
    const update = event.session as unknown as JsonObject
    const problem = this.configure(update)
    if (problem !== undefined) return problem
    this.#emitSession("session.updated")
    this.#mcpImports.updated(update["tools"])
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
    const problem = this.conversation.refuse(item, event.previous_item_id) ?? refuseAudio(event.item)
    if (problem !== undefined) return problem
    this.#addItem(item, event.previous_item_id)
    for (const [index, audio] of audioOf(event.item)) {
      this.conversation.heard(item.id, index, kept(this.options.userAudio, audio, audio.length))
    }
    if (item.type === "mcp_approval_response") this.#mcpRuns.decided(item.approval_request_id, item.approve)
    return undefined
  }

  #addItem(item: ServerItem, previous: string | null | undefined, shown: ServerItem = item): void {
    const previous_item_id = this.conversation.insert(item, previous)
    this.options.emit({ type: "conversation.item.added", previous_item_id, item: shown })
    this.options.emit({ type: "conversation.item.done", previous_item_id, item: shown })
  }

  #withAudio(item: ServerItem): RetrievedItem {
    if (item.type !== "message") return item
    const content = item.content.map((part, index) => {
      const audio = part.type === "input_audio" ? this.conversation.audio(item.id, index) : undefined
      return audio === undefined ? part : { ...part, audio }
    })
    return { ...item, content }
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
    this.options.emit({ type: "conversation.item.truncated", item_id, content_index, audio_end_ms })
    return undefined
  }
}

/** With its audio, which no other event has. */
type RetrievedItem = ServerItem | (Omit<MessageItem, "content"> & { readonly content: ReadonlyArray<object> })

/** The audio in an item from a client, by part. */
const audioOf = (item: ItemParam): ReadonlyArray<readonly [contentIndex: number, audio: string]> =>
  item.type === "message" && item.role === "user"
    ? item.content.flatMap((part, index) =>
        part.type === "input_audio" && part.audio !== undefined ? [[index, part.audio] as const] : []
      )
    : []

const refuseAudio = (item: ItemParam): Refusal | undefined => {
  const wrong = audioOf(item).find(([, audio]) => Either.isLeft(Audio.decodeBase64(audio)))
  return wrong === undefined
    ? undefined
    : refusal(
        "invalid_value",
        "Invalid 'audio'. Expected base64-encoded audio bytes in the session's input audio format.",
        `item.content[${wrong[0]}].audio`
      )
}
