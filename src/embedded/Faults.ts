/**
 * Faults on demand. A fault is a function: it sees each step of the server, and may answer with other actions than to
 * pass the event on.
 */
import type * as Duration from "effect/Duration"
import { fail, type Parts, stall } from "./Mind.js"
import { isObject, type JsonObject, type Refusal, refusal } from "./Shape.js"

/**
 * What the server is about to do.
 *
 * @since 0.1.0
 * @category faults
 */
export type Step =
  | { readonly _tag: "Connecting"; readonly connection: number }
  | EventStep<"Incoming">
  | EventStep<"Outgoing">

/**
 * An event that came from the client (`Incoming`), or that the server is about to send (`Outgoing`).
 *
 * @since 0.1.0
 * @category faults
 */
export interface EventStep<Tag extends string> {
  readonly _tag: Tag
  /** Which connection of the server this is, from 1. */
  readonly connection: number
  readonly type: string
  readonly event: JsonObject
  /** Which event of its type, on this connection and in this direction, from 1. */
  readonly nth: number
  /** Which event of any type, on this connection and in this direction, from 1. */
  readonly index: number
}

/**
 * What to do in place of passing an event on. Actions are taken in their order, so `[wait("1 second"), pass]` is a
 * delay, `[]` swallows the event, and `[pass, pass]` repeats it.
 *
 * @since 0.1.0
 * @category faults
 */
export type Action =
  | { readonly _tag: "Pass" }
  | { readonly _tag: "Send"; readonly event: JsonObject }
  | { readonly _tag: "SendText"; readonly text: string }
  | { readonly _tag: "Wait"; readonly duration: Duration.DurationInput }
  | { readonly _tag: "Refuse"; readonly refusal: Refusal; readonly echo: boolean }
  | { readonly _tag: "Respond" }
  | { readonly _tag: "Collide" }
  | { readonly _tag: "Answer"; readonly parts: Parts }
  | { readonly _tag: "Mute" }
  | { readonly _tag: "Close"; readonly code: number; readonly reason: string }
  | { readonly _tag: "Drop" }
  | { readonly _tag: "RefuseHandshake"; readonly status: number; readonly body: string }
  | { readonly _tag: "Hang" }

/**
 * Gives the actions for a step, or nothing where the step is none of its business. Of several faults, the first that
 * answers counts. An action that makes no sense at a step does nothing there.
 *
 * @since 0.1.0
 * @category faults
 */
export type Fault = (step: Step) => ReadonlyArray<Action> | undefined

/**
 * Passes the event on.
 *
 * @since 0.1.0
 * @category actions
 */
export const pass: Action = { _tag: "Pass" }

/**
 * Sends an event of the test's own, as it is.
 *
 * @since 0.1.0
 * @category actions
 */
export const send = (event: JsonObject): Action => ({ _tag: "Send", event })

/**
 * Sends a text frame that need not be JSON.
 *
 * @since 0.1.0
 * @category actions
 */
export const sendText = (text: string): Action => ({ _tag: "SendText", text })

/**
 * Waits; what comes after in this direction waits too.
 *
 * @since 0.1.0
 * @category actions
 */
export const wait = (duration: Duration.DurationInput): Action => ({ _tag: "Wait", duration })

/**
 * Answers an incoming event with an `error`, with its event id unless `echo` is false.
 *
 * @since 0.1.0
 * @category actions
 */
export const refuse = (code: string, message: string, options: { readonly echo?: boolean } = {}): Action => ({
  _tag: "Refuse",
  refusal: refusal(code, message),
  echo: options.echo ?? true
})

/**
 * Begins a response of the server's own, as voice activity detection does.
 *
 * @since 0.1.0
 * @category actions
 */
export const respond: Action = { _tag: "Respond" }

/**
 * Refuses an incoming `response.create` for a response whose `response.created` follows only now.
 *
 * @since 0.1.0
 * @category actions
 */
export const collide: Action = { _tag: "Collide" }

/**
 * Gives the parts of the next response, in place of the mind.
 *
 * @since 0.1.0
 * @category actions
 */
export const answer = (...parts: Parts): Action => ({ _tag: "Answer", parts })

/**
 * Sends nothing any more, while the connection stays open.
 *
 * @since 0.1.0
 * @category actions
 */
export const mute: Action = { _tag: "Mute" }

/**
 * Closes the connection with a CLOSE frame.
 *
 * @since 0.1.0
 * @category actions
 */
export const close = (code: number, reason = ""): Action => ({ _tag: "Close", code, reason })

/**
 * Ends the connection without a CLOSE frame.
 *
 * @since 0.1.0
 * @category actions
 */
export const drop: Action = { _tag: "Drop" }

