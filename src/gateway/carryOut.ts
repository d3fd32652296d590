/**
 * Carries out a client's command on the session, and returns the reply.
 */
import * as Effect from "effect/Effect"
import type { Settings } from "../Agent.js"
import type { Session } from "../Session.js"
import type { Command, GatewayMessage, Turns } from "./Protocol.js"

export type Reply = Extract<GatewayMessage, { readonly _tag: "Done" | "Failed" }>

type TurnDetection = NonNullable<NonNullable<Settings["audio"]>["input"]>["turn_detection"]

/** The settings for who decides when a turn ends. `detection` is the turn detection that the model's server uses. */
export const turnSettings = (turns: Turns, detection: TurnDetection): Settings => ({
  audio: { input: { turn_detection: turns === "detected" ? (detection ?? { type: "server_vad" }) : null } }
})

/** Every command except `HangUp`, which ends the call and its session. */
export type SessionCommand = Exclude<Command, { readonly _tag: "HangUp" }>

/**
 * @param detection the turn detection in the agent's settings
 * @param itemId for what the user writes; absent, the session makes one
 */
export const carryOut = <E>(
  session: Session<E>,
  command: SessionCommand,
  detection: TurnDetection,
  itemId?: string
): Effect.Effect<Reply> =>
  run(session, command, detection, itemId).pipe(
    Effect.map((itemId): Reply => ({ _tag: "Done", id: command.id, ...(itemId === undefined ? {} : { itemId }) })),
    Effect.catchAll(({ _tag, message }) =>
      Effect.succeed<Reply>({ _tag: "Failed", id: command.id, error: { _tag, message } })
    )
  )

interface Refused {
  readonly _tag: string
  readonly message: string
}

/** Returns the id of the item, if the command makes one. */
const run = <E>(
  session: Session<E>,
  command: SessionCommand,
  detection: TurnDetection,
  itemId: string | undefined
): Effect.Effect<string | undefined, Refused> => {
  const always = "always" in command && command.always === true
  switch (command._tag) {
    case "SendText":
      return session.sendText(command.text, itemId === undefined ? {} : { id: itemId })
    case "CommitAudio":
      return Effect.as(session.commitAudio, undefined)
    case "ClearAudio":
      return Effect.as(session.clearAudio, undefined)
    case "SetTurns":
      return Effect.as(session.updateConfig(turnSettings(command.turns, detection)), undefined)
    case "RequestResponse":
      return Effect.as(session.requestResponse(), undefined)
    case "Interrupt":
      return Effect.as(session.interrupt, undefined)
    case "Approve":
      return Effect.as(session.approve(command.callId, { always }), undefined)
    case "Reject":
      return Effect.as(session.reject(command.callId, command.reason, { always }), undefined)
  }
}
