/**
 * Machines of their own for the network: a network namespace of Linux for each node, on a bridge with this process. What
 * travels between two of them can be lost without a word, as behind a switch that fails. It needs root.
 */
import { execFile, execFileSync } from "node:child_process"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface Machine {
  /** Its own address. */
  readonly host: string
  /** What a program is started with to run there. */
  readonly through: ReadonlyArray<string>
  /** Drops what it sends to an address. */
  readonly lose: (address: string) => Effect.Effect<void>
  readonly find: (address: string) => Effect.Effect<void>
}

export interface Network {
  /** Addresses of this process: one for the database, and another for all else, so that they can be lost apart. */
  readonly database: string
  readonly here: string
  readonly machines: ReadonlyArray<Machine>
}

const ip = (...args: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.async((resume) => {
    execFile("ip", [...args], (error) =>
      resume(error === null ? Effect.void : Effect.dieMessage(`ip ${args.join(" ")}: ${error.message}`))
    )
  })

/** Whether this process may make namespaces, and what the tests say if it may not. */
export const isAllowed: boolean = (() => {
  const name = `er-probe-${process.pid}`
  try {
    execFileSync("ip", ["netns", "add", name], { stdio: "ignore" })
    execFileSync("ip", ["netns", "exec", name, "true"], { stdio: "ignore" })
    return true
  } catch {
    return false
  } finally {
    try {
      execFileSync("ip", ["netns", "delete", name], { stdio: "ignore" })
    } catch {
      // It was not made.
    }
  }
})()
export const where: string = isAllowed ? "" : " (skipped: network namespaces need root and the command ip)"

let networks = 0

export const make = (count: number): Effect.Effect<Network, never, Scope.Scope> =>
  Effect.gen(function* () {
    networks += 1
    // Names of interfaces have 15 characters at most.
    const id = `er${process.pid % 100_000}x${networks}`
    const net = `10.231.${(process.pid + networks) % 256}`
    const bridge = `${id}br`
    yield* Effect.acquireRelease(ip("link", "add", bridge, "type", "bridge"), () => ip("link", "delete", bridge))
    const database = `${net}.1`
    const here = `${net}.2`
    yield* ip("addr", "add", `${database}/24`, "dev", bridge)
    yield* ip("addr", "add", `${here}/24`, "dev", bridge)
    yield* ip("link", "set", bridge, "up")
    const machines = yield* Effect.forEach(
      Array.from({ length: count }, (_, at) => at),
      (at) =>
        Effect.gen(function* () {
          const name = `${id}n${at}`
          const host = `${net}.${at + 11}`
          yield* Effect.acquireRelease(ip("netns", "add", name), () => ip("netns", "delete", name))
          yield* ip("link", "add", `${id}v${at}`, "type", "veth", "peer", "name", "eth0", "netns", name)
          yield* ip("link", "set", `${id}v${at}`, "master", bridge, "up")
          const inside = (...args: ReadonlyArray<string>) => ip("netns", "exec", name, "ip", ...args)
          yield* inside("link", "set", "lo", "up")
          yield* inside("addr", "add", `${host}/24`, "dev", "eth0")
          yield* inside("link", "set", "eth0", "up")
          return {
            host,
            through: ["ip", "netns", "exec", name],
            lose: (address) => inside("route", "add", "blackhole", `${address}/32`),
            find: (address) => inside("route", "delete", "blackhole", `${address}/32`)
          } satisfies Machine
        })
    )
    return { database, here, machines }
  })
