import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import { textOf } from "../../src/Conversation.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import type * as Session from "../../src/Session.js"
import * as Tool from "../../src/Tool.js"
import { desk, makeCluster, meanwhile, pass } from "./nodes.js"

const { call, say } = ScriptedModel

const wordsOf = ({ conversation }: Session.Session) =>
  Effect.map(conversation, ({ items }) => items.flatMap((item) => (item._tag === "Message" ? textOf(item) : [])))

describe("A call on one node", () => {
  it.scoped("is commanded from another one", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const one = yield* cluster.node(1, { agent: desk, turns: [[say("Good day!")]] })
      yield* cluster.node(2, { agent: desk })
      const session = yield* meanwhile(one.host.start({ callId: "alice" }))
      const alice = cluster.calls.get("alice")
      const itemId = yield* meanwhile(alice.sendText("Hello."))
      yield* pass(1)
      expect(yield* wordsOf(session)).toEqual(["Hello.", "Good day!"])
      expect((yield* session.conversation).items[0]?.id).toBe(itemId)
      expect(yield* alice.status).toMatchObject({ nodeId: one.host.node.nodeId, epoch: 1, agent: "Desk", items: 2 })
      yield* alice.interrupt
      yield* meanwhile(alice.close)
      yield* pass(1)
      expect(yield* one.host.count).toBe(0)
      expect(yield* meanwhile(Effect.flip(alice.status))).toMatchObject({ _tag: "CallEnded", state: "ended" })
      yield* meanwhile(alice.close)
      expect(yield* Effect.flip(cluster.calls.get("bob").interrupt)).toMatchObject({ _tag: "CallUnknown" })
    })
  )

  it.scoped("is heard by each listener, also if another one throws or rejects", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const one = yield* cluster.node(1, { agent: desk, turns: [[say("Good day!")]] })
      const fail = () => {
        throw new Error("SECRET")
      }
      const session = yield* meanwhile(one.host.start({ callId: "alice", session: { onEvent: fail, onAudio: fail } }))
      const heard: Array<string> = []
      yield* one.host.attend("alice", { onEvent: () => Promise.reject(new Error("SECRET")) })
      yield* one.host.attend("alice", { onEvent: ({ _tag }) => void heard.push(_tag) })
      const published: Array<unknown> = []
      yield* Effect.forkScoped(Stream.runForEach(session.events, (event) => Effect.sync(() => published.push(event))))
      yield* meanwhile(session.sendText("Hello."))
      yield* pass(1)
      expect(heard).toContain("ResponseDone")
      expect(published).toContainEqual(expect.objectContaining({ _tag: "InputFailed", input: "onEvent" }))
      expect(JSON.stringify(published)).not.toContain("SECRET")
    })
  )

  it.scoped("goes on at another node when its own dies, and its clients find it", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const options = { lease: "3 seconds" } as const
      const one = yield* cluster.node(1, { agent: desk, turns: [[say("Good day!")]], options })
      const two = yield* cluster.node(2, { agent: desk, turns: [[say("Still here.")]], options })
      yield* meanwhile(one.host.start({ callId: "alice" }))
      const alice = cluster.calls.get("alice")
      yield* meanwhile(alice.sendText("Hello."))
      yield* pass(4)
      yield* one.kill
      yield* meanwhile(alice.sendText("Are you there?"))
      yield* pass(1)
      const status = yield* meanwhile(alice.status)
      expect(status).toMatchObject({ nodeId: two.host.node.nodeId, epoch: 2 })
      const session = yield* Effect.flatten(two.host.get("alice"))
      expect(yield* wordsOf(session)).toEqual(["Hello.", "Good day!", "Are you there?", "Still here."])
    })
  )
})

const lease = { lease: "3 seconds" } as const

/** Two nodes whose leases have held for long enough, and a call on the first. */
const pair = <E, R>(agent: Agent.Agent<E, R>, turns: ReadonlyArray<ScriptedModel.Turn>, then: typeof turns = []) =>
  Effect.gen(function* () {
    const cluster = yield* makeCluster
    const one = yield* cluster.node(1, { agent, turns, options: lease })
    const two = yield* cluster.node(2, { agent, turns: then, options: lease })
    const session = yield* meanwhile(one.host.start({ callId: "alice" }))
    yield* pass(4)
    return { cluster, one, two, session, alice: cluster.calls.get("alice") }
  })

