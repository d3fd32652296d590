import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as chrono from "chrono-node/en"
import type { Parts } from "../../../src/embedded/Mind.js"
import { finderOf } from "../../../src/embedded/router/chrono.js"
import { ask } from "../../../src/embedded/router/Phrases.js"
import { route } from "../../../src/embedded/router/Router.js"
import type { ServerItem } from "../../../src/embedded/ServerItem.js"
import { root } from "../../child.js"
import { type Expected, heldBack, now, type Row, sentences, toolsOf } from "./sentences.js"

const find = finderOf(chrono)

const message = (role: "user" | "assistant", text: string): ServerItem => ({
  id: "item",
  object: "realtime.item",
  type: "message",
  role,
  status: "completed",
  content: [role === "user" ? { type: "input_text", text } : { type: "output_text", text }]
})

/** What the router makes of the last of the sentences, after it has answered those before. */
const answered = ({ assistant, said }: Row): Parts => {
  const conversation: Array<ServerItem> = []
  let parts: Parts = []
  for (const sentence of said) {
    conversation.push(message("user", sentence))
    parts = route(
      {
        conversation,
        tools: toolsOf(assistant),
        toolChoice: { _tag: "Auto" },
        instructions: "",
        modality: "text",
        heard: () => undefined,
        origin: "client",
        responseId: "resp",
        metadata: null,
        hasSeen: () => true,
        ownInstructions: undefined
      },
      find,
      now
    )
    for (const part of parts) if (part._tag === "Say") conversation.push(message("assistant", part.text))
  }
  return parts
}

/** Calls with their arguments, and the property of a question. */
const resultOf = (row: Row): ReadonlyArray<Expected | { readonly says: string }> =>
  answered(row).map((part) => {
    if (part._tag === "Call") return { name: part.name, args: JSON.parse(part.arguments) }
    const text = part._tag === "Say" ? part.text : part._tag
    const asked = toolsOf(row.assistant).flatMap(({ name, parameters }) =>
      Object.keys(parameters["properties"] ?? {}).filter((property) => ask(name, property) === text)
    )
    return asked[0] === undefined ? { says: text } : { asks: asked[0] }
  })

const holds = (rows: ReadonlyArray<Row>) => {
  for (const row of rows) {
    const said = row.said.join(" / ")
    if (row.present === undefined) {
      it(said, () => expect(resultOf(row)).toEqual(row.expected))
    } else {
      it(`${said} (known not to be understood)`, () => {
        expect(resultOf(row)).toEqual(row.present)
        expect(row.present).not.toEqual(row.expected)
      })
    }
  }
}

const score = (rows: ReadonlyArray<Row>) =>
  `${rows.filter(({ present }) => present === undefined).length} of ${rows.length}`

describe("The router understands", () => {
  holds(sentences)
})

describe("Of the sentences that it was not made with, the router understands", () => {
  holds(heldBack)
})

describe("The guide to the embedded server", () => {
  it("says how many of the sentences are understood", () => {
    const guide = readFileSync(join(root, "docs/embedded-server.md"), "utf8").replace(/\s+/g, " ")
    expect(guide).toContain(
      `${score(sentences).replace("of", "of the")} sentences that it was developed with, and ${score(heldBack)} that were held back`
    )
  })
})
