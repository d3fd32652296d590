import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "@effect/vitest"
import * as instruments from "../../src/cluster/instruments.js"
import { root } from "../child.js"

it("The table of metrics of the cluster has every one, with its unit and its attributes", () => {
  const page = readFileSync(join(root, "docs/cluster.md"), "utf8")
  const listed = Array.from(
    page.matchAll(/^\| `([^`]+)` +\| \w+ +\| `([^`]+)` +\| ([^|]*)\|/gm),
    ([, name, unit, attributes = ""]) => ({
      name,
      unit,
      attributes: Array.from(attributes.matchAll(/`([^`]+)`/g), ([, attribute]) => attribute)
    })
  )
  const all = Object.values(instruments).map(({ attributes, name, unit }) => ({ name, unit, attributes }))
  expect(listed).toEqual(all.toSorted((one, other) => (one.name < other.name ? -1 : 1)))
})
