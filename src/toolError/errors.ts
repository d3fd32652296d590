import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { TaggedError } from "../common/TaggedError.js"
import { keepFrom, Local, LocalText } from "./inProcess.js"
import { messageOf } from "./messageOf.js"

/**
 * The call that failed.
 *
 * @since 0.1.0
 * @category models
 */
export const CallFields = {
  /** The protocol's `call_id`, which an output names. */
  callId: Schema.String,
  tool: Schema.String,
  agent: Schema.String
}

interface Call {
  readonly callId: string
  readonly tool: string
  readonly agent: string
}

const seconds = (ms: number): string => (ms === 1000 ? "1 second" : `${ms / 1000} seconds`)

/**
 * The model called a tool that its agent does not have.
 *
 * @since 0.1.0
 * @category errors
 */
export class ToolNotFound extends TaggedError<ToolNotFound>()("ToolNotFound", {
  ...CallFields,
  /** The names of the agent's functions. */
  available: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const names = this.available.length === 0 ? "There are no tools." : `Available: ${this.available.join(", ")}.`
    return `There is no tool named ${JSON.stringify(this.tool)}. ${names}`
  }
}

/**
 * The arguments are not JSON, or not valid for the tool's parameters. The handler did not run.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidArguments extends TaggedError<InvalidArguments>()("InvalidArguments", {
  ...CallFields,
  /** One entry for each problem. `path` is empty if it concerns the arguments as a whole. */
  issues: Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String }))
}) {
  override get message(): string {
    const list = this.issues.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
    return `The arguments of ${this.tool} are not valid. ${list.join("; ")}`
  }
}

/**
 * The handler did not finish within the tool's `timeout`. A later result is dropped.
 *
 * @since 0.1.0
 * @category errors
 */
export class ToolTimedOut extends TaggedError<ToolTimedOut>()("ToolTimedOut", {
  ...CallFields,
  /** The time limit of the handler, in milliseconds. */
  afterMs: Schema.Number
}) {
  override get message(): string {
    return `${this.tool} did not finish within ${seconds(this.afterMs)}.`
  }
}

/**
 * The handler failed with a typed error, which is `failure`. In an event, this is `event.error.failure`, if
 * `event.error._tag` is `ToolFailure`.
 *
 * @since 0.1.0
 * @category errors
 */
export class ToolFailure<out E = unknown> extends TaggedError<ToolFailure>()("ToolFailure", {
  ...CallFields,
  /** The failure itself. It stays in this process; its encoded form is `details`. */
  failure: Local,
  /** The failure, encoded by the tool's `failure` schema. Absent if the tool does not declare one. */
  details: Schema.optional(Schema.Unknown)
}) {
  declare readonly failure: E

  constructor(fields: Call & { readonly failure: unknown; readonly details?: unknown }, options?: Schema.MakeOptions) {
    super(fields, options)
    keepFrom(this, "failure")
  }

  /** The failure's own tag, such as `CityNotFound`; otherwise `ToolFailure`. */
  get failureTag(): string {
    return Predicate.hasProperty(this.failure, "_tag") && typeof this.failure._tag === "string"
      ? this.failure._tag
      : "ToolFailure"
  }

  override get message(): string {
    return messageOf(this.failure) ?? `${this.tool} failed.`
  }

  /** Makes a failure of type `E`, which the class itself cannot infer. */
  static of<E>(fields: {
    readonly callId: string
    readonly tool: string
    readonly agent: string
    readonly failure: E
    readonly details?: unknown
  }): ToolFailure<E> {
    return new ToolFailure<E>(fields)
  }
}

/**
 * The handler died with a defect, such as an exception that it did not declare. The model and the logs only get the
 * incident id; `defect`, the whole `Cause`, is for the application.
 *
 * @since 0.1.0
 * @category errors
 */
export class ToolDefect extends TaggedError<ToolDefect>()("ToolDefect", {
  ...CallFields,
  /** The same id is in the output that the model got. */
  incidentId: Schema.String,
  /** The whole `Cause`. It stays in this process, and is not printed with the error. */
  defect: Local
}) {
  constructor(fields: Call & { readonly incidentId: string; readonly defect: unknown }, options?: Schema.MakeOptions) {
    super(fields, options)
    keepFrom(this, "defect")
  }

  override get message(): string {
    return `${this.tool} failed for an internal reason (incident ${this.incidentId}).`
  }
}

/**
 * The handler was interrupted: by itself, by the application, or by the end of the session. `by: "restart"`: the
 * process ended while the handler ran, and its effect is unknown. `by: "journal"`: it did not run, because its start
 * could not be written down first. `by: "model"`: the model took its call back, as Gemini does when the user speaks.
 *
 * @since 0.1.0
 * @category errors
 */
export class ToolInterrupted extends TaggedError<ToolInterrupted>()("ToolInterrupted", {
  ...CallFields,
  by: Schema.optional(Schema.Literal("restart", "journal", "model"))
}) {
  override get message(): string {
    switch (this.by) {
      case "restart":
        return `${this.tool} was interrupted by a restart; its effect is unknown.`
      case "journal":
        return `${this.tool} was not run: its start could not be written down.`
      case "model":
        return `${this.tool} was stopped, because the model took its call back.`
      default:
        return `${this.tool} was stopped before it finished.`
    }
  }
}

