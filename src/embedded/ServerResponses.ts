/** The responses of one connection: at most one at a time in the default conversation, and others out-of-band. */
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Stream from "effect/Stream"
import type { ResponseParams as Asked } from "../protocol/Response.js"
import type { Ids } from "./Ids.js"
import type { McpCall } from "./McpParts.js"
import type { McpRuns } from "./McpRuns.js"
import type { Part, Parts, Request } from "./Mind.js"
import type { Emit } from "./Outgoing.js"
import type { OutputAudio } from "./OutputAudio.js"
import * as RateLimit from "./RateLimit.js"
import { respond } from "./Responder.js"
import { type ResponseParams, readParams } from "./ResponseParams.js"
import type { ServerConversation } from "./ServerConversation.js"
import type { ServerItem } from "./ServerItem.js"
import { ServerResponse, type StatusDetails } from "./ServerResponse.js"
import type { SessionSettings } from "./SessionSettings.js"
import { type Refusal, refusal } from "./Shape.js"
import { obey } from "./ToolChoice.js"
import { inputTokens, tokensOfItems } from "./Usage.js"
import type { Voice } from "./Voice.js"

/** How the server speaks, for all its connections. */
export interface Manners {
  readonly think: (request: Request) => Stream.Stream<Part>
  readonly pace: Duration.Duration
  readonly voice: Voice
  readonly realtimeFactor: number | undefined
  readonly rateLimits: RateLimit.RateLimits | undefined
}

export interface ServerResponsesOptions {
  readonly ids: Ids
  readonly emit: Emit
  readonly fork: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>
  readonly manners: Manners
  readonly conversation: ServerConversation
  readonly conversationId: string
  readonly settings: () => SessionSettings
  /** Waits until the mind has all transcripts. */
  readonly understood: Effect.Effect<void>
  /** Plays the audio, where the server does so itself. */
  readonly output: OutputAudio | undefined
  /** A response begins in the default conversation. */
  readonly began: () => void
  /** The response has ended; its audio takes this long to play. */
  readonly done: (audioMs: number) => void
  /** The client is asked to approve a call of an MCP tool. */
  readonly asked: (requestId: string, call: McpCall) => void
  /** A call of an MCP tool runs after its response. */
  readonly left: McpRuns["left"]
}

interface Running {
  readonly response: ServerResponse
  fiber: Fiber.RuntimeFiber<void> | undefined
}

export class ServerResponses {
  readonly #options: ServerResponsesOptions
  readonly #running = new Map<string, Running>()
  #spoken = false
  #override: Parts | undefined
  #count = 0

  constructor(options: ServerResponsesOptions) {
    this.#options = options
  }

  /** Whether the model has spoken: from then on, the voice cannot change. */
  get spoken(): boolean {
    return this.#spoken
  }

  /** The active response in the default conversation. */
  get active(): ServerResponse | undefined {
    for (const { response } of this.#running.values()) {
      if (response.inBand && response.active) return response
    }
    return undefined
  }

  /** Sets the parts of the next response, instead of the mind. */
  override(parts: Parts): void {
    this.#override = parts
  }

  create(asked: Asked, origin: "client" | "server"): Refusal | undefined {
    const { conversation, settings } = this.#options
    const params = readParams(asked, settings(), conversation)
    if (Either.isLeft(params)) return params.left
    const active = params.right.outOfBand ? undefined : this.active
    if (active !== undefined) return alreadyActive(active.id)
    this.#begin(params.right, origin)
    return undefined
  }

  /** The refusal that a client's request would get if a response of the server's own were active. */
  get collision(): Refusal {
    return alreadyActive(this.active?.id ?? this.#options.ids.peek("resp"))
  }

  cancel(id: string | undefined): Refusal | undefined {
    const target = id ?? this.active?.id
    if (target === undefined || this.#running.get(target)?.response.active !== true) {
      return refusal("response_cancel_not_active", "Cancellation failed: no active response found", null)
    }
    this.#stop(target, { type: "cancelled", reason: "client_cancelled" })
    return undefined
  }

  /** The user speaks: the response in the default conversation ends. */
  interrupt(): void {
    const { active } = this
    if (active !== undefined) this.#stop(active.id, { type: "cancelled", reason: "turn_detected" })
    this.#options.output?.clear()
  }

  /** Ends everything that is still running, without sending events: nobody listens any more. */
  shutdown(): void {
    for (const { fiber } of this.#running.values()) fiber?.unsafeInterruptAsFork(FiberId.none)
    this.#running.clear()
  }

  #begin(params: ResponseParams, origin: "client" | "server"): void {
    const { asked, began, conversation, conversationId, done, emit, fork, ids, left, manners, output, understood } =
      this.#options
    const tokens =
      params.input === undefined ? conversation.tokens : tokensOfItems(params.input, (id) => conversation.audioMs(id))
    this.#count += 1
    // What arrives later is for the next response, as the client expects that requested this one.
    const seen = conversation.arrivals
    const response: ServerResponse = new ServerResponse({
      ids,
      emit,
      conversation: params.outOfBand ? undefined : conversation,
      seen,
      conversationId,
      modality: params.modality,
      metadata: params.metadata,
      maxOutputTokens: params.maxOutputTokens,
      inputTokens: inputTokens(tokens, params.instructions, params.tools),
      rateLimits: RateLimit.at(manners.rateLimits, this.#count),
      audio: params.audio,
      asked,
      left,
      play: output === undefined ? undefined : (itemId, ms) => output.add(response.id, itemId, ms),
      done: (ended) => {
        output?.complete(ended.id)
        if (ended.inBand) done(ended.audioMs)
      }
    })
    const running: Running = { response, fiber: undefined }
    this.#running.set(response.id, running)
    if (response.inBand) began()
    response.begin()
    const override = this.#override
    this.#override = undefined
    let read: ReadonlyArray<ServerItem> | undefined
    const thought = Stream.suspend(() =>
      override === undefined
        ? manners.think({
            get conversation() {
              read ??= params.input ?? conversation.arrived(seen)
              return read
            },
            hasSeen: (made, other) => conversation.hasSeen(made.id, other.id),
            heard: (itemId) => conversation.heardOf(itemId),
            tools: params.toolChoice._tag === "None" ? [] : params.tools,
            toolChoice: params.toolChoice,
            instructions: params.instructions,
            ownInstructions: params.ownInstructions,
            modality: params.modality,
            origin,
            responseId: response.id,
            metadata: params.metadata
          })
        : Stream.fromIterable(override)
    )
    const { pace, realtimeFactor, voice } = manners
    const parts = Stream.tap(obey(thought, params), (part) =>
      Effect.sync(() => {
        if (params.modality === "audio" && (part._tag === "Say" || part._tag === "SayDelta")) this.#spoken = true
      })
    )
    running.fiber = fork(
      Effect.zipRight(
        understood,
        respond(response, parts, { pace, voice, realtimeFactor, format: params.format })
      ).pipe(
        Effect.catchAllCause((cause) => Effect.sync(() => response.finish(broken(cause)))),
        Effect.ensuring(Effect.sync(() => this.#running.delete(response.id)))
      )
    )
  }

  #stop(id: string, details: StatusDetails): void {
    const running = this.#running.get(id)
    running?.response.finish(details)
    running?.fiber?.unsafeInterruptAsFork(FiberId.none)
  }
}

const alreadyActive = (id: string): Refusal =>
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
