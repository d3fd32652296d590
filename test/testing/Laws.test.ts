import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Agent from "../../src/Agent.js"
import type { Snapshot } from "../../src/SessionEvent.js"
import * as Tool from "../../src/Tool.js"
import { judge } from "../../src/testing/Law.js"
import { run } from "../../src/testing/run.js"
import * as VirtualTime from "../../src/testing/VirtualTime.js"
import { Testing } from "../../src/testing.js"

const agent = Agent.make("Desk", {
  instructions: "",
  tools: [
    Tool.make("ok", { description: "", handler: () => Effect.succeed("fine") }),
    Tool.make("dies", { description: "", handler: () => Effect.die("a secret of the handler") })
  ]
})
const calls = { _tag: "Calls", args: "{}", repeatsId: false } as const
const program: Testing.Program = {
  beginning: { _tag: "Afresh" },
  listens: "at once",
  toolChoice: "auto",
  modality: "text",
  rolloverAfterMs: 3_300_000,
  journal: "none",
  transcribes: "never",
  imports: { outcome: "completed", item: "behind", ms: 0 },
  replies: [
    [
      { ...calls, name: "ok" },
      { ...calls, name: "dies" }
    ]
  ],
  steps: [{ action: { _tag: "UserWrites", text: "Go." }, thenRuns: "all" }]
}

const played = (program: Testing.Program): Promise<Testing.Observation> => {
  const time = VirtualTime.make()
  return new Promise((resolve) =>
    Effect.runFork(Effect.map(run(agent, program, time, {}), resolve), { scheduler: time.scheduler })
  )
}
const observation = await played(program)

const broken = (doctored: Testing.Observation) =>
  Testing.Laws.all(["fine"]).flatMap((law) =>
    Effect.runSync(judge(law, doctored)).map(({ message }) => `${law.name}: ${message}`)
  )
const withTimeline = (change: (timeline: ReadonlyArray<Testing.Moment>) => ReadonlyArray<Testing.Moment>) =>
  broken({ ...observation, timeline: change(observation.timeline) })
const isOutput = (moment: Testing.Moment) =>
  moment._tag === "Sent" &&
  moment.event.type === "conversation.item.create" &&
  moment.event.item.type === "function_call_output"
const isRequest = (moment: Testing.Moment) => moment._tag === "Sent" && moment.event.type === "response.create"
const isPublished = (tag: string) => (moment: Testing.Moment) =>
  moment._tag === "Published" && moment.event._tag === tag
const twice = (matches: (moment: Testing.Moment) => boolean) =>
  withTimeline((timeline) => timeline.flatMap((moment) => (matches(moment) ? [moment, moment] : [moment])))
const without = (matches: (moment: Testing.Moment) => boolean) =>
  withTimeline((timeline) => timeline.filter((moment) => !matches(moment)))

