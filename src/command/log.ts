/** The log of `effect-realtime serve`: what is logged, and how. */
import type { Activity } from "../embedded/ServerConnection.js"
import { isObject, type JsonObject, shown } from "../embedded/Shape.js"
import { visible } from "../embedded/visible.js"

/** The appearance of a log. */
export interface Style {
  readonly colour: boolean
}

const paint = (style: Style, code: number, text: string): string =>
  style.colour ? `\u001b[${code}m${text}\u001b[0m` : text

const DIM = 2
const GREEN = 32
const YELLOW = 33

/** The log line for an activity, if it is logged: connections, what the user typed, responses, and refusals. */
export const line = (activity: Activity, style: Style): string | undefined => {
  const who = paint(style, DIM, `#${activity.connection}`)
  switch (activity._tag) {
    case "Connected":
      return `${who} connected, model ${visible(activity.model)}`
    case "Ended": {
      const { ending } = activity
      switch (ending._tag) {
        case "Dropped":
          return `${who} dropped`
        case "ClosedByClient":
          return `${who} closed by the client, code ${ending.code}`
        case "ClosedByServer":
          return `${who} closed, code ${ending.code}`
      }
      break
    }
    case "Received":
      return received(activity.event, who)
    case "Sent":
      return sent(activity.event, who, style)
  }
}

const text = (value: unknown): string => visible(String(value))

const received = (event: JsonObject, who: string): string | undefined => {
  const item = event["item"]
  if (event["type"] !== "conversation.item.create" || !isObject(item)) return undefined
  if (item["type"] === "function_call_output") return `${who} output: ${visible(shown(item["output"]))}`
  const [part]: ReadonlyArray<unknown> = Array.isArray(item["content"]) ? item["content"] : []
  return isObject(part) && typeof part["text"] === "string" ? `${who} user: ${visible(part["text"])}` : undefined
}

const sent = (event: JsonObject, who: string, style: Style): string | undefined => {
  const { error, response } = event
  if (event["type"] === "error" && isObject(error)) {
    return `${who} ${paint(style, YELLOW, `refused (${text(error["code"])}): ${text(error["message"])}`)}`
  }
  if (event["type"] !== "response.done" || !isObject(response)) return undefined
  const output = Array.isArray(response["output"]) ? response["output"] : []
  const said = output.map(itemLine).filter((text) => text !== "")
  const status = paint(style, response["status"] === "completed" ? GREEN : YELLOW, text(response["status"]))
  return [`${who} response ${status}`, [...said, ...failureOf(response)].join("; ")]
    .filter((part) => part !== "")
    .join(": ")
}

/** Why a response failed. */
const failureOf = ({ status_details: details }: JsonObject): ReadonlyArray<string> => {
  const error = isObject(details) ? details["error"] : undefined
  return isObject(error) ? [`${text(error["code"])}: ${text(error["message"])}`] : []
}

const itemLine = (item: unknown): string => {
  if (!isObject(item)) return ""
  if (item["type"] === "function_call") return `calls ${text(item["name"])}(${text(item["arguments"])})`
  const [part]: ReadonlyArray<unknown> = Array.isArray(item["content"]) ? item["content"] : []
  return isObject(part) ? `says "${text(part["text"] ?? part["transcript"] ?? "")}"` : ""
}
