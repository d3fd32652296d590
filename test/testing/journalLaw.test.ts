import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Agent from "../../src/Agent.js"
import * as Tool from "../../src/Tool.js"
import { judge } from "../../src/testing/Law.js"
import { run } from "../../src/testing/run.js"
import * as VirtualTime from "../../src/testing/VirtualTime.js"
import { Testing } from "../../src/testing.js"

const agent = Agent.make("Desk", {
  instructions: "",
  tools: [Tool.make("pay", { description: "", handler: () => Effect.succeed("paid") })]
})
const writes = { action: { _tag: "UserWrites", text: "Pay." }, thenRuns: "all" } as const
const away = (how: Testing.Outage, forMs: number) =>
  ({ action: { _tag: "JournalIsAway", how, forMs }, thenRuns: "all" }) as const

/** What happens where the model pays when it is first asked to. */
const played = (
  journal: Testing.Program["journal"],
  steps: Testing.Program["steps"] = [writes]
): Promise<Testing.Observation> => {
  const program: Testing.Program = {
    beginning: { _tag: "Afresh" },
    listens: "at once",
    toolChoice: "auto",
    modality: "text",
    rolloverAfterMs: 3_300_000,
    journal,
    transcribes: "never",
    imports: { outcome: "completed", item: "behind", ms: 0 },
    replies: [[{ _tag: "Calls", name: "pay", args: "{}", repeatsId: false }]],
    steps
  }
  const time = VirtualTime.make()
  // What was written stays in sight.
  const options = { journalCompactAfter: Number.POSITIVE_INFINITY }
  return new Promise((resolve) =>
    Effect.runFork(Effect.map(run(agent, program, time, options), resolve), { scheduler: time.scheduler })
  )
}

const broken = (observation: Testing.Observation) =>
  Testing.Laws.all().flatMap((law) =>
    Effect.runSync(judge(law, observation)).map(({ message }) => `${law.name}: ${message}`)
  )

const tagsOf = (observation: Testing.Observation) => Testing.events(observation).map(({ _tag }) => _tag)

type Records = Extract<Testing.Moment, { readonly _tag: "Written" }>["records"]

const written = await played("preferred")

/** As if the journal had other records than those. */
const without = (isLeftOut: (record: Records[number]) => boolean) =>
  broken({
    ...written,
    timeline: written.timeline.map((moment) =>
      moment._tag === "Written" ? { ...moment, records: moment.records.filter((record) => !isLeftOut(record)) } : moment
    )
  }).join()

const isStage = (stage: string) => (record: Records[number]) =>
  record._tag === "CallTransition" && record.to._tag === stage

const isEnd = (moment: Testing.Moment) =>
  moment._tag === "Written" && moment.records.some(({ _tag }) => _tag === "SessionEnded")

