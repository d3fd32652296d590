/** The agent of the nodes: a tool for each way in which a call of a tool can outlive its node, or not. */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Agent from "../../src/Agent.js"
import * as Tool from "../../src/Tool.js"
import type { Act } from "./machines.js"

const file = process.env["ACTS_FILE"] ?? "acts"
const node = process.env["NODE_NAME"] ?? "node"

/** What a handler does to the world, durably, and before anything else can happen. */
export const act = (done: Omit<Act, "node" | "at">): void => {
  const opened = openSync(file, "a")
  writeSync(opened, `${JSON.stringify({ ...done, node, at: Date.now() } satisfies Act)}\n`)
  fsyncSync(opened)
  closeSync(opened)
}

export const parameters = { call: Schema.String, turn: Schema.Int, ms: Schema.Int }

const tool = (
  name: string,
  description: string,
  policy: { readonly approval?: boolean; readonly idempotent?: boolean }
) =>
  Tool.make(name, {
    description,
    parameters,
    timeout: "2 minutes",
    ...policy,
    handler: ({ call, ms, turn }, { idempotencyKey }) =>
      Effect.sync(() => act({ tool: name, call, turn, key: idempotencyKey })).pipe(
        Effect.zipRight(Effect.sleep(ms)),
        Effect.as(`${name} in turn ${turn}`)
      )
  })

export const note = tool("note", "Notes something down, at once.", {})
export const book = tool("book", "Books something. It must not run twice.", {})
export const look = tool("look", "Looks something up. It may run again.", { idempotent: true })
export const pay = tool("pay", "Pays something, once somebody has approved it.", { approval: true })

export const settings = {
  output_modalities: [process.env["MODALITY"] === "audio" ? "audio" : "text"]
} satisfies Agent.Settings

export const instructions = "Do what the caller asks."
