/** Bad days of machines: two with one address, clocks that differ, a network in two, a later version beside this one. */
import * as Effect from "effect/Effect"
import {
  command,
  directory,
  doneTwice,
  findings,
  must,
  say,
  startCalls,
  until,
  untilDone,
  untilTaken
} from "../calls.js"
import { milliseconds, spread } from "../figures.js"
import * as Network from "../network.js"
import * as Proxy from "../proxy.js"
import { type Check, expect, specs } from "./Check.js"

export const sameAddress: Check = {
  name: "same-address",
  title: "two nodes are given one address: the second one refuses to start and says why; the first one goes on",
  run: (stage) =>
    Effect.gen(function* () {
      const nodes = yield* stage.startAll(specs(2))
      const [first, other] = nodes
      if (first === undefined || other === undefined) return yield* Effect.dieMessage("It takes two nodes.")
      const names = (yield* startCalls([first], 2, stage.prefix)).map(({ call }) => call)
      const second = yield* stage.start({ ...first.spec, name: "second" })
      const since = Date.now()
      const ending = yield* Effect.timeoutOption(second.ended, "40 seconds")
      const tookMs = Date.now() - since
      yield* Effect.forEach(names, (call) => say(other, call, 1))
      yield* untilDone(stage.machines, names, 1)
      const log = second.log()
      return {
        figures: [`the second one gave up after ${milliseconds(tookMs)}`],
        violations: [
          ...(yield* findings(stage.machines, names)),
          ...expect(ending._tag === "Some" && ending.value.code !== 0, `The second node did not give up.`),
          ...expect(/AddressInUse|EADDRINUSE/.test(log), `The second node does not say why: ${log}`)
        ]
      }
    })
}

export const clocks: Check = {
  name: "clocks",
  title: "the clocks of the nodes are an hour apart: nobody is declared dead, and a dead one is taken over as ever",
  run: (stage) =>
    Effect.gen(function* () {
      const nodes = yield* stage.startAll([
        { name: "behind", clockMs: -3_600_000 },
        { name: "ahead", clockMs: 3_600_000 }
      ])
      const [behind, ahead] = nodes
      if (behind === undefined || ahead === undefined) return yield* Effect.dieMessage("It takes two nodes.")
      const calls = yield* startCalls(nodes, 3, stage.prefix)
      const names = calls.map(({ call }) => call)
      yield* Effect.forEach(names, (call) => say(ahead, call, 1, [{ tool: "note", ms: 0 }]))
      yield* untilDone(stage.machines, names, 1)
      yield* Effect.sleep(2 * stage.leaseMs)
      const rows = yield* directory(stage.database.query)
      const since = Date.now()
      yield* ahead.kill
      const taken = yield* untilTaken(
        stage.database.query,
        calls.filter(({ node }) => node === ahead).map(({ call }) => call),
        ahead,
        since
      )
      yield* Effect.forEach(names, (call) => say(behind, call, 2, [{ tool: "note", ms: 0 }]))
      yield* untilDone(stage.machines, names, 2)
      return {
        figures: [`two hours between them; the one ahead is killed: taken over ${spread(taken)}`],
        violations: [
          ...(yield* findings(stage.machines, names)),
          ...(yield* doneTwice(stage.machines, stage.prefix)),
          ...rows.filter(({ epoch }) => epoch !== 1).map(({ call, epoch }) => `${call} was taken in epoch ${epoch}.`)
        ]
      }
    })
}

