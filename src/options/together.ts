/** Checks options that are valid one by one, but not together. */
import type { OptionProblem } from "./OptionsInvalid.js"
import { shown } from "./shown.js"

interface Journalled {
  readonly untranscribedAudio?: { readonly maxBytes?: number; readonly journal?: boolean }
  readonly journalLag?: { readonly maxCharacters?: number }
}

/** The turns that are written to the journal at once must fit into the records that may wait for it. */
export const session =
  (defaults: {
    readonly untranscribedAudio: { readonly maxBytes: number }
    readonly journalLag: { readonly maxCharacters: number }
  }) =>
  ({ journalLag, untranscribedAudio }: Journalled): ReadonlyArray<OptionProblem> => {
    if (untranscribedAudio?.journal !== true) return []
    const maxBytes = untranscribedAudio.maxBytes ?? defaults.untranscribedAudio.maxBytes
    const maxCharacters = journalLag?.maxCharacters ?? defaults.journalLag.maxCharacters
    const most = Math.floor(maxCharacters / 4) * 3
    if (maxBytes <= most) return []
    const option = "untranscribedAudio.maxBytes"
    const message =
      `With \`untranscribedAudio.journal\`, \`${option}\` should be at most ${most.toLocaleString("en-US")}, three ` +
      `quarters of \`journalLag.maxCharacters\`, because it is written as base64; but it is ${maxBytes}.`
    return [{ option, value: String(maxBytes), message }]
  }

interface OnAzure {
  readonly resource: string
  readonly apiKey?: unknown
  readonly token?: unknown
}

/** A resource of Azure, and one way to be let in. The value of a credential is never shown. */
export const azure =
  (addressOf: (resource: string) => string | undefined) =>
  ({ apiKey, resource, token }: OnAzure): ReadonlyArray<OptionProblem> => {
    const problems: Array<OptionProblem> = []
    if (addressOf(resource) === undefined) {
      const message =
        "`resource` should be the name of an Azure resource, such as my-resource, or its endpoint, such as " +
        `https://my-resource.openai.azure.com; but it is ${shown(resource)}.`
      problems.push({ option: "resource", value: shown(resource), message })
    }
    if ((apiKey === undefined) === (token === undefined)) {
      const found = apiKey === undefined ? "neither" : "both"
      const message = `Give \`token\` (Microsoft Entra) or \`apiKey\` (a key of the resource), not ${found}.`
      problems.push({ option: "token", value: found, message })
    }
    return problems
  }