describe("A node that was cut off", () => {
  it.scoped("closes the calls that others have taken, and says no more to its model", () =>
    Effect.gen(function* () {
      const { alice, cluster, one, session, two } = yield* pair(desk, [[say("Good day!")]])
      yield* one.line("silent")
      yield* pass(8)
      expect(yield* meanwhile(alice.status)).toMatchObject({ nodeId: two.host.node.nodeId, epoch: 2 })
      // It still has the session, and answers for it no more.
      expect(yield* one.host.count).toBe(1)
      expect((yield* one.host.health).state).toBe("Lapsed")
      const command = { version: 1, commandId: "c", callId: "alice", command: { _tag: "Interrupt" } }
      expect(yield* Effect.flip(one.host.carry(command))).toMatchObject({ _tag: "CallNotHere" })
      yield* one.line("up")
      yield* pass(5)
      expect(yield* one.host.count).toBe(0)
      yield* meanwhile(Effect.exit(session.await))
      expect(yield* cluster.directory.find("alice")).toMatchObject({ nodeId: two.host.node.nodeId, state: "live" })
    })
  )

  it.scoped("ends a call that cannot be resumed because something dies, and tells the application why", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const boom = new Error("SECRET")
      let asked = 0
      const instructions = Effect.suspend(() => {
        asked += 1
        return asked === 1 ? Effect.succeed("Be brief.") : Effect.die(boom)
      })
      const agent = Agent.make("Desk", { instructions })
      const told: Array<readonly [callId: string, cause: Cause.Cause<unknown>]> = []
      const onNotResumed = (callId: string, cause: Cause.Cause<unknown>) => {
        told.push([callId, cause])
        throw boom
      }
      const one = yield* cluster.node(1, { agent, options: lease })
      const two = yield* cluster.node(2, { agent, options: { ...lease, onNotResumed } })
      yield* meanwhile(one.host.start({ callId: "alice" }))
      yield* pass(4)
      yield* one.kill
      yield* pass(8)
      expect(told.map(([callId, cause]) => [callId, Cause.pretty(cause, { renderErrorCause: true })])).toEqual([
        ["alice", expect.stringContaining("SECRET")]
      ])
      expect(yield* cluster.directory.find("alice")).toMatchObject({ state: "failed" })
      expect(yield* two.host.count).toBe(0)
      expect(yield* Effect.flip(two.host.adopt("alice"))).toMatchObject({ _tag: "CallEnded", state: "failed" })
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
  )

  it.scoped("finds its calls where it left them if all nodes were cut off, and nobody is declared dead", () =>
    Effect.gen(function* () {
      const { alice, cluster, one, two } = yield* pair(desk, [[say("Good day!")]])
      yield* Effect.all([one.line("down"), two.line("down")])
      yield* pass(20)
      expect(yield* one.host.count).toBe(1)
      // The second one hears of the directory first.
      yield* two.line("up")
      yield* pass(2)
      yield* one.line("up")
      yield* pass(5)
      expect(yield* meanwhile(alice.status)).toMatchObject({ nodeId: one.host.node.nodeId, epoch: 1 })
      expect(yield* cluster.directory.find("alice")).toMatchObject({ nodeId: one.host.node.nodeId, epoch: 1 })
      expect(yield* two.host.count).toBe(0)
    })
  )

  it.scoped("puts the row of a call back that somebody deleted", () =>
    Effect.gen(function* () {
      const { alice, cluster, one } = yield* pair(desk, [])
      const row = yield* cluster.directory.find("alice")
      if (row === undefined) return expect.unreachable()
      yield* cluster.directory.change(row, "ended")
      yield* pass(1)
      // An ended call is another matter: it is closed.
      expect(yield* one.host.count).toBe(0)
      expect((yield* meanwhile(Effect.flip(alice.interrupt)))._tag).toBe("CallEnded")
      yield* meanwhile(one.host.start({ callId: "bob" }))
      yield* cluster.forget("bob")
      yield* pass(1)
      expect(yield* cluster.directory.find("bob")).toMatchObject({ nodeId: one.host.node.nodeId, epoch: 2 })
    })
  )
})

