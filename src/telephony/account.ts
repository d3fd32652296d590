/** What `TwilioPhone` must know of an account: the token that signs its requests, and the URL that they are for. */
import * as Redacted from "effect/Redacted"
import type { OptionProblem } from "../options/OptionsInvalid.js"

export interface Account {
  readonly authToken: Redacted.Redacted<string>
  readonly publicUrl: string
}

/** Whether anything can be signed with it. It cannot once it was wiped. */
export const isUsable = (authToken: Redacted.Redacted<string>): boolean => {
  try {
    return Redacted.value(authToken).trim() !== ""
  } catch {
    return false
  }
}

/** The URL is not shown: it may have a password. */
const schemeOf = (url: string): string =>
  URL.canParse(url) ? `a URL that begins with ${new URL(url).protocol}` : "no URL"

export const problemsOf = ({ authToken, publicUrl }: Account): ReadonlyArray<OptionProblem> => {
  const problems: Array<OptionProblem> = []
  if (!isUsable(authToken)) {
    const message =
      "`authToken` should be the auth token of the account, from Twilio's console, but is empty. Check where it comes from, such as a variable of the environment."
    problems.push({ option: "authToken", value: "empty", message })
  }
  if (!/^https?:\/\//.test(publicUrl) || !URL.canParse(publicUrl)) {
    const value = publicUrl === "" ? "empty" : schemeOf(publicUrl)
    const message = `\`publicUrl\` should be the URL that Twilio calls, with https:// (or http://) before it, such as https://phone.example.com, but is ${value}.`
    problems.push({ option: "publicUrl", value, message })
  }
  return problems
}
