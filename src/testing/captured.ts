import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"

/** How many of a program's last log lines are kept, and how much of each. */
const maxLines = 30
const maxText = 300

/** The last lines of a log. */
export interface Lines {
  readonly last: ReadonlyArray<string>
  readonly dropped: number
}

/**
 * A console that shows nothing and keeps the last lines: hundreds of programs that log would hide the report about the
 * one that matters. Effect's own loggers and `Console.log` write to it; other loggers of the application do not.
 */
export interface Captured {
  readonly console: Console.Console
  readonly lines: () => Lines
}

/**
 * How Effect's loggers name a fiber. Its number counts through the process, so it differs between runs of the same
 * program.
 */
const fiberName = /(?<=\bfiber=|\()#\d+/g

const textOf = (values: ReadonlyArray<unknown>): string =>
  values
    .map((value) => (typeof value === "string" ? value : Inspectable.toStringUnknown(value, 0)))
    .join(" ")
    .replace(fiberName, "#")

/** `seconds`: how long the program has run. */
export const make = (seconds: () => number): Captured => {
  let last: Array<string> = []
  let dropped = 0
  const write = (...values: ReadonlyArray<unknown>): void => {
    const text = textOf(values)
    last.push(`${seconds().toFixed(3).padStart(11)} s  ${text.length > maxText ? `${text.slice(0, maxText)}…` : text}`)
    if (last.length <= 2 * maxLines) return
    dropped += last.length - maxLines
    last = last.slice(-maxLines)
  }
  const nothing = (): void => {}
  const unsafe: Console.UnsafeConsole = {
    assert: (condition, ...values) => (condition ? undefined : write("Assertion failed:", ...values)),
    clear: nothing,
    count: nothing,
    countReset: nothing,
    debug: write,
    dir: (value) => write(value),
    dirxml: write,
    error: write,
    group: write,
    groupCollapsed: write,
    groupEnd: nothing,
    info: write,
    log: write,
    table: (value) => write(value),
    time: nothing,
    timeEnd: nothing,
    timeLog: (_label, ...values) => write(...values),
    trace: write,
    warn: write
  }
  return {
    console: {
      [Console.TypeId]: Console.TypeId,
      assert: (condition, ...values) => Effect.sync(() => unsafe.assert(condition, ...values)),
      clear: Effect.void,
      count: () => Effect.void,
      countReset: () => Effect.void,
      debug: (...values) => Effect.sync(() => write(...values)),
      dir: (value) => Effect.sync(() => write(value)),
      dirxml: (...values) => Effect.sync(() => write(...values)),
      error: (...values) => Effect.sync(() => write(...values)),
      group: (options) => Effect.sync(() => write(options?.label ?? "")),
      groupEnd: Effect.void,
      info: (...values) => Effect.sync(() => write(...values)),
      log: (...values) => Effect.sync(() => write(...values)),
      table: (value) => Effect.sync(() => write(value)),
      time: () => Effect.void,
      timeEnd: () => Effect.void,
      timeLog: (_label, ...values) => Effect.sync(() => write(...values)),
      trace: (...values) => Effect.sync(() => write(...values)),
      warn: (...values) => Effect.sync(() => write(...values)),
      unsafe
    },
    lines: () => ({ last: last.slice(-maxLines), dropped: dropped + Math.max(0, last.length - maxLines) })
  }
}
