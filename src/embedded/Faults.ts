/**
 * Faults on demand. A fault is a function: it sees each step of the server, and may return other actions than passing
 * the event on.
 */
import type * as Duration from "effect/Duration"
import type { Fault } from "./Fault.js"
import {
  type Action,
  answer,
  close,
  collide,
  drop,
  pass,
  refuse,
  respond,
  send,
  sendText,
  wait
} from "./FaultAction.js"
import { fail, stall } from "./Mind.js"
import { isObject, type JsonObject } from "./Shape.js"

export * from "./Fault.js"
export * from "./FaultAction.js"

/**
 * Where a fault applies: to the `nth` event of its kind, or to the `first` events (if both are left out, to each), on
 * the `connection` with this number (if left out, on each).
 *
 * @since 0.1.0
 * @category faults
 */
export interface Where {
  readonly nth?: number
  readonly first?: number
  readonly connection?: number
}

const isAt = (where: Where, connection: number, nth: number): boolean =>
  (where.connection ?? connection) === connection && (where.nth ?? nth) === nth && nth <= (where.first ?? nth)

/**
 * What happens to the events of a type: a list of actions, or a function that returns one for each event.
 *
 * @since 0.1.0
 * @category faults
 */
export type Actions = ReadonlyArray<Action> | ((event: JsonObject) => ReadonlyArray<Action> | undefined)

const strike =
  (tag: "Incoming" | "Outgoing") =>
  (type: string, actions: Actions, where: Where = {}): Fault =>
  (step) => {
    if (step._tag !== tag || (type !== "*" && step.type !== type)) return undefined
    if (!isAt(where, step.connection, type === "*" ? step.index : step.nth)) return undefined
    return typeof actions === "function" ? actions(step.event) : actions
  }

/**
 * Applies when a client event of this type (`*`: any) arrives.
 *
 * @since 0.1.0
 * @category faults
 */
export const onClientEvent = strike("Incoming")

/**
 * Applies when the server is about to send an event of this type (`*`: any).
 *
 * @since 0.1.0
 * @category faults
 */
export const onServerEvent = strike("Outgoing")

/**
 * Applies when a turn of the user is over, and the server is about to respond to it by itself.
 *
 * @since 0.1.0
 * @category faults
 */
export const onTurn =
  (actions: ReadonlyArray<Action>, where: Where = {}): Fault =>
  (step) =>
    step._tag === "Responding" && isAt(where, step.connection, step.nth) ? actions : undefined

/**
 * Applies at the handshake.
 *
 * @since 0.1.0
 * @category faults
 */
export const onConnect =
  (actions: ReadonlyArray<Action>, where: { readonly connection?: number } = {}): Fault =>
  (step) =>
    step._tag === "Connecting" && (where.connection ?? step.connection) === step.connection ? actions : undefined

const refuseWith = (status: number, body = "", retryAfterMs?: number): Action => ({
  _tag: "RefuseHandshake",
  status,
  body,
  retryAfterMs
})

/**
 * Answers the handshake with an HTTP status. `retryAfterMs`: how long the client should wait, sent in a header.
 *
 * @since 0.1.0
 * @category faults
 */
export const refuseHandshake = (
  status: number,
  body = "",
  where?: { readonly connection?: number; readonly retryAfterMs?: number }
): Fault => onConnect([refuseWith(status, body, where?.retryAfterMs)], where)

/**
 * Never answers the handshake.
 *
 * @since 0.1.0
 * @category faults
 */
export const hangHandshake = (where?: { readonly connection?: number }): Fault => onConnect([{ _tag: "Hang" }], where)

/**
 * Delays each server event of the type.
 *
 * @since 0.1.0
 * @category faults
 */
export const delay = (type: string, duration: Duration.DurationInput, where?: Where): Fault =>
  onServerEvent(type, [wait(duration), pass], where)

/**
 * Drops the connection without a CLOSE frame instead of sending its n-th event.
 *
 * @since 0.1.0
 * @category faults
 */
