/**
 * The options of a chat mind, and what they may be.
 */
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import type { OptionProblem } from "../options/OptionsInvalid.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /**
   * The base URL of the endpoint, such as `http://127.0.0.1:11434/v1` for Ollama. `/chat/completions` is added to its
   * path; its query stays.
   */
  readonly url: string | URL
  /** The model's name at the endpoint, such as `qwen3:4b`. */
  readonly model: string
  /** Sent as `Authorization: Bearer …`. Local endpoints need none. */
  readonly apiKey?: Redacted.Redacted
  /** More headers, such as Azure's `api-key`. */
  readonly headers?: { readonly [name: string]: string | Redacted.Redacted }
  /**
   * How long the endpoint may send nothing: before its answer begins, and in the middle of it. 25 seconds by default,
   * less than the `silenceTimeout` of a session, so that the session learns why it hears nothing.
   */
  readonly timeout?: Duration.DurationInput
  /** More fields for the request's body, such as `{ temperature: 0.3 }`. They win over the mind's own. */
  readonly body?: { readonly [field: string]: unknown }
  /**
   * Added to the instructions where the answer is spoken: text models write lists and emphasis otherwise, which a voice
   * reads out. `spokenStyle` by default; an empty text adds nothing.
   */
  readonly spoken?: string
}

/**
 * What a model is told, by default, where its answer is spoken.
 *
 * @since 0.1.0
 * @category options
 */
export const spokenStyle =
  "Your answer is spoken aloud. Write it as people speak: short plain sentences, without lists, headings, emphasis, links or emoji."

export const defaultTimeout: Duration.DurationInput = "25 seconds"

const problem = (value: string, message: string): OptionProblem => ({ option: "url", value, message })

/** What is wrong with the URL. What it holds is not shown: it may be a password. */
export const urlProblems = ({ url }: Pick<Options, "url">): ReadonlyArray<OptionProblem> => {
  const text = String(url)
  if (!URL.canParse(text)) {
    return [problem("a text", "`url` should be a URL such as http://127.0.0.1:11434/v1, but is none.")]
  }
  const { password, protocol, username } = new URL(text)
  if (protocol !== "http:" && protocol !== "https:") {
    return [problem(protocol, `\`url\` should begin with http:// or https://, but begins with ${protocol}.`)]
  }
  return username === "" && password === ""
    ? []
    : [problem("a URL with a password", "`url` should have no user and no password: give them with `headers`.")]
}

/** The address of the endpoint's chat completions. */
export const completionsUrl = (base: string | URL): URL => {
  const url = new URL(base)
  url.hash = ""
  const path = url.pathname.replace(/\/+$/, "")
  url.pathname = path.endsWith("/chat/completions") ? path : `${path}/chat/completions`
  return url
}
