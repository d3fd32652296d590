import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
const [, defended = ""] = readFileSync(join(root, "SECURITY.md"), "utf8").split("## What the library defends")
const rows = (defended.split("\n## ")[0] ?? "").split("\n").filter((line) => /^\| (?!defence |-)/.test(line))

describe("SECURITY.md", () => {
  it("names for each defence a test that exists", () => {
    expect(rows.length).toBeGreaterThan(10)
    for (const row of rows) {
      const references = Array.from(row.matchAll(/\]\((test\/[^)]+)\): ((?:"[^"]+"(?:, )?)+)/g))
      expect(references.length, row).toBeGreaterThan(0)
      for (const [, file = "", titles = ""] of references) {
        const source = readFileSync(join(root, file), "utf8")
        for (const [, title = ""] of titles.matchAll(/"([^"]+)"/g)) {
          expect(source, title).toContain(title)
        }
      }
    }
  })
})
