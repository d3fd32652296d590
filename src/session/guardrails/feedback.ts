import type { Item } from "../../Conversation.js"
import type { Subject } from "./Guardrails.js"

const prefix = "fbk"

/** The prefix of the id of an item that says why these words must not stand. */
export const prefixOf = (subject: Subject): string => (subject._tag === "User" ? prefix : "itm")

/** Whether an item tells the model that words of the user's must not stand. */
export const isFeedback = ({ id }: Item): boolean => id.startsWith(`${prefix}_`)