/** The machines of a network that can be split, with a node on each. */
const apart = (stage: Parameters<Check["run"]>[0]) =>
  Effect.gen(function* () {
    const network = yield* Network.make(2)
    const proxy = yield* Proxy.make(stage.machines.postgres, network.database)
    const databaseUrl = new URL(stage.database.url)
    databaseUrl.hostname = network.database
    databaseUrl.port = String(proxy.port)
    const modelUrl = `ws://${network.here}:${stage.machines.modelPort}/v1/realtime`
    const nodes = yield* stage.startAll(
      network.machines.map(({ host, through }, at) => ({
        name: `n${at + 1}`,
        host,
        through,
        port: 34_431,
        databaseUrl: databaseUrl.href,
        modelUrl
      }))
    )
    const [a, b] = nodes
    const [machineA, machineB] = network.machines
    if (a === undefined || b === undefined || machineA === undefined || machineB === undefined) {
      return yield* Effect.dieMessage("It takes two machines.")
    }
    const calls = yield* startCalls(nodes, 3, stage.prefix)
    const names = calls.map(({ call }) => call)
    yield* Effect.forEach(names, (call) => say(a, call, 1, [{ tool: "note", ms: 0 }]))
    yield* untilDone(stage.machines, names, 1)
    const ofA = calls.filter(({ node }) => node === a).map(({ call }) => call)
    return { network, a, b, machineA, machineB, names, ofA }
  })

export const splitNodes: Check = {
  name: "split-nodes",
  title:
    "the network between two nodes is cut, both see the database: no call ends, commands fail typed, then work again",
  skipped: Network.isAllowed ? undefined : "network namespaces need root and the command ip",
  run: (stage) =>
    Effect.gen(function* () {
      const { a, b, machineA, machineB, names, ofA } = yield* apart(stage)
      yield* Effect.zipRight(machineA.lose(b.host), machineB.lose(a.host))
      const across = yield* Effect.forEach(ofA, (call) => command(b, call, { _tag: "Status" }, { deadlineMs: 4000 }), {
        concurrency: "unbounded"
      })
      yield* Effect.forEach(ofA, (call) => say(a, call, 2))
      yield* untilDone(stage.machines, ofA, 2)
      yield* Effect.sleep(2 * stage.leaseMs)
      yield* Effect.zipRight(machineA.find(b.host), machineB.find(a.host))
      const healed = Date.now()
      yield* Effect.forEach(names, (call) => must(b, call, { _tag: "Status" }), { concurrency: "unbounded" })
      const againMs = Date.now() - healed
      const rows = yield* directory(stage.database.query)
      const unreachable = across.filter(({ error }) => error?._tag === "CallUnreachable").length
      return {
        figures: [
          `across the cut: ${unreachable} of ${across.length} CallUnreachable, after ${spread(across.map(({ ms }) => ms))}`,
          `after it is mended, commands work again within ${milliseconds(againMs)}`
        ],
        violations: [
          ...(yield* findings(stage.machines, names)),
          ...rows
            .filter(({ epoch, state }) => epoch !== 1 || state !== "live")
            .map(({ call, epoch, state }) => `${call} is ${state} in epoch ${epoch}.`),
          ...expect(unreachable === across.length, `A command across the cut met something else.`),
          ...expect(
            across.every(({ ms }) => ms < 6000),
            `A command across the cut took longer than its deadline.`
          )
        ]
      }
    })
}

export const splitDatabase: Check = {
  name: "split-database",
  title: "a node is cut off from all but the model: its calls are taken over, its ghosts end when it is back",
  skipped: Network.isAllowed ? undefined : "network namespaces need root and the command ip",
  run: (stage) =>
    Effect.gen(function* () {
      const { a, b, machineA, machineB, names, network, ofA } = yield* apart(stage)
      const since = Date.now()
      yield* Effect.zipRight(
        machineA.lose(network.database),
        Effect.zipRight(machineA.lose(b.host), machineB.lose(a.host))
      )
      const taken = yield* untilTaken(stage.database.query, ofA, a, since)
      yield* Effect.forEach(ofA, (call) => say(b, call, 2, [{ tool: "book", ms: 0 }]))
      yield* untilDone(stage.machines, ofA, 2)
      yield* Effect.zipRight(
        machineA.find(network.database),
        Effect.zipRight(machineA.find(b.host), machineB.find(a.host))
      )
      const healed = Date.now()
      const ended = yield* until(
        "the ghosts' connections are over",
        40_000,
        Effect.map(stage.machines.facts, (facts) =>
          facts.flatMap(({ call, connections }) => (ofA.includes(call) ? (connections[0]?.endedAt ?? 0) : []))
        ),
        (all) => all.every((at) => at > 0),
        50
      )
      yield* Effect.forEach(names, (call) => say(a, call, 3))
      yield* untilDone(stage.machines, names, 3)
      return {
        figures: [
          `taken over: ${spread(taken)}`,
          `the ghosts ended ${spread(ended.map((at) => Math.max(0, at - healed)))} after the network was whole again`
        ],
        violations: [...(yield* findings(stage.machines, names)), ...(yield* doneTwice(stage.machines, stage.prefix))]
      }
    })
}