export const dropAtEvent = (n: number, where: Where = {}): Fault => onServerEvent("*", [drop], { ...where, nth: n })

/**
 * Drops several connections: number 1 instead of sending the event with the first number, and so on. Connections whose
 * number is left out or 0, and those after the last number, are not dropped.
 *
 * @since 0.1.0
 * @category faults
 */
export const dropAtEvents =
  (counts: ReadonlyArray<number | undefined>): Fault =>
  (step) =>
    step._tag === "Outgoing" && step.index === counts[step.connection - 1] ? [drop] : undefined

/**
 * Closes the connection with a code in place of its n-th event.
 *
 * @since 0.1.0
 * @category faults
 */
export const closeAtEvent = (n: number, code: number, reason = "", where: Where = {}): Fault =>
  onServerEvent("*", [close(code, reason)], { ...where, nth: n })

/**
 * Ends a requested response as failed.
 *
 * @since 0.1.0
 * @category faults
 */
export const failResponse = (code: string, where?: Where): Fault =>
  onClientEvent("response.create", [answer(fail(code)), pass], where)

/**
 * Begins a requested response, and then says nothing.
 *
 * @since 0.1.0
 * @category faults
 */
export const stallResponse = (where?: Where): Fault => onClientEvent("response.create", [answer(stall), pass], where)

/**
 * Never answers a `response.create`.
 *
 * @since 0.1.0
 * @category faults
 */
export const ignoreResponseCreate = (where?: Where): Fault => onClientEvent("response.create", [], where)

/**
 * Refuses a `response.create`: `server_error` and `rate_limit_exceeded` for reasons that may pass.
 *
 * @since 0.1.0
 * @category faults
 */
export const refuseResponseCreate = (
  code: string,
  message = "The server had an error while processing your request. Sorry about that!",
  where?: Where
): Fault => onClientEvent("response.create", [refuse(code, message)], where)

/**
 * Never announces a response: its other events are all that is heard of it.
 *
 * @since 0.1.0
 * @category faults
 */
export const withholdResponseCreated = (where?: Where): Fault => onServerEvent("response.created", [], where)

/**
 * Never responds to a turn of the user, though the session wants that of the server.
 *
 * @since 0.1.0
 * @category faults
 */
export const ignoreTurn = (where?: Where): Fault => onTurn([], where)

/**
 * Ends the server's own response to a turn of the user as failed.
 *
 * @since 0.1.0
 * @category faults
 */
export const failTurn = (code: string, where?: Where): Fault => onTurn([answer(fail(code)), pass], where)

/**
 * Begins the server's own response to a turn of the user, and then says nothing.
 *
 * @since 0.1.0
 * @category faults
 */
export const stallTurn = (where?: Where): Fault => onTurn([answer(stall), pass], where)

/**
 * A response of the server's own wins the race against a `response.create`, which is refused. The client sees the
 * other response's `response.created` before that error, or after it.
 *
 * @since 0.1.0
 * @category faults
 */
export const vadWins = (order: "created-first" | "error-first", where?: Where): Fault =>
  onClientEvent("response.create", order === "created-first" ? [respond, pass] : [collide], where)

/**
 * Takes a `session.update`, but never says so.
 *
 * @since 0.1.0
 * @category faults
 */
export const withholdSessionUpdated = (where?: Where): Fault => onServerEvent("session.updated", [], where)

/**
 * Refuses a `session.update`.
 *
 * @since 0.1.0
 * @category faults
 */
export const refuseSessionUpdate = (code: string, message: string, where?: Where): Fault =>
  onClientEvent("session.update", [refuse(code, message)], where)

/**
 * Sends each event of the type twice.
 *
 * @since 0.1.0
 * @category faults
 */
export const duplicate = (type: string, where?: Where): Fault => onServerEvent(type, [pass, pass], where)

/**
 * Sends an event of a type that nobody knows before the event.
 *
 * @since 0.1.0
 * @category faults
 */
