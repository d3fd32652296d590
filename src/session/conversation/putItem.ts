import type { ItemParam } from "../../protocol/ItemParam.js"
import type { Parts } from "../Parts.js"
import { creationOf } from "./Creation.js"

/** A text message of the user. */
export const userText = (text: string, id?: string): ItemParam => ({
  type: "message",
  ...(id === undefined ? {} : { id }),
  role: "user",
  content: [{ type: "input_text", text }]
})

/** Adds an item of the application to the conversation. Returns its id. */
export const putItem = (session: Parts, item: ItemParam): string => {
  const { calls, guardrails, newId, outbox } = session
  const id = item.id ?? newId("itm")
  const isUsers = "role" in item && item.role === "user"
  if (isUsers) {
    calls.turnBegan()
    guardrails.turnBegan(id)
  }
  outbox.send(creationOf(id, { ...item, id }))
  if (isUsers) guardrails.wrote(id, item.content)
  return id
}