describe("A node that stops", () => {
  it.scoped("waits for the tools of a call before it gives it away, and the answer is not lost", () =>
    Effect.gen(function* () {
      const runs: Array<string> = []
      const book = Tool.make("book", {
        description: "",
        handler: () =>
          Effect.as(
            Effect.delay(
              Effect.sync(() => runs.push("book")),
              "4 seconds"
            ),
            "Booked."
          )
      })
      const agent = Agent.make("Desk", { instructions: "", tools: [book] })
      const { alice, one, two } = yield* pair(agent, [[call("book")], [say("Done.")]], [[say("Done here.")]])
      yield* meanwhile(alice.sendText("Book it."))
      yield* pass(1)
      const draining = yield* Effect.fork(one.host.drain())
      yield* pass(1)
      expect((yield* one.host.health).state).toBe("Draining")
      expect(yield* Effect.flip(one.host.start())).toMatchObject({ _tag: "NotAccepting", reason: "draining" })
      expect(yield* one.host.count).toBe(1)
      yield* pass(8)
      expect(draining.unsafePoll()).not.toBeNull()
      expect(yield* meanwhile(alice.status)).toMatchObject({ nodeId: two.host.node.nodeId, epoch: 2 })
      expect(runs).toEqual(["book"])
      expect(yield* one.model.outputs).toHaveLength(1)
    })
  )

  it.scoped("closes its calls if no other can have them, and the first node that starts goes on with them", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const one = yield* cluster.node(1, { agent: desk, turns: [[say("Good day!")]], options: lease })
      yield* meanwhile(one.host.start({ callId: "alice" }))
      const alice = cluster.calls.get("alice")
      yield* meanwhile(alice.sendText("Hello."))
      yield* pass(1)
      yield* meanwhile(one.host.drain())
      yield* meanwhile(one.stop)
      const two = yield* cluster.node(2, { agent: desk, options: lease })
      yield* pass(5)
      expect(yield* meanwhile(alice.status)).toMatchObject({ nodeId: two.host.node.nodeId, epoch: 2, items: 2 })
    })
  )

  it.scoped("lets its calls end by themselves, if it is told to", () =>
    Effect.gen(function* () {
      const { alice, one, two } = yield* pair(desk, [])
      const draining = yield* Effect.fork(one.host.drain({ mode: "wait", within: "1 minute" }))
      yield* pass(10)
      expect(draining.unsafePoll()).toBeNull()
      yield* meanwhile(alice.close)
      yield* pass(1)
      expect(draining.unsafePoll()).not.toBeNull()
      expect(yield* two.host.count).toBe(0)
    })
  )
})

/** A tool that takes no notice of being stopped: a session waits for it for a second when it ends. */
const deaf = Tool.make("deaf", {
  description: "",
  timeout: "2 minutes",
  handler: () => Effect.as(Effect.uninterruptible(Effect.sleep("1 minute")), "Done.")
})
const slow = Agent.make("Desk", { instructions: "", tools: [deaf] })

describe("A call that its client has closed", () => {
  for (const [what, leave] of [
    ["its node stops", ({ one }) => one.host.drain({ toolsWithin: "1 millis", within: "5 seconds" })],
    ["a caller comes back to another node", ({ two }) => Effect.exit(two.host.adopt("alice"))]
  ] satisfies ReadonlyArray<
    readonly [string, (cluster: Effect.Effect.Success<ReturnType<typeof pair>>) => Effect.Effect<unknown, unknown>]
  >) {
    it.scoped(`goes on nowhere, if ${what} while its tools are being stopped`, () =>
      Effect.gen(function* () {
        const both = yield* pair(slow, [[call("deaf")]], [])
        const { alice, cluster, two } = both
        yield* meanwhile(alice.sendText("Do it."))
        yield* TestClock.adjust("100 millis")
        const closing = yield* Effect.fork(alice.close)
        yield* TestClock.adjust("100 millis")
        expect(closing.unsafePoll()).toBeNull()
        yield* Effect.fork(leave(both))
        yield* pass(5)
        expect(closing.unsafePoll()).not.toBeNull()
        expect(yield* cluster.directory.find("alice")).toMatchObject({ state: "ended", epoch: 1 })
        expect(yield* two.host.count).toBe(0)
      })
    )
  }
})

