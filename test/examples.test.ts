import { readdirSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { root, run } from "./child.js"

/** What each example says, among other things. */
const lines: { readonly [file: string]: string } = {
  "quickstart.ts": 'ToolFailure -> {"error":{"type":"CityNotFound"',
  "on-failure-respond.ts": "The caller heard: Sorry, order product did not work: There is no blue kettle left.",
  "on-failure-silent.ts": "The model was asked to speak 2 times",
  "on-failure-terminate.ts": "The session ended with AccountLocked"
}

describe("examples", () => {
  it("are all run here", () => {
    const files = readdirSync(join(root, "examples")).filter((file) => file.endsWith(".ts"))
    expect(files.sort()).toEqual(Object.keys(lines).sort())
  })

  it.each(Object.entries(lines))("%s", async (file, line) => {
    const { code, stderr, stdout } = await run(`examples/${file}`)
    expect(stderr).toBe("")
    expect(code).toBe(0)
    expect(stdout).toContain(line)
  })
})
