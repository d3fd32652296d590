import { execFile } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { gzipSync } from "node:zlib"
import * as esbuild from "esbuild"
import * as vite from "vite"
import { annotate } from "../../.build/annotate.js"
import { root } from "../child.js"

/**
 * A project of somebody who installed the package, outside this repository, so that nothing is found there which is not
 * linked: no optional peer, and none of the paths in our tsconfig.json.
 */
export interface Project {
  readonly folder: string
  /** The package's public entries, as they are imported. */
  readonly entries: ReadonlyArray<string>
}

export const make = async (packages: ReadonlyArray<string>): Promise<Project> => {
  const folder = mkdtempSync(join(tmpdir(), "effect-realtime-bundle-"))
  const installed = join(folder, "node_modules/effect-realtime")
  mkdirSync(installed, { recursive: true })
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "page", private: true, type: "module" }))
  cpSync(join(root, "package.json"), join(installed, "package.json"))
  await promisify(execFile)(process.execPath, [
    join(root, "node_modules/typescript/bin/tsc"),
    ...["-p", join(root, "src"), "--outDir", join(installed, "dist")]
  ])
  annotate(join(installed, "dist"))
  for (const name of packages) {
    mkdirSync(dirname(join(folder, "node_modules", name)), { recursive: true })
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name))
  }
  for (const file of readdirSync(join(root, "test/bundle/fixtures"))) {
    cpSync(join(root, "test/bundle/fixtures", file), join(folder, file))
  }
  const { exports } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"))
  const paths = Object.keys(exports).filter((path) => !path.endsWith(".json"))
  return { folder, entries: paths.map((path) => path.replace(/^\./, "effect-realtime")) }
}

export const write = (project: Project, file: string, text: string): string => {
  writeFileSync(join(project.folder, file), text)
  return file
}

export const read = (paths: ReadonlyArray<string>): string => paths.map((path) => readFileSync(path, "utf8")).join("\n")

/** The same module, with each name imported by its own path: `import * as Schema from "effect/Schema"`. */
export const withPaths = (project: Project, file: string): string => {
  const text = readFileSync(join(project.folder, file), "utf8").replace(
    /^import \{([^}]*)\} from "([^"./]*(?:\/[^"./]*)?)"/gm,
    (_, names: string, from: string) =>
      names
        .split(",")
        .map((name) => `import * as ${name.trim()} from "${from}/${name.trim()}"`)
        .join("\n")
  )
  return write(project, `paths.${file}`, text)
}

/** Bundles files of a project for a browser, separately or with common parts; returns the path of each bundle. */
export type Bundler = (project: Project, ...files: ReadonlyArray<string>) => Promise<ReadonlyArray<string>>

const nameOf = (file: string): string => file.replace(/\.ts$/, "")

/** Each into one file. */
export const withEsbuild: Bundler = async ({ folder }, ...files) => {
  const outdir = join(folder, "esbuild")
  await esbuild.build({
    absWorkingDir: folder,
    entryPoints: [...files],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    outdir,
    logLevel: "error"
  })
  return files.map((file) => join(outdir, `${nameOf(file)}.js`))
}

/** One into one file, several with common chunks. */
export const withVite: Bundler = async ({ folder }, ...files) => {
  const outDir = join(folder, "vite", files.length === 1 ? nameOf(String(files[0])) : "several")
  await vite.build({
    root: folder,
    configFile: false,
    logLevel: "error",
    build: {
      outDir,
      minify: true,
      modulePreload: false,
      reportCompressedSize: false,
      rolldownOptions: {
        input: files.map((file) => join(folder, file)),
        preserveEntrySignatures: "strict",
        output: { format: "es", entryFileNames: "[name].js", codeSplitting: files.length > 1 }
      }
    }
  })
  return files.map((file) => join(outDir, `${nameOf(file)}.js`))
}

/** How many names each module exports, loaded by a Node of its own. */
export const load = async (project: Project, files: ReadonlyArray<string>): Promise<ReadonlyArray<number>> => {
  const script = write(
    project,
    "load.mjs",
    `const counts = []
for (const file of ${JSON.stringify(files)}) counts.push(Object.keys(await import(file)).length)
console.log(JSON.stringify(counts))`
  )
  const { stdout } = await promisify(execFile)(process.execPath, [join(project.folder, script)])
  return JSON.parse(stdout)
}

/** The page of `page.ts`, which also loads every entry; the folder to serve. */
export type PageBuilder = (project: Project) => Promise<string>

const html = (script: string) =>
  `<!doctype html><meta charset="utf-8"><title>Page</title><script type="module" src="${script}"></script>`

const writePage = ({ entries, folder }: Project): void => {
  const file = join(folder, "page.ts")
  const loads = entries.map((entry) => `${JSON.stringify(entry)}: () => import(${JSON.stringify(entry)})`)
  writeFileSync(file, readFileSync(file, "utf8").replace("// ENTRIES", loads.join(",\n  ")))
}

export const pageWithEsbuild: PageBuilder = async (project) => {
  writePage(project)
  await withEsbuild(project, "page.ts")
  const folder = join(project.folder, "esbuild")
  writeFileSync(join(folder, "index.html"), html("./page.js"))
  return folder
}

/** As an application is built: an HTML file, and chunks that are loaded when they are asked for. */
export const pageWithVite: PageBuilder = async (project) => {
  writePage(project)
  const outDir = join(project.folder, "vite", "page")
  writeFileSync(join(project.folder, "index.html"), html("./page.ts"))
  await vite.build({
    root: project.folder,
    configFile: false,
    logLevel: "error",
    build: { outDir, reportCompressedSize: false }
  })
  return outDir
}

export interface Size {
  readonly bytes: number
  readonly gzipped: number
}

export const sizeOf = (paths: ReadonlyArray<string>): Size => {
  const text = Buffer.concat(paths.map((path) => readFileSync(path)))
  return { bytes: text.length, gzipped: gzipSync(text, { level: 9 }).length }
}