export const nextVersion: Check = {
  name: "next-version",
  title: "a node of the next version works beside this one, and what this one does not know is refused typed",
  run: (stage) =>
    Effect.gen(function* () {
      const [old, next] = yield* stage.startAll([{ name: "old" }, { name: "next", version: "next" }])
      if (old === undefined || next === undefined) return yield* Effect.dieMessage("It takes two nodes.")
      const ofOld = (yield* startCalls([old], 2, stage.prefix)).map(({ call }) => call)
      const ofNext = (yield* startCalls([next], 2, stage.prefix)).map(({ call }) => call)
      const names = [...ofOld, ...ofNext]
      yield* Effect.forEach(ofOld, (call) => say(next, call, 1))
      yield* Effect.forEach(ofNext, (call) => say(old, call, 1))
      yield* untilDone(stage.machines, names, 1)
      const [call = ""] = ofOld
      // What only the next version has, through its door.
      const unknown = yield* next.ask<{ readonly error?: { readonly _tag: string; readonly message: string } }>("raw", {
        call,
        command: { _tag: "Whisper", text: "psst" }
      })
      const since = Date.now()
      yield* next.kill
      const taken = yield* untilTaken(stage.database.query, ofNext, next, since)
      yield* Effect.forEach(names, (one) => say(old, one, 2))
      yield* untilDone(stage.machines, names, 2)
      return {
        figures: [
          `a command of the next version: ${unknown.error?._tag}; its calls are taken over after ${spread(taken)}`
        ],
        violations: [
          ...(yield* findings(stage.machines, names)),
          ...expect(unknown.error?._tag === "CommandUnknown", `It met ${unknown.error?._tag ?? "no error"}.`)
        ]
      }
    })
}

export const twice: Check = {
  name: "twice",
  title: "a command is sent twice, also through two nodes, and also after a take-over: it is carried out once",
  run: (stage) =>
    Effect.gen(function* () {
      const nodes = yield* stage.startAll(specs(2))
      const [owner, other] = nodes
      if (owner === undefined || other === undefined) return yield* Effect.dieMessage("It takes two nodes.")
      const names = (yield* startCalls([owner], 3, stage.prefix)).map(({ call }) => call)
      const again = (call: string, through: typeof owner) =>
        command(through, call, { _tag: "SendText", text: `${call} turn 1: book 0` }, { itemId: `itm_${call}` })
      const first = yield* Effect.forEach(
        names,
        (call) => Effect.all([again(call, owner), again(call, other)], { concurrency: "unbounded" }),
        { concurrency: "unbounded" }
      )
      yield* untilDone(stage.machines, names, 1)
      yield* owner.kill
      const late = yield* Effect.forEach(names, (call) => again(call, other), { concurrency: "unbounded" })
      yield* Effect.forEach(names, (call) => say(other, call, 2))
      yield* untilDone(stage.machines, names, 2)
      const refused = [...first.flat(), ...late].filter(({ error }) => error !== undefined)
      return {
        figures: [`${3 * names.length} sendings of ${names.length} commands`],
        violations: [
          ...(yield* findings(stage.machines, names)),
          ...(yield* doneTwice(stage.machines, stage.prefix)),
          ...refused.map(({ call, error }) => `${call}: ${error?._tag}: ${error?.message}`)
        ]
      }
    })
}