/**
 * Where a fault strikes: the `nth` event of its kind (each, if left out), on the `connection` with that number (on
 * each, if left out).
 *
 * @since 0.1.0
 * @category faults
 */
export interface Where {
  readonly nth?: number
  readonly connection?: number
}

type Actions = ReadonlyArray<Action> | ((event: JsonObject) => ReadonlyArray<Action> | undefined)

const strike =
  (tag: "Incoming" | "Outgoing") =>
  (type: string, actions: Actions, where: Where = {}): Fault =>
  (step) => {
    if (step._tag !== tag || (type !== "*" && step.type !== type)) return undefined
    if (where.connection !== undefined && where.connection !== step.connection) return undefined
    if (where.nth !== undefined && where.nth !== (type === "*" ? step.index : step.nth)) return undefined
    return typeof actions === "function" ? actions(step.event) : actions
  }

/**
 * Strikes when a client event of this type (`*`: of any) arrives.
 *
 * @since 0.1.0
 * @category faults
 */
export const onClientEvent = strike("Incoming")

/**
 * Strikes when the server is about to send an event of this type (`*`: of any).
 *
 * @since 0.1.0
 * @category faults
 */
export const onServerEvent = strike("Outgoing")

/**
 * Strikes at the handshake.
 *
 * @since 0.1.0
 * @category faults
 */
export const onConnect =
  (actions: ReadonlyArray<Action>, where: { readonly connection?: number } = {}): Fault =>
  (step) =>
    step._tag === "Connecting" && (where.connection ?? step.connection) === step.connection ? actions : undefined

/**
 * Answers the handshake with an HTTP status.
 *
 * @since 0.1.0
 * @category faults
 */
export const refuseHandshake = (status: number, body = "", where?: { readonly connection?: number }): Fault =>
  onConnect([{ _tag: "RefuseHandshake", status, body }], where)

/**
 * Never answers the handshake.
 *
 * @since 0.1.0
 * @category faults
 */
export const hangHandshake = (where?: { readonly connection?: number }): Fault => onConnect([{ _tag: "Hang" }], where)

/**
 * Holds each server event of the type back.
 *
 * @since 0.1.0
 * @category faults
 */
export const delay = (type: string, duration: Duration.DurationInput, where?: Where): Fault =>
  onServerEvent(type, [wait(duration), pass], where)

/**
 * Drops the connection without a CLOSE frame in place of its n-th event.
 *
 * @since 0.1.0
 * @category faults
 */
export const dropAtEvent = (n: number, where: Where = {}): Fault => onServerEvent("*", [drop], { ...where, nth: n })

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
}): Fault => {
  const rate = options.rate ?? 0.02
  const outgoing: ReadonlyArray<(event: JsonObject) => ReadonlyArray<Action>> = [
    () => [pass, pass],
    () => [wait("250 millis"), pass],
    () => [sendText("not JSON"), pass],
    () => [send({ type: "session.quantum_state" }), pass],
    (event) => [send({ ...event, novelty: true })],
    ...(options.disconnects === false ? [] : [() => [drop], () => [close(1011, "Internal error")]])
  ]
  return (step) => {
    if (step._tag === "Connecting") return undefined
    const direction = step._tag === "Incoming" ? 1 : 2
    if (chance(options.seed, step.connection, direction, step.index) >= rate) return undefined
    const choice = chance(options.seed + 1, step.connection, direction, step.index)
    if (step._tag === "Outgoing") return outgoing[Math.floor(choice * outgoing.length)]?.(step.event)
    if (step.type !== "response.create") return undefined
    return choice < 0.5 ? [answer(fail("server_error")), pass] : [collide]
  }
}

/** Counts the events of one direction of one connection, and asks the faults about each. */
export class Counter {
  readonly #tag: "Incoming" | "Outgoing"
  readonly #connection: number
  readonly #faults: ReadonlyArray<Fault>
  readonly #byType = new Map<string, number>()
  #index = 0

  constructor(tag: "Incoming" | "Outgoing", connection: number, faults: ReadonlyArray<Fault>) {
    this.#tag = tag
    this.#connection = connection
    this.#faults = faults
  }

  strike(event: JsonObject): ReadonlyArray<Action> | undefined {
    if (this.#faults.length === 0) return undefined
    const type = typeof event["type"] === "string" ? event["type"] : ""
    const nth = (this.#byType.get(type) ?? 0) + 1
    this.#byType.set(type, nth)
    this.#index += 1
    return first(this.#faults, { _tag: this.#tag, connection: this.#connection, type, event, nth, index: this.#index })
  }
}

/** The actions of the first fault that has any. */
export const first = (faults: ReadonlyArray<Fault>, step: Step): ReadonlyArray<Action> | undefined => {
  for (const fault of faults) {
    const actions = fault(step)
    if (actions !== undefined) return actions
  }
  return undefined
}
