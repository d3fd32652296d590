import type { ToolError } from "./errors.js"

/**
 * Makes the text that the model reads instead of a result.
 *
 * @since 0.1.0
 * @category model-visible text
 */
export type Describe = (error: ToolError) => string

/**
 * The default text: JSON with the type of the failure, a sentence, and the details of a typed failure or of invalid
 * arguments. A defect is only ever an incident id here.
 *
 * @since 0.1.0
 * @category model-visible text
 */
export const describe: Describe = (error) => {
  switch (error._tag) {
    case "ToolFailure":
      return errorText(error.failureTag, error.message, error.details)
    case "InvalidArguments":
      return errorText(error._tag, error.message, error.issues)
    case "ToolBlocked":
      return error.stage === "output" ? error.feedback : errorText(error._tag, error.message)
    case "HandoffFailed":
      return errorText(error._tag, error.message, { target: error.target })
    case "ToolNotFound":
      return errorText(error._tag, error.message, { available: error.available })
    default:
      return errorText(error._tag, error.message)
  }
}

/**
 * The neutral text for when nothing better can be said.
 *
 * @since 0.1.0
 * @category model-visible text
 */
export const describeNeutrally: Describe = (error) => errorText("ToolFailure", `${error.tool} failed.`)

const errorText = (type: string, message: string, details?: unknown): string =>
  JSON.stringify({ error: { type, message, ...(details === undefined ? {} : { details }) } })
