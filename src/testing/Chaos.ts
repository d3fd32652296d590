import type { Fault, Step } from "../embedded/Fault.js"
import type { Action as FaultAction } from "../embedded/FaultAction.js"
import * as Faults from "../embedded/Faults.js"
import { type McpResult, mcpApprovalRequest, mcpCall } from "../embedded/McpParts.js"
import * as Mind from "../embedded/Mind.js"
import { isObject, type JsonObject } from "../embedded/Shape.js"
import type { Action, Outage, Program, ReplyPart } from "./Program.js"
import type { Weather } from "./storage.js"

/** The model and the network in a program: replies in order, and faults that steps have armed. */
export interface Chaos {
  readonly mind: Mind.Mind
  readonly fault: Fault
  /** Arms a fault. Returns whether the action is a fault. */
  readonly arm: (action: Action) => boolean
  /** The current state of the journal's storage. */
  readonly weather: () => Weather
  /** Whether the server's events are held back, or a session waits for its journal. */
  readonly isHolding: () => boolean
  /** From now on, faults that were armed and did not happen will not happen. */
  readonly disarm: () => void
}

/** The name of the server's own tool. No agent has a tool with this name. */
const hostedTool = "a_hosted_tool"

interface Armed {
  readonly matches: (
    direction: "Incoming" | "Outgoing" | "Responding",
    type: string,
    connection: number,
    event: JsonObject
  ) => boolean
  readonly actions: ReadonlyArray<FaultAction>
  /** How long it holds back the server, in milliseconds. */
  readonly holds: number
}

const race = (order: "created-first" | "error-first" | "before-item"): ReadonlyArray<FaultAction> =>
  order === "error-first" ? [Faults.collide] : [Faults.respond, Faults.pass]

/** The type of a step's event. Outputs have their own type. */
const typeOf = (step: Exclude<Step, { readonly _tag: "Connecting" }>): string => {
  if (step._tag === "Responding") return "turn"
  const item = step.event["item"]
  const isOutput = step._tag === "Incoming" && isObject(item) && item["type"] === "function_call_output"
  return isOutput ? "function_call_output" : step.type
}

/** @param label that of a hosted server of the agents, if they have one */
export const make = (program: Program, now: () => number, label = "host"): Chaos => {
  let armed: ReadonlyArray<Armed> = []
  let handshakes = { count: 0, status: 503 }
  let replies = 0
  let calls = 0
  let heldUntil = 0
  let outage: { readonly how: Outage; readonly until: number } | undefined

  const part = (one: ReplyPart): Mind.Part => {
    switch (one._tag) {
      case "Says":
        return Mind.say(one.text)
      case "Calls":
        if (!one.repeatsId || calls === 0) calls += 1
        return Mind.call(one.name, one.args, { callId: `call_${calls}` })
      case "CallsHosted": {
        const result: McpResult = one.succeeds
          ? { output: "found" }
          : { error: { type: "http_error", code: 502, message: "No." } }
        const call = one.runs === "when approved" ? mcpApprovalRequest : mcpCall
        const runs = one.runs === "after" ? ("after" as const) : ("within" as const)
        return call(label, hostedTool, {}, result, { runs, item: one.item, takes: one.ms })
      }
      case "Pauses":
        return Mind.pause(one.ms)
      case "Fails":
        return Mind.fail(one.code)
      case "IsCutShort":
        return Mind.cutShort("max_output_tokens")
      case "Stalls":
        return Mind.stall
    }
  }

  const add = (matches: Armed["matches"], actions: ReadonlyArray<FaultAction>, holds = 0): true => {
    armed = [...armed, { matches, actions, holds }]
    return true
  }

  const incoming = (wanted: string) => (direction: string, type: string) => direction === "Incoming" && type === wanted

  /**
   * The connections on which the model was asked to speak: no server speaks by itself before it was sent the
   * conversation.
   */
  const talking = new Set(program.beginning._tag === "Resumed" ? [] : [1])
  const isItem = (direction: string, type: string, connection: number) =>
    direction === "Incoming" &&
    (type === "conversation.item.create" || type === "function_call_output") &&
    talking.has(connection)

  return {
    mind: Mind.fromFunction(() => {
      const parts = program.replies[replies] ?? [{ _tag: "Says", text: "That is all." }]
      replies += 1
      return parts.map(part)
    }),
    fault: (step) => {
      if (step._tag === "Connecting") {
        if (handshakes.count === 0) return undefined
        handshakes = { ...handshakes, count: handshakes.count - 1 }
        return Faults.refuseHandshake(handshakes.status)(step)
      }
      const type = typeOf(step)
      if (type === "response.create") talking.add(step.connection)
      const found = armed.find(({ matches }) =>
        matches(step._tag, type, step.connection, step._tag === "Responding" ? {} : step.event)
      )
      if (found === undefined) return undefined
      armed = armed.filter((other) => other !== found)
      // Another connection may already be held back for longer.
      heldUntil = Math.max(heldUntil, now() + found.holds)
      return found.actions
    },
    arm: (action) => {
      switch (action._tag) {
        case "ServerWinsRace":
          return add(action.order === "before-item" ? isItem : incoming("response.create"), race(action.order))
        case "ServerRefuses": {
          const refusal = [Faults.refuse(action.code, "Refused, for a change.", { echo: action.echo })]
          for (let time = 0; time < action.times; time += 1) add(incoming(action.type), refusal)
          return true
        }
        case "ServerIsSlow":
          return add((direction) => direction === "Outgoing", [Faults.wait(action.ms), Faults.pass], action.ms)
        case "ServerRepeats":
          return add((direction, type) => direction === "Outgoing" && type === action.type, [Faults.pass, Faults.pass])
        case "ServerIgnores":
          return add(action.type === "turn" ? (direction) => direction === "Responding" : incoming(action.type), [])
        case "ServerWithholds":
          // For an out-of-band response, nobody could tell which request it answers if the user is owed one too.
          return add(
            (direction, type, _, { response }) =>
              direction === "Outgoing" &&
              type === action.type &&
              isObject(response) &&
              response["conversation_id"] !== null,
            []
          )
        case "HandshakesFail":
          handshakes = { count: action.count, status: action.status }
          return true
        case "JournalIsAway": {
          // One at a time.
          if (outage !== undefined && outage.until > now()) return true
          outage = {
            how: action.how,
            until: action.how === "is taken" ? Number.POSITIVE_INFINITY : now() + action.forMs
          }
          return true
        }
        default:
          return false
      }
    },
    weather: () => {
      const endsInMs = (outage?.until ?? 0) - now()
      return outage === undefined || endsInMs <= 0 ? { _tag: "Fine" } : { _tag: "Away", how: outage.how, endsInMs }
    },
    isHolding: () => now() < heldUntil || (outage?.how === "is slow" && now() < outage.until),
    disarm: () => {
      armed = []
      handshakes = { ...handshakes, count: 0 }
      // Another process keeps the journal.
      if (outage?.how !== "is taken") outage = undefined
    }
  }
}
