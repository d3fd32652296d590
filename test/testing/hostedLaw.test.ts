import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Agent from "../../src/Agent.js"
import * as HostedMcp from "../../src/HostedMcp.js"
import { judge } from "../../src/testing/Law.js"
import { run } from "../../src/testing/run.js"
import * as VirtualTime from "../../src/testing/VirtualTime.js"
import { Testing } from "../../src/testing.js"

const agent = Agent.make("Desk", {
  instructions: "",
  hostedTools: [HostedMcp.server("host", { server_url: "https://host.example.com/mcp" })]
})

const program: Testing.Program = {
  beginning: { _tag: "Afresh" },
  listens: "at once",
  toolChoice: "auto",
  modality: "text",
  rolloverAfterMs: 3_300_000,
  journal: "none",
  transcribes: "never",
  imports: { outcome: "completed", item: "behind", ms: 0 },
  replies: [[{ _tag: "CallsHosted", runs: "after", succeeds: true, item: "behind", ms: 2_000 }]],
  steps: [
    { action: { _tag: "UserWrites", text: "Go." }, thenRuns: "all" },
    { action: { _tag: "Waits", ms: 5_000 }, thenRuns: "all" }
  ]
}

const time = VirtualTime.make()
const observation = await new Promise<Testing.Observation>((resolve) =>
  Effect.runFork(Effect.map(run(agent, program, time, {}), resolve), { scheduler: time.scheduler })
)

const broken = (
  change: (timeline: ReadonlyArray<Testing.Moment>) => ReadonlyArray<Testing.Moment>,
  laws = [Testing.Laws.hostedCalls, Testing.Laws.hostedImports]
) =>
  laws.flatMap((law) =>
    Effect.runSync(judge(law, { ...observation, timeline: change(observation.timeline) })).map(
      ({ message }) => `${law.name}: ${message}`
    )
  )

/** The moment at this index, moved in front of another one. */
const moved = (timeline: ReadonlyArray<Testing.Moment>, from: number, to: number) => {
  const [moment, others] = [timeline[from], timeline.filter((_, index) => index !== from)]
  return moment === undefined ? others : [...others.slice(0, to), moment, ...others.slice(to)]
}
const isRequest = (moment: Testing.Moment) => moment._tag === "Sent" && moment.event.type === "response.create"
const isAnswered = (type: string) => (moment: Testing.Moment) =>
  moment._tag === "Answered" && moment.event["type"] === type

describe("The laws of hosted tools", () => {
  it("hold for a session that keeps them", () => {
    expect(broken((timeline) => timeline)).toEqual([])
    expect(observation.timeline.filter(isRequest)).toHaveLength(2)
  })

  it("see a request to go on before the call has run", () => {
    const early = broken((timeline) =>
      moved(
        timeline,
        timeline.findLastIndex(isRequest),
        timeline.findIndex(isAnswered("response.mcp_call.in_progress"))
      )
    )
    expect(early).toContainEqual(expect.stringContaining("HostedCalls: The model was asked before item_"))
  })

  it("see a request to go on before the response of the call is over", () => {
    const early = broken((timeline) => timeline.filter((moment) => !isAnswered("response.done")(moment)))
    expect(early).toEqual([])
    const never = broken((timeline) =>
      timeline.filter(
        (moment) =>
          !isAnswered("response.done")(moment) && !(moment._tag === "Published" && moment.event._tag === "ResponseDone")
      )
    )
    expect(never).toContainEqual(expect.stringMatching(/HostedCalls: .* while its response resp_\S+ went on/))
  })

  it("see a second request after the same call", () => {
    const twice = broken((timeline) => {
      const started = timeline.findLast(
        (moment) => moment._tag === "Published" && moment.event._tag === "ResponseStarted"
      )
      if (started?._tag !== "Published" || started.event._tag !== "ResponseStarted") return timeline
      const sent = timeline.findLast(isRequest)
      if (sent?._tag !== "Sent" || sent.event.type !== "response.create") return timeline
      return [
        ...timeline,
        { ...sent, event: { ...sent.event, event_id: "req_again" } },
        { ...started, event: { ...started.event, responseId: "resp_again", requestId: "req_again" } }
      ]
    })
    expect(twice).toContainEqual(expect.stringContaining("HostedCalls: The model was asked twice after item_"))
  })

  it("see a request while the server still reads the tools", () => {
    const early = broken((timeline) =>
      timeline.filter(
        (moment) =>
          !(
            moment._tag === "Published" &&
            moment.event._tag === "McpProgressed" &&
            moment.event.what === "ListTools" &&
            moment.event.state === "Completed"
          )
      )
    )
    expect(early).toContainEqual(expect.stringMatching(/HostedImports: .* while the list item_\S+ was being read/))
  })

  /** After the call, nobody asks the model to go on. */
  const unasked = (timeline: ReadonlyArray<Testing.Moment>) => {
    const last = timeline.findLastIndex(isRequest)
    return timeline.filter(
      (moment, index) =>
        index < last || (!isRequest(moment) && moment._tag !== "Answered" && moment._tag !== "Published")
    )
  }

  it("see a call after which nobody asks the model to go on", () => {
    expect(broken(unasked, [Testing.Laws.liveness])).toContainEqual(
      expect.stringContaining("Liveness: Nobody answered the call of a hosted tool")
    )
  })

  it("expect no answer to a call out of band, of which is heard only after it has ended", () => {
    const beside = (timeline: ReadonlyArray<Testing.Moment>) =>
      unasked(timeline).flatMap((moment): ReadonlyArray<Testing.Moment> => {
        if (moment._tag !== "Answered") return [moment]
        const { event } = moment
        const item = event["item"]
        const isCall = typeof item === "object" && item !== null && "type" in item && item.type === "mcp_call"
        if (isCall && event["type"] !== "response.output_item.done") return []
        if (event["type"] !== "response.created" || typeof event["response"] !== "object") return [moment]
        return [{ ...moment, event: { ...event, response: { ...event["response"], conversation_id: null } } }]
      })
    expect(broken(beside, [Testing.Laws.liveness])).toEqual([])
  })
})
