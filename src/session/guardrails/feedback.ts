import type { Item } from "../../Conversation.js"

/** The prefix of the id of an item that says why words must not stand: words of the user's, or of the model's. */
export const prefixes = { User: "fbk", Model: "itm" } as const

/** Whether an item tells the model that words of the user's must not stand. */
export const isFeedback = ({ id }: Item): boolean => id.startsWith(`${prefixes.User}_`)
