import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import { run } from "../child.js"
import type { Findings } from "./Findings.js"

const sockets = fileURLToPath(new URL("sockets.ts", import.meta.url))

/** Shared machines are slow; a process that does not end by itself is ended after this, and has no findings. */
const patienceMs = 180_000

describe("200 sessions over real sockets, whose server dies, drops them and refuses them", () => {
  it(
    "leave no call without its one output, no error unseen, no fiber and no handle behind",
    async () => {
      const { code, stderr, stdout } = await run(sockets, ["--sessions", "200", "--seed", "1"], {
        timeoutMs: patienceMs
      })
      expect(code, stderr).toBe(0)
      const { fibers, findings, resources, unhandled }: Report = JSON.parse(stdout)
      expect(findings.violations, stderr).toEqual([])
      expect(stderr).toBe("")
      expect(findings.refusals, "the server refuses nothing of what it is told").toEqual({})
      expect({ fibers, unhandled }).toEqual({ fibers: [], unhandled: 0 })
      expect(
        resources.filter((name) => name !== "PipeWrap"),
        "its own output is all that is open"
      ).toEqual([])
      expect(findings).toMatchObject({ sessions: 200 })
      // What was to be endured did happen.
      expect(findings.kills).toBeGreaterThan(4)
      expect(findings.refusedHandshakes).toBeGreaterThan(20)
      expect(findings.losses).toBeGreaterThan(200)
      expect(findings.calls).toBeGreaterThan(1000)
    },
    patienceMs
  )
})

/** The border with JSON: the output of sockets.ts. */
interface Report {
  readonly findings: Findings
  readonly fibers: ReadonlyArray<string>
  readonly resources: ReadonlyArray<string>
  readonly unhandled: number
}
