/** The options that every command has. `@effect/cli` only reads them directly after the command's name. */

const flags: ReadonlySet<string> = new Set(["--help", "-h", "--version", "--wizard"])
const valued: ReadonlySet<string> = new Set(["--completions", "--log-level"])

/**
 * Moves these options directly after the command's name, wherever they were written.
 *
 * @param args the arguments without the runtime and the script
 */
export const builtInsFirst = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const firstOption = args.findIndex((arg) => arg.startsWith("-"))
  const names = firstOption < 0 ? args : args.slice(0, firstOption)
  const options = args.slice(names.length)
  const builtIns: Array<string> = []
  const own: Array<string> = []
  let at = 0
  while (at < options.length) {
    const taken = lengthAt(options, at)
    if (taken > 0) builtIns.push(...options.slice(at, at + taken))
    else own.push(...options.slice(at, at + 1))
    at += Math.max(taken, 1)
  }
  return [...names, ...builtIns, ...own]
}

/**
 * The number of arguments that the built-in option at this place takes, including itself: 0 if there is none, or if its
 * value is missing.
 */
const lengthAt = (options: ReadonlyArray<string>, at: number): 0 | 1 | 2 => {
  const [option = "", next] = options.slice(at, at + 2)
  if (flags.has(option) || (option.includes("=") && valued.has(option.split("=", 1)[0] ?? ""))) return 1
  return valued.has(option) && next?.startsWith("-") === false ? 2 : 0
}
