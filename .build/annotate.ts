/**
 * Marks the calls that run when a module of `dist` is loaded as free of side effects, as Effect's own build does: a
 * bundler then leaves out each schema and each class that nobody uses. No module of this library does anything else
 * when it is loaded (`sideEffects` in package.json).
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { transformSync } from "@babel/core"

export const annotate = (dist: string): void => {
  for (const file of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".js")) continue
    const path = join(dist, file)
    const result = transformSync(readFileSync(path, "utf8"), {
      filename: path,
      babelrc: false,
      configFile: false,
      plugins: ["annotate-pure-calls"],
      inputSourceMap: JSON.parse(readFileSync(`${path}.map`, "utf8")),
      sourceMaps: true
    })
    // The package has the sources, so that their text need not be in the maps. The comment that names the map is still there.
    writeFileSync(path, `${result?.code}\n`)
    writeFileSync(`${path}.map`, JSON.stringify({ ...result?.map, sourcesContent: undefined }))
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) annotate(join(import.meta.dirname, "../dist"))
