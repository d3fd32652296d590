import type { Connect } from "../contenders/Client.js"
import type { Taken } from "../messages.js"

/** What a task measures besides the processor's time and the clock's. */
export interface Measured {
  readonly samples?: Taken["samples"]
  readonly values?: Taken["values"]
}

/** Each takes this much work, and ends when it is done. */
export type Steps = Readonly<Record<string, (amount: number) => Promise<Measured | undefined>>>

/** What a contender's process does, once for all contenders. */
export type Task = (connect: Connect, url: string, bytes: number) => Promise<Steps>