export const unknownEvent = (before: string, where?: Where): Fault =>
  onServerEvent(before, [send({ type: "session.quantum_state", state: { spin: "up" } }), pass], where)

/**
 * Adds fields that nobody knows to an event.
 *
 * @since 0.1.0
 * @category faults
 */
export const extraFields = (type: string, where?: Where): Fault =>
  onServerEvent(type, (event) => [send({ ...event, novelty: { since: 2027 } })], where)

/**
 * Sends what is not JSON before the event.
 *
 * @since 0.1.0
 * @category faults
 */
export const malformedFrame = (before: string, text = '{"type":"response.', where?: Where): Fault =>
  onServerEvent(before, [sendText(text), pass], where)

/**
 * Errors do not say which event they are about.
 *
 * @since 0.1.0
 * @category faults
 */
export const errorWithoutEventId = (where?: Where): Fault =>
  onServerEvent(
    "error",
    (event) => [send({ ...event, error: { ...(isObject(event["error"]) ? event["error"] : {}), event_id: null } })],
    where
  )

/**
 * Function calls are announced in `response.done` only.
 *
 * @since 0.1.0
 * @category faults
 */
export const callsOnlyInResponseDone: Fault = (step) =>
  step._tag === "Outgoing" &&
  (step.type.startsWith("response.function_call_arguments.") ||
    (isObject(step.event["item"]) && step.event["item"]["type"] === "function_call"))
    ? []
    : undefined

/** A number in [0, 1) that depends on its inputs only. */
const chance = (...inputs: ReadonlyArray<number>): number => {
  let hash = 0x9e3779b9
  for (const input of inputs) {
    hash = Math.imul(hash ^ (input + 0x6d2b79f5), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    hash ^= hash >>> 16
  }
  return (hash >>> 0) / 4_294_967_296
}

/**
 * Faults at random moments, the same ones for the same seed.
 *
 * @since 0.1.0
 * @category faults
 */
export const random = (options: {
  readonly seed: number
  /** Chance that an event is struck, from 0 to 1; 0.02 by default. */
  readonly rate?: number
  /** Whether connections may end; true by default. */
  readonly disconnects?: boolean
  /**
   * Chance that a handshake is slow, or refused with a status after which trying again makes sense, from 0 to 1. 0 by
   * default, for a client that does not try again.
   */
  readonly handshakeRate?: number
}): Fault => {
  const rate = options.rate ?? 0.02
  const handshakeRate = options.handshakeRate ?? 0
  const handshakes: ReadonlyArray<ReadonlyArray<Action>> = [
    [refuseWith(429)],
    [refuseWith(500)],
    [refuseWith(503)],
    [wait("2 seconds")],
    [wait("2 seconds"), refuseWith(503)]
  ]
  const outgoing: ReadonlyArray<(event: JsonObject) => ReadonlyArray<Action>> = [
    () => [pass, pass],
    () => [wait("250 millis"), pass],
    () => [sendText("not JSON"), pass],
    () => [send({ type: "session.quantum_state" }), pass],
    (event) => [send({ ...event, novelty: true })],
    ...(options.disconnects === false ? [] : [() => [drop], () => [close(1011, "Internal error")]])
  ]
  return (step) => {
    if (step._tag === "Connecting") {
      if (chance(options.seed, step.connection, 0) >= handshakeRate) return undefined
      return handshakes[Math.floor(chance(options.seed + 1, step.connection, 0) * handshakes.length)]
    }
    if (step._tag === "Responding") return undefined
    const direction = step._tag === "Incoming" ? 1 : 2
    if (chance(options.seed, step.connection, direction, step.index) >= rate) return undefined
    const choice = chance(options.seed + 1, step.connection, direction, step.index)
    if (step._tag === "Outgoing") return outgoing[Math.floor(choice * outgoing.length)]?.(step.event)
    if (step.type !== "response.create") return undefined
    return choice < 0.5 ? [answer(fail("server_error")), pass] : [collide]
  }
}
