import { describe, expect, it } from "vitest"
import { draw, inOrder, type Lane, see } from "../../examples/cluster/lanes.js"
import { svg } from "../../examples/cluster/svg.js"
import * as Terminal from "../../examples/concierge/terminal.js"

const terminal = Terminal.make({ isTty: false, columns: 71, variables: {} })

/** What is seen at a moment: the nodes of the calls b and a. */
const seen = (before: ReadonlyArray<Lane>, at: number, b: number, a: number | undefined): ReadonlyArray<Lane> =>
  see(
    before,
    [
      { call: "b", node: b },
      { call: "a", node: a }
    ],
    at
  )

/** a: moves from the first node to the second, with a second in between; b: stays with the second. */
const lanes = seen(seen(seen([], 0, 1, 0), 2000, 1, undefined), 3000, 1, 1)

const picture = { nodes: ["one", "two"], lanes, incidents: [{ node: 0, at: 2000, what: "killed" }], now: 6000 } as const

describe("The lanes of calls", () => {
  it("have the stretches in which each node had a call, and the time in which none had it", () => {
    expect(inOrder(lanes).map(({ call, stretches }) => [call, stretches])).toEqual([
      [
        "a",
        [
          { node: 0, from: 0, to: 2000 },
          { node: 1, from: 3000, to: undefined }
        ]
      ],
      ["b", [{ node: 1, from: 0, to: undefined }]]
    ])
  })

  it("end when a call is not in the directory any more", () => {
    expect(see(lanes, [{ call: "a", node: 1 }], 5000).find(({ call }) => call === "b")?.stretches).toEqual([
      { node: 1, from: 0, to: 5000 }
    ])
  })

  it("are drawn in the terminal, a line for each call", () => {
    expect(draw(picture, terminal)).toEqual([
      "          ██ one   ▓▓ two   · nobody",
      `          ${" ".repeat(20)}▼ one is killed (SIGKILL)`,
      `a         ${"█".repeat(20)}${"·".repeat(10)}${"▓".repeat(30)}`,
      `b         ${"▓".repeat(60)}`,
      `          0 s${" ".repeat(54)}6 s`
    ])
  })

  it("are drawn as an SVG with the figures, and names as text", () => {
    const text = svg({ ...picture, nodes: ["<one>", "two"] }, ["0 calls lost"])
    expect(text).toContain("&lt;one&gt; is killed")
    expect(text).toContain("0 calls lost")
    expect(text.match(/class="n[01]" x="[\d.]+" y="9[3]"/g)).toHaveLength(2)
  })
})
