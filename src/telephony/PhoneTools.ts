/**
 * Tools for agents on the phone: to hang up, to connect the caller to somebody else, and to take digits from the keypad.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Tool from "../Tool.js"
import { Current } from "./Current.js"
import { type CollectOptions, collectDefaults } from "./Digits.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface ToolOptions {
  /** What the tool does and when to call it, for the model. Default: a sentence that says it. */
  readonly description?: string
}

/**
 * `hang_up`: ends the call. The model says goodbye in its answer to the output, and the call ends when the caller has
 * heard that. If the caller interrupts the goodbye, the call goes on.
 *
 * @since 0.1.0
 * @category constructors
 */
export const hangUp = ({
  description = "Ends the phone call. Call it when the caller has nothing more to say, or wants to hang up."
}: ToolOptions = {}): Tool.Tool<"hang_up", never, Current> =>
  Tool.make("hang_up", {
    description,
    success: Schema.String,
    handler: (_, { callId }) =>
      Effect.as(
        Effect.flatMap(Current, (call) => call.hangUp(callId)),
        "The call ends when you have said goodbye. Say it now, in one short sentence, unless you have. If the caller interrupts you, the call goes on: then hang up again when the caller is done."
      )
  })

/**
 * `transfer_call`: connects the caller to one of your destinations, by its name. The model chooses among the names, and
 * never writes a number itself.
 *
 * @param destinations what `PhoneCall`'s option `transfer` gets, such as a phone number, by the names that the model reads
 *
 * @since 0.1.0
 * @category constructors
 */
export const transfer = (
  destinations: { readonly [name: string]: string },
  { description = "Connects the caller to somebody else, and ends your part of the call." }: ToolOptions = {}
): Tool.Tool<"transfer_call", never, Current> =>
  Tool.make("transfer_call", {
    description,
    parameters: { destination: Schema.Literal(...Object.keys(destinations)) },
    success: Schema.String,
    handler: ({ destination }, { callId }) =>
      Effect.as(
        Effect.flatMap(Current, (call) => call.transfer(destinations[destination] ?? "", callId)),
        "The caller is connected when you have said so. Say it now, in one short sentence, unless you have. If the caller interrupts you, the call goes on."
      )
  })

/** What the waiting for digits may take beyond its own limits, until the agent stops speaking. */
const speaking = Duration.minutes(1)

/**
 * `collect_digits`: waits for digits from the caller's keypad, such as a customer number. The model reads them. For digits
 * that it must not read, such as those of a card, write a tool of your own with `Current.collect`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const collectDigits = ({
  description = "Waits until the caller has typed digits on the keypad. Before you call it, ask the caller to type them.",
  ...options
}: ToolOptions & CollectOptions = {}): Tool.Tool<"collect_digits", never, Current> => {
  const { firstWithin, max, nextWithin } = { ...collectDefaults, ...options }
  return Tool.make("collect_digits", {
    description,
    success: Schema.Struct({
      digits: Schema.String,
      endedBy: Schema.Literal("terminator", "maximum", "time")
    }),
    timeout: Duration.sum(Duration.sum(speaking, firstWithin), Duration.times(nextWithin, max)),
    concurrency: 1,
    handler: () => Effect.flatMap(Current, (call) => call.collect(options))
  })
}
