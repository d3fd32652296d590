/** What the terminal can show: colours if it has them, and lines that fit. */

export type Paint = (text: string) => string

export interface Terminal {
  /** Columns. */
  readonly width: number
  readonly dim: Paint
  readonly bold: Paint
  readonly red: Paint
  readonly green: Paint
  readonly yellow: Paint
  readonly cyan: Paint
}

export interface Environment {
  readonly isTty: boolean
  readonly columns: number | undefined
  readonly variables: { readonly [name: string]: string | undefined }
}

const defaultWidth = 100

/** FORCE_COLOR wins over NO_COLOR, as in Node itself; without either, only a terminal gets colours. */
const hasColours = ({ isTty, variables }: Environment): boolean => {
  const forced = variables["FORCE_COLOR"]
  if (forced !== undefined && forced !== "") return forced !== "0" && forced !== "false"
  return (variables["NO_COLOR"] ?? "") === "" && variables["TERM"] !== "dumb" && isTty
}

export const make = (environment: Environment): Terminal => {
  const coloured = hasColours(environment)
  const paint =
    (open: number, close: number): Paint =>
    (text) =>
      coloured ? `\u001b[${open}m${text}\u001b[${close}m` : text
  return {
    width: Math.min(120, Math.max(60, environment.columns ?? defaultWidth)),
    dim: paint(2, 22),
    bold: paint(1, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39)
  }
}

/** Escapes text from outside: a tool's name may contain an escape sequence that clears the screen. */
export const visible = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) =>
    character === "\n" ? character : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`
  )

/** Breaks a text into lines of at most `width` characters: after a space or a comma, if there is one. */
export const wrap = (text: string, width: number): ReadonlyArray<string> =>
  text.split("\n").flatMap((paragraph) => {
    const lines: Array<string> = []
    let line = ""
    for (const piece of paragraph.split(/(?<=[ ,])/)) {
      if (line !== "" && (line + piece).trimEnd().length > width) {
        lines.push(line.trimEnd())
        line = ""
      }
      line += piece
      while (line.trimEnd().length > width) {
        lines.push(line.slice(0, width))
        line = line.slice(width)
      }
    }
    return [...lines, line.trimEnd()]
  })