describe("A command", () => {
  it.scoped("that nobody heard the answer of is carried out once, also when its node dies", () =>
    Effect.gen(function* () {
      const { alice, one, two } = yield* pair(desk, [[say("Good day!")]])
      yield* one.deafen
      const sent = yield* Effect.fork(alice.sendText("Hello."))
      yield* pass(3)
      expect(sent.unsafePoll()).toBeNull()
      yield* one.kill
      const itemId = yield* meanwhile(Fiber.join(sent))
      const session = yield* Effect.flatten(two.host.get("alice"))
      expect((yield* session.conversation).items.filter(({ id }) => id === itemId)).toHaveLength(1)
      expect(yield* wordsOf(session)).toEqual(["Hello.", "Good day!"])
    })
  )

  it.scoped("that approves a tool succeeds when its node died after the tool had started", () =>
    Effect.gen(function* () {
      const pay = Tool.make("pay", { description: "", approval: true, handler: () => Effect.never })
      const agent = Agent.make("Desk", { instructions: "Be brief.", tools: [pay] })
      const { alice, one, session, two } = yield* pair(agent, [[call("pay", {}, { callId: "c1" })]], [[say("Oh.")]])
      yield* meanwhile(alice.sendText("Pay."))
      yield* pass(1)
      yield* one.deafen
      const approved = yield* Effect.fork(alice.approve("c1"))
      yield* pass(2)
      expect((yield* session.openCalls).map(({ state }) => state)).toEqual(["Running"])
      yield* one.kill
      yield* meanwhile(Fiber.join(approved))
      expect(yield* meanwhile(alice.status)).toMatchObject({ nodeId: two.host.node.nodeId, pendingApprovals: [] })
      // It is a decision that was made, and not one that can be made twice.
      expect(yield* meanwhile(Effect.flip(alice.approve("c1")))).toMatchObject({ _tag: "ApprovalNotPending" })
      expect(yield* meanwhile(Effect.flip(alice.reject("c1")))).toMatchObject({ _tag: "ApprovalNotPending" })
    })
  )

  it.scoped(
    "that rejects a tool succeeds when its node died after the tool was rejected, and does not approve it",
    () =>
      Effect.gen(function* () {
        const runs: Array<string> = []
        const pay = Tool.make("pay", {
          description: "",
          approval: true,
          handler: () => Effect.sync(() => void runs.push("pay"))
        })
        const agent = Agent.make("Desk", { instructions: "Be brief.", tools: [pay] })
        const { alice, one } = yield* pair(
          agent,
          [[call("pay", {}, { callId: "c1" })], [say("As you like.")]],
          [[say("Oh.")]]
        )
        yield* meanwhile(alice.sendText("Pay."))
        yield* pass(1)
        yield* one.deafen
        const rejected = yield* Effect.fork(alice.reject("c1"))
        const approved = yield* Effect.fork(Effect.delay(Effect.flip(alice.approve("c1")), "1 second"))
        yield* pass(2)
        yield* one.kill
        yield* meanwhile(Fiber.join(rejected))
        expect(yield* meanwhile(Fiber.join(approved))).toMatchObject({ _tag: "ApprovalNotPending" })
        expect(runs).toEqual([])
      })
  )

  it.scoped("whose words the model's server refuses fails at once, with what the server says", () =>
    Effect.gen(function* () {
      const { alice, session } = yield* pair(desk, [[say("Good day!")]])
      const id = "i".repeat(33)
      const sent = yield* Effect.fork(Effect.flip(alice.sendText("Hello.", { id })))
      yield* pass(1)
      const refused = { _tag: "TextRefused", callId: "alice", itemId: id }
      expect(yield* Fiber.join(sent)).toMatchObject(refused)
      // However often it is sent.
      expect(yield* meanwhile(Effect.flip(alice.sendText("Hello.", { id })))).toMatchObject(refused)
      expect(yield* meanwhile(Effect.flip(alice.sendText("Hello.", { id: "" })))).toMatchObject({ _tag: "TextRefused" })
      yield* meanwhile(alice.sendText("Hello.", { id: "i" }))
      expect((yield* session.conversation).items.map((item) => item.id)).toContain("i")
    })
  )

  it.scoped("of a later version is refused, and its additions to known ones are not", () =>
    Effect.gen(function* () {
      const { one } = yield* pair(desk, [])
      const carried = (command: unknown) =>
        one.host.carry({ version: 2, commandId: JSON.stringify(command), callId: "alice", command })
      expect(yield* carried({ _tag: "Interrupt", softly: true })).toEqual({ _tag: "Done" })
      expect(yield* Effect.flip(carried({ _tag: "Whisper" }))).toMatchObject({ _tag: "CommandUnknown", version: 1 })
    })
  )

  it.scoped("that is none is refused in few words, whatever it is, and disturbs nothing", () =>
    Effect.gen(function* () {
      const { alice, one } = yield* pair(desk, [[say("Good day!")]])
      const deep: unknown = JSON.parse(`${"[".repeat(50_000)}${"]".repeat(50_000)}`)
      const junk = [null, "x", [], { _tag: "X".repeat(1_000_000) }, { _tag: "SendText", text: deep }, deep]
      for (const [index, command] of junk.entries()) {
        const envelope = { version: 1, commandId: `junk ${index}`, callId: "alice", command }
        const error = yield* Effect.flip(one.host.carry(envelope))
        expect(error._tag).toBe("CommandUnknown")
        expect(error.message.length).toBeLessThan(1_000)
      }
      yield* meanwhile(alice.sendText("Hello."))
    })
  )

  it.scoped("to a call that nobody answers for fails in time, with what the last try met", () =>
    Effect.gen(function* () {
      const { alice, one, two } = yield* pair(desk, [])
      yield* two.kill
      yield* one.kill
      expect(yield* meanwhile(Effect.flip(alice.interrupt))).toMatchObject({ _tag: "CallUnreachable", callId: "alice" })
    })
  )
})

