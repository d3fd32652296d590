import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { files, INSTALL, packages } from "../../src/voice/files.js"
import { root } from "../child.js"

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

describe("The packages of the voice", () => {
  it("are optional peers in exactly the versions that the install line names", () => {
    for (const [name, version] of Object.entries(packages)) {
      expect(manifest.peerDependencies[name], name).toBe(version)
      expect(manifest.peerDependenciesMeta[name], name).toEqual({ optional: true })
      expect(manifest.devDependencies[name], name).toBe(version)
      expect(INSTALL).toContain(` ${name}@${version}`)
    }
  })

  it("are installed by the line of the guide, and have their licences in the notice", () => {
    expect(readFileSync(join(root, "docs/voice.md"), "utf8")).toContain(`\n${INSTALL}\n`)
    const notice = readFileSync(join(root, "NOTICE"), "utf8")
    for (const [name, version] of Object.entries(packages)) expect(notice).toContain(`${name} ${version}`)
    expect(manifest.files).toContain("NOTICE")
  })

  it("are the only ones that files come from", () => {
    expect(Object.keys(packages)).toEqual(expect.arrayContaining(Object.values(files).map((file) => file.package)))
  })
})
