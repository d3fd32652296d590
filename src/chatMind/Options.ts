/**
 * The options of a chat mind, and their validation.
 */
import type * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import type { OptionProblem } from "../options/OptionsInvalid.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /**
   * The base URL of the endpoint, such as `http://127.0.0.1:11434/v1` for Ollama. `/chat/completions` is appended to
   * its path; its query is kept.
   */
  readonly url: string | URL
  /** The model's name at the endpoint, such as `qwen3:4b`. */
  readonly model: string
  /** Sent as `Authorization: Bearer …`. Local endpoints do not need a key. */
  readonly apiKey?: Redacted.Redacted
  /** Additional headers, such as Azure's `api-key`. */
  readonly headers?: { readonly [name: string]: string | Redacted.Redacted }
  /**
   * How long the endpoint may send nothing: before its answer begins, and in the middle of it. 25 seconds by default,
   * less than the `silenceTimeout` of a session, so that the session learns why it hears nothing.
   */
  readonly timeout?: Duration.DurationInput
  /** Additional fields for the request's body, such as `{ temperature: 0.3 }`. They override the mind's own fields. */
  readonly body?: { readonly [field: string]: unknown }
  /**
   * Added to the instructions where the answer is spoken: text models write lists and emphasis otherwise, which a voice
   * reads out. `spokenStyle` by default; an empty text adds nothing.
   */
  readonly spoken?: string
}

/**
 * The default style for spoken answers.
 *
 * @since 0.1.0
 * @category options
 */
export const spokenStyle =
  "Your answer is spoken aloud. Write it as people speak: short plain sentences, without lists, headings, emphasis, links or emoji."

export const defaultTimeout: Duration.DurationInput = "25 seconds"

const problem = (option: string, value: string, message: string): OptionProblem => ({ option, value, message })

/** Problems that the other rules do not find. The values of options are not shown, because they may be secrets. */
export const problemsOf = (options: Options): ReadonlyArray<OptionProblem> => [
  ...urlProblems(options.url),
  ...headerProblems(options)
]

const urlProblems = (given: string | URL): ReadonlyArray<OptionProblem> => {
  const text = String(given)
  if (!URL.canParse(text)) {
    return [problem("url", "text", "`url` should be a URL such as http://127.0.0.1:11434/v1, but is not a URL.")]
  }
  const { password, protocol, username } = new URL(text)
  if (protocol !== "http:" && protocol !== "https:") {
    return [problem("url", protocol, `\`url\` should begin with http:// or https://, but begins with ${protocol}.`)]
  }
  return username === "" && password === ""
    ? []
    : [problem("url", "a URL with a password", "`url` should have no user and no password: give them with `headers`.")]
}

/** RFC 9110, sections 5.1 and 5.5. */
const HEADER_NAME = /^[!#$%&'*+.^`|~\w-]+$/
const HEADER_VALUE = /^[\t\x20-\x7E\x80-\xFF]*$/

const headerProblems = ({ apiKey, headers = {} }: Options): ReadonlyArray<OptionProblem> => {
  const keyIsRight = apiKey === undefined || /^\s*[\x21-\x7E]+\s*$/.test(Redacted.value(apiKey))
  const wrong = Object.entries(headers).filter(
    ([name, value]) =>
      !HEADER_NAME.test(name) || !HEADER_VALUE.test(Redacted.isRedacted(value) ? Redacted.value(value) : value)
  )
  return [
    ...(keyIsRight
      ? []
      : [
          problem(
            "apiKey",
            "a secret",
            "`apiKey` should be a single word of ASCII characters: check how it was copied."
          )
        ]),
    ...wrong.map(([name]) =>
      problem(`headers.${name}`, "text", `\`headers\` has a header that HTTP cannot send: ${JSON.stringify(name)}.`)
    )
  ]
}

/** The URL of the endpoint's chat completions. */
export const completionsUrl = (base: string | URL): URL => {
  const url = new URL(base)
  url.hash = ""
  const path = url.pathname.replace(/\/+$/, "")
  url.pathname = path.endsWith("/chat/completions") ? path : `${path}/chat/completions`
  return url
}