describe("A caller who comes back", () => {
  it.scoped("finds the call at another node, with what was said, and is heard there", () =>
    Effect.gen(function* () {
      const { alice, one, two } = yield* pair(desk, [[say("Good day!")]], [[say("Again.")]])
      yield* meanwhile(alice.sendText("Hello."))
      yield* pass(1)
      const session = yield* meanwhile(two.host.adopt("alice"))
      expect(yield* wordsOf(session)).toEqual(["Hello.", "Good day!"])
      expect(yield* one.host.count).toBe(0)
      const heard: Array<string> = []
      yield* two.host.attend("alice", { onEvent: ({ _tag }) => heard.push(_tag) })
      yield* session.sendText("Still there?")
      yield* pass(1)
      expect(heard).toContain("ResponseDone")
      expect(yield* meanwhile(two.host.adopt("alice"))).toBe(session)
      expect(yield* meanwhile(Effect.flip(two.host.adopt("bob")))).toMatchObject({ _tag: "CallUnknown" })
      yield* meanwhile(alice.close)
      yield* pass(1)
      expect(yield* meanwhile(Effect.flip(two.host.adopt("alice")))).toMatchObject({ _tag: "CallEnded" })
    })
  )

  it.scoped("need not wait for anybody if the node has died", () =>
    Effect.gen(function* () {
      const { one, two } = yield* pair(desk, [])
      yield* one.kill
      yield* meanwhile(two.host.adopt("alice"))
      expect(yield* two.host.count).toBe(1)
    })
  )

  it.scoped("finds no call that ended when its node died, and none that nobody attended", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const options = { ...lease, abandonAfter: "10 seconds" } as const
      const one = yield* cluster.node(1, { agent: desk, options })
      const two = yield* cluster.node(2, { agent: desk, options })
      const session = yield* meanwhile(one.host.start({ callId: "alice" }))
      yield* Effect.scoped(Effect.zipRight(one.host.attend("alice"), pass(14)))
      expect(yield* one.host.count).toBe(1)
      // The call ends, and the process dies before the directory knows.
      yield* one.line("silent")
      yield* meanwhile(session.close)
      yield* one.kill
      yield* pass(8)
      expect(yield* cluster.directory.find("alice")).toMatchObject({ state: "ended" })
      yield* meanwhile(two.host.start({ callId: "bob" }))
      yield* pass(12)
      expect(yield* two.host.count).toBe(0)
    })
  )
})

