/** Checks options that are valid one by one, but not together. */
import type { OptionProblem } from "./OptionsInvalid.js"

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
