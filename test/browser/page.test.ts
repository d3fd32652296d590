import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { root } from "../child.js"

const built = join(root, "dist/console")
const read = (path: string): string => readFileSync(path, "utf8")

describe("The built page", () => {
  it("has nothing from other hosts, and nothing inline, which its policy would forbid", () => {
    const page = read(join(built, "index.html"))
    const addresses = Array.from(page.matchAll(/(?:src|href)="([^"]*)"/g), ([, address]) => address)
    expect(addresses.length).toBeGreaterThanOrEqual(3)
    for (const address of addresses) expect(address).toMatch(/^\.\//)
    expect(page).not.toMatch(/<style|<script(?![^>]* src=)| on\w+="|style="/)
  })

  it("is small enough to read at once", () => {
    const names = readdirSync(built, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"))
    expect(names.length).toBeGreaterThan(0)
    const bytes = names.reduce((sum, name) => sum + readFileSync(join(built, name)).length, 0)
    expect(bytes).toBeLessThan(600_000)
  })

  it("holds code of no package that NOTICE does not name", () => {
    const packages = read(join(built, "LICENSES.txt")).match(/^\S+ \d+\.\d+\.\d+(?= \()/gm) ?? []
    expect(packages).toContainEqual(expect.stringMatching(/^preact /))
    const notice = read(join(root, "NOTICE"))
    expect(packages.filter((name) => !notice.includes(`  ${name} `))).toEqual([])
  })
})