describe("A node", () => {
  it.scoped("keeps its lease while it closes many calls, however long their tools take to stop", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const options = { ...lease, abandonAfter: "6 seconds" } as const
      const one = yield* cluster.node(1, {
        agent: slow,
        options,
        turns: Array.from({ length: 6 }, () => [call("deaf")])
      })
      const two = yield* cluster.node(2, { agent: slow, options })
      yield* meanwhile(one.host.start({ callId: "alice" }))
      yield* one.host.attend("alice")
      yield* pass(4)
      const sessions = yield* meanwhile(Effect.forEach(["a", "b", "c", "d", "e", "f"], () => one.host.start()))
      yield* Effect.forEach(sessions, (session) => session.sendText("Do it."))
      yield* pass(1)
      const open = yield* Effect.forEach(sessions, ({ openCalls }) => openCalls)
      const states = yield* Effect.replicateEffect(Effect.zipRight(TestClock.adjust("250 millis"), one.host.health), 48)
      expect(open.map((calls) => calls.length)).toEqual([1, 1, 1, 1, 1, 1])
      expect(new Set(states.map(({ state }) => state))).toEqual(new Set(["Accepting"]))
      expect(yield* two.host.count).toBe(0)
      expect(yield* one.host.count).toBe(1)
      expect(yield* cluster.directory.find("alice")).toMatchObject({ epoch: 1, state: "live" })
    })
  )

  it.scoped("takes no more calls than it may, and none twice", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const one = yield* cluster.node(1, { agent: desk, options: { maxCalls: 2 } })
      yield* meanwhile(one.host.start({ callId: "alice" }))
      expect(yield* Effect.flip(one.host.start({ callId: "alice" }))).toMatchObject({ _tag: "CallExists" })
      yield* meanwhile(one.host.start())
      expect(yield* Effect.flip(one.host.start())).toMatchObject({ _tag: "NotAccepting", reason: "full" })
      expect((yield* one.host.health).state).toBe("Full")
      const two = yield* cluster.node(2, { agent: desk })
      expect(yield* meanwhile(Effect.flip(two.host.start({ callId: "alice" })))).toMatchObject({ _tag: "CallExists" })
      yield* meanwhile(cluster.calls.get("alice").close)
      yield* pass(1)
      expect(yield* meanwhile(Effect.flip(one.host.start({ callId: "alice" })))).toMatchObject({ _tag: "CallExists" })
    })
  )

  it.scoped("does not start at the address of one that is alive", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const one = yield* cluster.node(1, { agent: desk, options: lease })
      expect(yield* meanwhile(Effect.flip(cluster.node(1, { agent: desk, options: lease })))).toMatchObject({
        _tag: "AddressInUse",
        nodeId: one.host.node.nodeId
      })
      yield* one.kill
      yield* meanwhile(cluster.node(1, { agent: desk, options: lease }))
    })
  )

  it.scoped("refuses options that cannot be meant", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const options = { lease: "10 millis", drain: { mode: "run" as never } } as const
      const error = yield* Effect.flip(cluster.node(1, { agent: desk, options }))
      expect(error).toMatchObject({ _tag: "OptionsInvalid", problems: [{ option: "lease" }, { option: "drain.mode" }] })
    })
  )
})
