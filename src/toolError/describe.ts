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
 * arguments. Of a defect, it only has the incident id.
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
 * The text if an application's `describe` fails: the library's own description of what happened. It leaves out the
 * failures of handlers and callbacks, because `describe` may have hidden them from the model.
 *
 * @since 0.1.0
 * @category model-visible text
 */
export const describeNeutrally: Describe = (error) => {
  switch (error._tag) {
    case "ToolFailure":
      return errorText(error._tag, `${error.tool} failed.`)
    case "HandoffFailed":
      return error.failure === undefined
        ? describe(error)
        : errorText(error._tag, `The conversation was not handed to ${error.target}.`, { target: error.target })
    default:
      return describe(error)
  }
}

const errorText = (type: string, message: string, details?: unknown): string =>
  JSON.stringify({ error: { type, message, ...(details === undefined ? {} : { details }) } })