describe("The law of the journal", () => {
  it("finds nothing where all is written, or nothing is to be", async () => {
    expect(broken(written)).toEqual([])
    const none = await played("none")
    expect([broken(none), none.timeline.some(({ _tag }) => _tag === "Written")]).toEqual([[], false])
  })

  it("sees a handler that ran, an output that was told, and an item, of which the journal knows nothing", () => {
    expect(without(isStage("Started"))).toContain("Journal: call_1 (pay) ran, but the journal does not say so.")
    expect(without(isStage("Settled"))).toContain(
      "Journal: The model was sent an output of call_1 that the journal does not have"
    )
    expect(without((record) => record._tag === "ItemFinal" && record.item._tag === "FunctionCall")).toMatch(
      /Journal: The journal does not have \w+/
    )
    expect(without(({ _tag }) => _tag === "SessionEnded")).toContain("Journal: The session ended with nothing, but")
  })

  it("sees another order, other words, and a shorter journal that means something else", () => {
    const changed = (change: (records: Records) => Records, place?: "instead") =>
      broken({
        ...written,
        timeline: written.timeline.map((moment) =>
          moment._tag === "Written"
            ? { ...moment, records: change(moment.records), place: place ?? moment.place }
            : moment
        )
      }).join()
    const isUsers = (record: Records[number]) =>
      record._tag === "ItemFinal" && record.item._tag === "Message" && record.item.role === "user"
    const moved = changed((records) =>
      records.map((record) =>
        record._tag === "ItemFinal" && !isUsers(record) ? { ...record, previousItemId: "root" } : record
      )
    )
    expect(moved).toContain("Journal: The session has ")
    const rephrased = changed((records) =>
      records.map((record) =>
        record._tag === "ItemFinal" && record.item._tag === "Message"
          ? { ...record, item: { ...record.item, content: [{ _tag: "Text", text: "Something else." }] } }
          : record
      )
    )
    expect(rephrased).toContain('but in the journal "Something else."')
    expect(changed((records) => records, "instead")).toContain("but after compaction")
  })

  it("excuses what an outage keeps back, while that is said, and sees where nobody says what became of it", async () => {
    const waited = await played("preferred", [away("refuses", 5_000), writes])
    expect(broken(waited)).toEqual([])
    const tags = tagsOf(waited)
    expect(tags.indexOf("ToolStarted")).toBeGreaterThan(tags.indexOf("JournalLagged"))
    expect(tags).toContain("JournalCaughtUp")
    const silent = waited.timeline.filter(
      (moment) => moment._tag !== "Published" || moment.event._tag !== "JournalCaughtUp"
    )
    expect(broken({ ...waited, timeline: silent }).join()).toContain("Journal: The journal lagged, but neither")
  })

  it("lets a session go on without its journal, or end with it, as the session chose", async () => {
    const steps = [away("refuses", 60_000), writes, { action: { _tag: "Waits", ms: 40_000 }, thenRuns: "all" } as const]
    const preferred = await played("preferred", steps)
    expect([broken(preferred), preferred.survived]).toEqual([[], true])
    expect(tagsOf(preferred)).toContain("ToolStarted")
    const required = await played("required", steps)
    expect([broken(required), required.survived]).toEqual([[], false])
    expect(tagsOf(required)).not.toContain("ToolStarted")
    // The same would be wrong if the journal were not required, and vice versa.
    expect(broken({ ...required, program: { ...required.program, journal: "preferred" } }).join()).toContain(
      "Isolation: The session ended with JournalFailed"
    )
    expect(broken({ ...preferred, program: { ...preferred.program, journal: "required" } }).join()).toContain(
      "Journal: call_1 (pay) ran, but the journal does not say so."
    )
  })

  it("lets a session end whose journal another process took", async () => {
    const taken = await played("preferred", [away("is taken", 1), writes])
    expect([broken(taken), taken.survived]).toEqual([[], false])
    expect(tagsOf(taken)).not.toContain("ToolStarted")
  })

  it("lets it be taken while a session writes its end, but not at any time after that", () => {
    const program = { ...written.program, steps: [writes, away("is taken", 1)] }
    const timeline = written.timeline.filter((moment) => !isEnd(moment))
    const endedAt = timeline.findLast(({ _tag }) => _tag === "Published")?.atMs ?? 0
    const takenAfter = (ms: number): ReadonlyArray<Testing.Moment> => [
      ...timeline,
      { _tag: "Step", index: 1, atMs: endedAt + ms }
    ]
    expect(broken({ ...written, program, timeline: takenAfter(0) })).toEqual([])
    expect(broken({ ...written, program, timeline: takenAfter(5_001) }).join()).toContain(
      "Journal: The session ended with nothing, but"
    )
  })

  it.each(["fails halfway", "is slow"] as const)("finds nothing where the storage %s", async (how) => {
    const observation = await played("required", [away(how, 5_000), writes])
    expect([broken(observation), observation.survived]).toEqual([[], true])
    expect(tagsOf(observation)).toContain("ToolSucceeded")
  })
})
