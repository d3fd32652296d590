import * as Effect from "effect/Effect"
import type { Item } from "../Conversation.js"
import type { CallStage, JournalRecord, Settings } from "../journal/Record.js"
import type { Writer } from "../journal/Service.js"
import { forgetOldest } from "../machine/forgetOldest.js"
import { quietly } from "../tool/quietly.js"

/**
 * Writes what becomes of a session into its journal, before anybody hears of it: a call is there before its handler runs,
 * its output before the model reads it, an item before the application is told. Without a journal, it does nothing.
 */
export interface Recorder {
  /** Whether what happens has to be written first. */
  readonly isOn: () => boolean
  readonly opened: (agent: string, at: number) => void
  readonly settings: (agent: string, settings: Settings) => void
  /** The item is final, for now. `previousItemId`: the one before it, or `"root"`. */
  readonly item: (item: Item, previousItemId: string | undefined) => void
  readonly removed: (itemId: string) => void
  readonly call: (callId: string, to: CallStage) => void
  /** The last record, past the outbox: nothing is written behind it. */
  readonly ended: (reason: string, at: number) => Effect.Effect<void>
}

export interface Environment {
  readonly writer: Writer | undefined
  readonly sessionId: string
  readonly run: (effect: Effect.Effect<unknown>) => void
  /** Called once, when the journal can not be written any more. */
  readonly failed: (message: string) => void
}

/** How long a record may take. A journal that is slower than that holds up the call. */
const within = "5 seconds"

/** Items whose last record is remembered, so that an item that is announced twice is written once. */
const maxRemembered = 64

export const make = ({ failed, run, sessionId, writer }: Environment): Recorder => {
  const last = new Map<string, string>()
  let isOn = writer !== undefined

  const append = (record: JournalRecord): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (writer === undefined || !isOn) return Effect.void
      return quietly((theirs) =>
        theirs(Effect.suspend(() => writer.append([record]))).pipe(
          Effect.disconnect,
          Effect.timeoutFail({
            duration: within,
            onTimeout: () => ({ message: "A record took longer than 5 seconds." })
          })
        )
      ).pipe(
        Effect.catchAllDefect(() => Effect.fail({ message: "The journal failed for an internal reason." })),
        Effect.catchAll(({ message }) =>
          Effect.sync(() => {
            // With a hole in it, it would tell another story.
            isOn = false
            failed(message)
          })
        )
      )
    })

  const write = (record: JournalRecord): void => {
    if (isOn) run(append(record))
  }

  return {
    isOn: () => isOn,
    opened: (agent, at) => write({ _tag: "SessionOpened", sessionId, agent, at }),
    settings: (agent, settings) => write({ _tag: "SettingsConfirmed", agent, settings }),
    item: (item, previousItemId) => {
      if (!isOn) return
      const text = textOf([item, previousItemId])
      // What nests too deeply to be written could be told to no server either.
      if (text === undefined) return
      if (last.get(item.id) === text) return
      last.delete(item.id)
      last.set(item.id, text)
      forgetOldest(last, maxRemembered)
      write({ _tag: "ItemFinal", item, ...(previousItemId === undefined ? {} : { previousItemId }) })
    },
    removed: (itemId) => write({ _tag: "ItemRemoved", itemId }),
    call: (callId, to) => write({ _tag: "CallTransition", callId, to }),
    ended: (reason, at) => append({ _tag: "SessionEnded", reason, at })
  }
}

const textOf = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