/**
 * The handler's result cannot be encoded with the tool's `success` schema.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidOutput extends TaggedError<InvalidOutput>()("InvalidOutput", {
  ...CallFields,
  /** What is wrong with the result, which it may quote. It stays in this process, and is not printed with the error. */
  issue: LocalText
}) {
  constructor(fields: Call & { readonly issue: string }, options?: Schema.MakeOptions) {
    super(fields, options)
    keepFrom(this, "issue")
  }

  override get message(): string {
    return `${this.tool} finished, but its result could not be read.`
  }
}

/**
 * The application rejected the call or did not decide in time, or too many calls were already waiting for a decision.
 *
 * @since 0.1.0
 * @category errors
 */
export class ToolRejected extends TaggedError<ToolRejected>()("ToolRejected", {
  ...CallFields,
  reason: Schema.String,
  /**
   * `decision`: somebody rejected it. `deadline`: nobody decided. `limit`: nobody was asked, because too many calls
   * were waiting. `withdrawn`: a guardrail withdrew the answer that made the call.
   */
  by: Schema.Literal("decision", "deadline", "limit", "withdrawn")
}) {
  override get message(): string {
    return `${this.tool} was not approved: ${this.reason}`
  }
}

/**
 * A guardrail stopped the call: its arguments, so that the handler did not run, or its output.
 *
 * @since 0.1.0
 * @category errors
 */
export class ToolBlocked extends TaggedError<ToolBlocked>()("ToolBlocked", {
  ...CallFields,
  guardrail: Schema.String,
  stage: Schema.Literal("input", "output"),
  /** What the model reads. After a trip on an output, exactly this text. */
  feedback: Schema.String
}) {
  override get message(): string {
    return `${this.tool} was not allowed: ${this.feedback}`
  }
}

/**
 * The call exceeds a limit: the tool's `concurrency`, the session's `maxOpenCalls`, or its `maxCallsPerTurn`. The
 * handler did not run.
 *
 * @since 0.1.0
 * @category errors
 */
export class ToolOverloaded extends TaggedError<ToolOverloaded>()("ToolOverloaded", {
  ...CallFields,
  limit: Schema.Number,
  per: Schema.Literal("concurrency", "session", "turn")
}) {
  override get message(): string {
    if (this.per === "turn")
      return `More than ${this.limit} calls since the user last said something. Answer with what is known.`
    if (this.per === "session")
      return `${this.limit} calls are already open. Wait for their results, then call ${this.tool} again.`
    return this.limit === 1
      ? `${this.tool} is already running. Wait for it to finish.`
      : `${this.tool} is already running ${this.limit} times. Wait for one of them to finish.`
  }
}

/**
 * The model used the id of an earlier call again. An id is answered once, so this call has no output of its own.
 *
 * @since 0.1.0
 * @category errors
 */
export class DuplicateCall extends TaggedError<DuplicateCall>()("DuplicateCall", {
  ...CallFields,
  arguments: Schema.String
}) {
  override get message(): string {
    return `The call id ${this.callId} was used before, for another call. This call of ${this.tool} was not run.`
  }
}

/**
 * The conversation could not be handed to another agent. The previous agent still has it, on both sides.
 *
 * @since 0.1.0
 * @category errors
 */
export class HandoffFailed<out E = unknown> extends TaggedError<HandoffFailed>()("HandoffFailed", {
  ...CallFields,
  /** The agent that should have taken over. */
  target: Schema.String,
  /**
   * What failed: the model's input, the application's callback, or the server's answer; or another handoff came
   * first.
   */
  step: Schema.Literal("input", "callback", "settings", "superseded"),
  /** A sentence for the model. */
  reason: Schema.String,
  /** The typed failure of the callback. It stays in this process. */
  failure: Local,
  /** Any other failure: a defect, or why the server did not accept the settings. It stays in this process. */
  defect: Local
}) {
  declare readonly failure: E | undefined

  constructor(
    fields: Call & Pick<HandoffFailed, "target" | "step" | "reason" | "failure" | "defect">,
    options?: Schema.MakeOptions
  ) {
    super(fields, options)
    keepFrom(this, "failure", "defect")
  }

  override get message(): string {
    return `The conversation was not handed to ${this.target}: ${this.reason}`
  }
}

/**
 * Everything that can go wrong with a call, if the tools fail with `E`.
 *
 * @since 0.1.0
 * @category models
 */
export type ToolError<E = unknown> =
  | ToolNotFound
  | InvalidArguments
  | ToolTimedOut
  | ToolFailure<E>
  | ToolDefect
  | ToolInterrupted
  | InvalidOutput
  | ToolRejected
  | ToolBlocked
  | ToolOverloaded
  | DuplicateCall
  | HandoffFailed<E>

/**
 * The schema of `ToolError`. The encoded form leaves out what stays in the process (`failure`, `defect`).
 *
 * @since 0.1.0
 * @category schemas
 */
export const ToolError = Schema.Union(
  ToolNotFound,
  InvalidArguments,
  ToolTimedOut,
  ToolFailure,
  ToolDefect,
  ToolInterrupted,
  InvalidOutput,
  ToolRejected,
  ToolBlocked,
  ToolOverloaded,
  DuplicateCall,
  HandoffFailed
)
