/**
 * A text that somebody else wrote, as one line that a terminal or a log shows and does not obey: control and format
 * characters, line ends and lone surrogates as their escapes.
 */
export const visible = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`
  )
