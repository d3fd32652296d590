import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { root } from "../child.js"

const page = readFileSync(join(root, "docs/providers.md"), "utf8")
const rows = page.match(/^\|.*\|$/gm) ?? []
const links = rows.flatMap((row) =>
  Array.from(row.matchAll(/\]\(\.\.\/(test\/[^\s)]+) "([^"]*)"\)/g), ([, file = "", title = ""]) => ({ file, title }))
)

describe("the tables of what works with each provider and edge", () => {
  it("have a test behind what they claim", () => {
    expect(links.length).toBeGreaterThan(60)
    const missing = links.filter(({ file, title }) => {
      const source = readFileSync(join(root, file), "utf8")
      return !source.includes(`"${title}"`) && !source.includes(title)
    })
    expect(missing).toEqual([])
  })

  it("say something of each feature for each of them", () => {
    const cells = rows.map((row) => row.split(/(?<!\\)\|/).slice(1, -1))
    for (const row of cells) for (const cell of row) expect(cell.trim()).not.toBe("")
  })
})