describe("Laws", () => {
  it("find only what the test calls a secret, if all is well", () => {
    expect(broken(observation)).toEqual([
      "Discretion: conversation.item.create contains a secret, or the message of a defect.",
      "Discretion: ToolSucceeded contains a secret, or the message of a defect.",
      "Discretion: ItemAdded contains a secret, or the message of a defect.",
      "Discretion: ItemCompleted contains a secret, or the message of a defect."
    ])
  })

  it("see a call that is answered twice, or never", () => {
    expect(twice(isOutput).join()).toContain("Settlement: call_1 was answered twice on connection 1.")
    const connections = observation.connections.map((connection) => ({
      ...connection,
      conversation: connection.conversation.filter((item) => item.type !== "function_call_output")
    }))
    expect(broken({ ...observation, connections }).join()).toContain(
      "Settlement: call_1 (ok) has 0 outputs at the end."
    )
  })

  it("see a call that was answered, and that the last connection was not told of", () => {
    const connections = observation.connections.map((connection) => ({ ...connection, conversation: [] }))
    expect(broken({ ...observation, connections }).join()).toContain(
      "Settlement: call_1 (ok) was answered, but the output was not sent on the last connection."
    )
  })

  it("see an end that is published twice, never, or before the output", () => {
    expect(twice(isPublished("ToolSucceeded")).join()).toContain("Publication: call_1 (ok) ended twice.")
    expect(without(isPublished("ToolFailed")).join()).toContain("Publication: call_2 (dies) began, but its end")
    expect(without(isOutput).join()).toContain("Publication: call_2 (dies) ended before its output was sent.")
  })

  it("see a reply that never came, and one that was asked for twice", () => {
    const responses = observation.timeline.flatMap((moment) =>
      moment._tag === "Published" && moment.event._tag === "ResponseStarted" ? [moment.event.responseId] : []
    )
    const last = JSON.stringify(responses.at(-1))
    const isOfLast = (moment: Testing.Moment) =>
      moment._tag === "Answered" && JSON.stringify(moment.event).includes(last)
    expect(without(isOfLast).join()).toContain("Liveness: Nobody answered the output of call_1.")
    const lost = (requestId: string | undefined) =>
      withTimeline((timeline) => [
        ...timeline.filter((moment) => !isOfLast(moment)),
        {
          _tag: "Sent",
          connection: 1,
          atMs: 0,
          event: { type: "response.create", event_id: "beside", response: { conversation: "none" } }
        },
        {
          _tag: "Published",
          atMs: 0,
          event: { _tag: "ResponseLost", requestId, responseId: undefined, interrupted: false }
        }
      ]).join()
    expect(lost(undefined)).not.toContain("Liveness")
    for (const requestId of ["beside", "never sent"]) {
      expect(lost(requestId)).toContain("Liveness: Nobody answered the output of call_1.")
    }
    expect(twice(isRequest).join()).toContain("Exclusivity: A response was requested while")
  })

  it("see a spoken turn without an answer, and an answer that failed and was not asked for again", async () => {
    const spoken = await played({
      ...program,
      replies: [[{ _tag: "Says", text: "Yes." }]],
      steps: [
        { action: { _tag: "Waits", ms: 1 }, thenRuns: "all" },
        { action: { _tag: "UserSpeaks", transcript: "Hello?", forMs: 0 }, thenRuns: "all" }
      ]
    })
    const isOfResponse = (moment: Testing.Moment) =>
      moment._tag === "Answered" && JSON.stringify(moment.event).includes('"resp_')
    const unanswered = spoken.timeline.filter((moment) => !isOfResponse(moment))
    expect(broken(spoken).join()).not.toContain("Liveness")
    expect(broken({ ...spoken, timeline: unanswered }).join()).toContain("Liveness: Nobody answered what the user said")
    const failed = spoken.timeline.map((moment) =>
      moment._tag === "Answered" && moment.event["type"] === "response.done"
        ? { ...moment, event: JSON.parse(JSON.stringify(moment.event).replace('"completed"', '"failed"')) }
        : moment
    )
    expect(broken({ ...spoken, timeline: failed }).join()).toContain("Liveness: Nobody answered what the user said")
  })

  it("see what ends the session, what goes on after its end, and what never ends", () => {
    expect(broken({ ...observation, defects: ["Oh no"] }).join()).toContain("Isolation: Something died: Oh no")
    expect(broken({ ...observation, exit: undefined }).join()).toContain("Closure: session.await did not end.")
    expect(broken({ ...observation, openStreams: ["audio"] }).join()).toContain("The stream of audio did not end.")
    const late = withTimeline((timeline) => [...timeline, ...timeline.filter(isRequest)])
    expect(late.join()).toContain("Closure: response.create was sent after the end.")
    expect(without(isPublished("SessionEnded")).join()).toContain("Closure: SessionEnded was not published.")
  })

  it("see what a server refused, and what a defect said", () => {
    const refused = [
      {
        event: { type: "response.cancel" },
        refusal: { code: "x", message: "No.", param: null, type: "server_error" as const }
      }
    ]
    const connections = observation.connections.map((connection) => ({ ...connection, refused }))
    expect(broken({ ...observation, connections }).join()).toContain("Epochs: Connection 1 refused")
    const told = withTimeline((timeline) =>
      timeline.map((moment) =>
        moment._tag === "Sent" && moment.event.type === "conversation.item.create"
          ? {
              ...moment,
              event: {
                type: "conversation.item.create",
                item: {
                  type: "message",
                  role: "user",
                  content: [{ type: "input_text", text: "a secret of the handler" }]
                }
              }
            }
          : moment
      )
    )
    expect(told.join()).toContain("Discretion")
  })
  it("see an event that is published twice, never, or to no reader, and a reader that gets wrong events", async () => {
    const read = (tag: string, reader: number) => (moment: Testing.Moment) =>
      moment._tag === "Read" && moment.reader === reader && moment.event._tag === tag
    expect(twice(read("ToolSucceeded", 1)).join()).toContain("Delivery: Reader 1 got ToolSucceeded instead of ")
    expect(without(read("ToolFailed", 2)).join()).toContain("Delivery: Reader 2 never got the last 1 events.")
    const lagging = await played({
      ...program,
      steps: [
        { action: { _tag: "Subscribes", capacity: 1, onLag: "skip", reads: "late" }, thenRuns: "all" },
        { action: { _tag: "Subscribes", capacity: 1, onLag: "snapshot", reads: "in bursts" }, thenRuns: "all" },
        { action: { _tag: "Subscribes", capacity: 1, onLag: "fail", reads: "late" }, thenRuns: "all" },
        ...program.steps
      ]
    })
    const missed = lagging.timeline.filter(
      (moment) => moment._tag === "Read" && moment.event._tag === "EventsMissed" && moment.event.count > 0
    )
    expect(missed.length, "both readers that go on were too slow").toBeGreaterThanOrEqual(2)
    expect(lagging.timeline.filter((moment) => moment._tag === "ReadingEnded" && moment.error)).toHaveLength(1)
    expect(broken(lagging).filter((message) => !message.startsWith("Discretion"))).toEqual([])
    const silenced = lagging.timeline.filter((moment) => !missed.includes(moment))
    expect(broken({ ...lagging, timeline: silenced }).join()).toContain("Delivery: Reader 3 got ")
  })

  it("see a snapshot whose position is wrong", async () => {
    const lagging = await played({
      ...program,
      steps: [
        { action: { _tag: "Subscribes", capacity: 1, onLag: "snapshot", reads: "late" }, thenRuns: "all" },
        ...program.steps
      ]
    })
    const withSnapshot = (change: (snapshot: Snapshot) => Snapshot) =>
      broken({
        ...lagging,
        timeline: lagging.timeline.map((moment) =>
          moment._tag === "Read" && moment.event._tag === "EventsMissed" && moment.event.snapshot !== undefined
            ? { ...moment, event: { ...moment.event, snapshot: change(moment.event.snapshot) } }
            : moment
        )
      }).join()
    expect(withSnapshot((snapshot) => snapshot)).not.toContain("Delivery")
    expect(withSnapshot((snapshot) => ({ ...snapshot, agent: "Nobody" }))).toContain("A snapshot says that Nobody has")
    expect(withSnapshot((snapshot) => ({ ...snapshot, conversation: { items: [] } }))).toContain(
      "A snapshot does not have "
    )
  })

  it("see audio that is lost, doubled, changed, or heard after it was cut", async () => {
    const text = "This is a sentence that takes its time, and is heard for seconds."
    const spoken = await played({ ...program, modality: "audio", replies: [[{ _tag: "Says", text }]] })
    expect(broken(spoken)).toEqual([])
    const change = (rewrite: (moment: Testing.Moment) => ReadonlyArray<Testing.Moment>) =>
      broken({ ...spoken, timeline: spoken.timeline.flatMap(rewrite) }).join()
    const pieces = spoken.timeline.filter((moment) => moment._tag === "Played")
    expect(pieces.length).toBeGreaterThan(2)
    const [first, second] = pieces
    expect(change((moment) => (moment === first ? [] : [moment]))).toContain(
      "was played in the wrong order, or changed"
    )
    expect(change((moment) => (moment === pieces.at(-1) ? [] : [moment]))).toContain("were never played")
    expect(change((moment) => (moment === second ? [moment, moment] : [moment]))).toContain("Audio: ")
    const cut: Testing.Moment = {
      _tag: "Published",
      atMs: 0,
      event: { _tag: "AudioInterrupted", responseId: "resp_1_1", itemId: "item_1_1", contentIndex: 0, heardMs: 0 }
    }
    expect(change((moment) => (moment === second ? [cut, moment] : [moment]))).toContain("was played after it was cut")
    expect(change((moment) => (moment._tag === "Heard" ? [] : [moment]))).toContain("never got")
  })

  it("see a secret in an event, in an error, and in what a command fails with", () => {
    const withEvent = (moment: Testing.Moment) =>
      broken({ ...observation, timeline: [moment, ...observation.timeline] }).join()
    const secret = "it is fine to say"
    expect(withEvent({ _tag: "Published", atMs: 0, event: { _tag: "JournalFailed", message: secret } })).toContain(
      "Discretion: JournalFailed contains a secret"
    )
    expect(withEvent({ _tag: "CommandFailed", atMs: 0, error: { _tag: "Oops", message: secret } })).toContain(
      "Discretion: Oops contains a secret"
    )
    const learnt: Testing.Moment = {
      _tag: "Published",
      atMs: 0,
      event: { _tag: "JournalFailed", message: "a secret of the handler" }
    }
    expect(withEvent(learnt), "also where it was published before its defect was").toContain(
      "Discretion: JournalFailed contains the message of a defect."
    )
  })

  it("see what names a thing of another connection", () => {
    const told = { _tag: "Reconnected", epoch: 1, replayed: 1, omitted: [], deferred: 1 } as const
    const later = observation.timeline.flatMap((moment): ReadonlyArray<Testing.Moment> => {
      if (!isOutput(moment) || moment._tag !== "Sent") return [moment]
      return [
        { ...moment, connection: 2 },
        { _tag: "Published", atMs: moment.atMs, event: told }
      ]
    })
    expect(broken({ ...observation, timeline: later }).join()).toContain(
      "Epochs: conversation.item.create was sent on connection 2, which does not know call_1."
    )
    expect(broken({ ...observation, timeline: later }).join()).toContain("was sent on connection 1, after 2.")
  })
})
