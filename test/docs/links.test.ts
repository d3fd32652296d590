import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, describe, expect, it } from "@effect/vitest"
import { brokenLinks } from "../../docs/reference/links.js"

const folder = mkdtempSync(join(tmpdir(), "effect-realtime-links-"))

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const page = (path: string, html: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), html)
}

describe("the links of the reference", () => {
  it("are broken if the page, or the heading on it, does not exist", () => {
    page("modules/Tool.html", '<h1 id="make">make</h1> <a href="#make">here</a> <a href="#layer">not here</a>')
    page(
      "guides/Tools.html",
      [
        '<a class="x" href="../modules/Tool.html">page</a> <a href="../modules/Tool.html#make">heading</a>',
        '<a href="https://effect.website">elsewhere</a>',
        '<a href="../modules/Tools.html">no page</a> <a href="../modules/Tool.html#Make">no heading</a>',
        '<a href="../modules">a folder</a>'
      ].join("\n")
    )
    expect(brokenLinks(folder).toSorted()).toEqual([
      "guides/Tools.html links to ../modules, which is not there.",
      "guides/Tools.html links to ../modules/Tool.html#Make, which is not there.",
      "guides/Tools.html links to ../modules/Tools.html, which is not there.",
      "modules/Tool.html links to #layer, which is not there."
    ])
  })
})
