/** What happens in the call, line by line, with the time since it began. */
import { Clock, Console, Effect } from "effect"
import type { SessionEvent } from "effect-realtime"
import type { PhoneCall } from "effect-realtime/Telephony"
import { type Terminal, visible, wrap } from "../concierge/terminal.js"

export interface Timeline {
  readonly caller: (text: string) => Effect.Effect<void>
  readonly onEvent: (event: SessionEvent.SessionEvent) => void
  readonly onPhoneEvent: (event: PhoneCall.PhoneEvent) => void
}

const whoWidth = 8

export const make = (terminal: Terminal) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const began = yield* Clock.currentTimeMillis
    const print = (who: string, text: string, paint = (line: string) => line): void => {
      const seconds = ((clock.unsafeCurrentTimeMillis() - began) / 1_000).toFixed(1).padStart(5)
      const [first = "", ...others] = wrap(visible(text), terminal.width - whoWidth - 9)
      console.log(`${terminal.dim(seconds)}  ${terminal.bold(who.padEnd(whoWidth))}${paint(first)}`)
      for (const line of others) console.log(" ".repeat(whoWidth + 7) + paint(line))
    }
    const onEvent = (event: SessionEvent.SessionEvent) => {
      switch (event._tag) {
        case "UserTranscriptCompleted":
          return print("", `understood as: ${event.transcript}`, terminal.dim)
        case "TextCompleted":
          return print("agent", event.text, terminal.cyan)
        case "ToolStarted":
          return print("tool", `${event.call.tool} ${event.call.arguments}`, terminal.dim)
        case "ToolSucceeded":
          return print("tool", event.output, terminal.green)
        case "ToolFailed":
          return print("tool", event.output ?? event.error.message, terminal.red)
        case "AudioInterrupted":
          return print("", `interrupted: heard ${event.heardMs} ms, and no more`, terminal.yellow)
        default:
          return undefined
      }
    }
    const timeline: Timeline = {
      caller: (text) => Effect.sync(() => print("caller", text)),
      onEvent,
      onPhoneEvent: ({ _tag, ...details }) => print("phone", [_tag, ...Object.values(details)].join(" "), terminal.dim)
    }
    yield* Console.log(terminal.dim("Each line begins with the seconds since the phone rang."))
    return timeline
  })
