/** The licences of packages whose code is in a bundle. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** The folder of the package that a module is from. Nothing for a module of this library. */
export const packageOf = (module: string): string | undefined => {
  const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(module) ?? []
  return folder
}

/** The packages that these modules are from, with the text of each licence. */
export const licencesOf = (modules: Iterable<string>): string => {
  const folders = new Set(Array.from(modules).flatMap((module) => packageOf(module) ?? []))
  const licences = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
    if (file === undefined) throw new Error(`${name} has no file with its licence: it cannot be bundled.`)
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`
  })
  return licences.join(`\n${"-".repeat(80)}\n\n`)
}
