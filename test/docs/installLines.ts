/**
 * The lines with which the README and the installation guide tell people to install: `npx tsx test/docs/installLines.ts`
 * prints the README's line, and then those that add to it.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { root } from "../child.js"

const textOf = (page: string): string => readFileSync(join(root, page), "utf8")

/** In a block of their own, or as code in a table. */
const linesOf = (page: string): ReadonlyArray<string> =>
  Array.from(textOf(page).matchAll(/(?:^|`)(npm install [^`\n]*[^`\s])/gm), ([, line = ""]) => line)

/** The line that installs the package. */
export const installs = (page: string): string | undefined => linesOf(page).find((line) => line.includes(".tgz"))

export const adds: ReadonlyArray<string> = linesOf("docs/installation.md").filter((line) => !line.includes(".tgz"))

/** What a line installs from the registry, such as `["@effect/rpc", "0.76"]`. */
export const packagesOf = (line: string): ReadonlyArray<readonly [name: string, version: string]> =>
  Array.from(line.matchAll(/ ((?:@[\w-]+\/)?[\w-]+)@([\d.]+)/g), ([, name = "", version = ""]) => [name, version])

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  console.log([installs("README.md"), ...adds].join("\n"))
}
