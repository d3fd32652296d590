import type { Item, Message, Part } from "../Conversation.js"
import type { Content, MessageItem, ServerItem } from "../embedded/ServerItem.js"
import * as Answers from "./answers.js"
import * as Gaps from "./gaps.js"
import { both, type Law } from "./Law.js"
import { type Moment, refusedEvent } from "./Observation.js"

/** A difference between the session and the server; `undefined` if they agree. */
type Difference = string | undefined

const wordsOfOurs = (content: ReadonlyArray<Part>): string =>
  words(content.map((part) => (part._tag === "Text" ? part.text : part._tag === "Audio" ? part.transcript : undefined)))

const wordsOfTheirs = (content: ReadonlyArray<Content>): string =>
  words(
    content.map((part) =>
      "text" in part ? part.text : "transcript" in part ? (part.transcript ?? undefined) : undefined
    )
  )

/** Parts without words are not sent to any server, so their position may differ. */
const words = (texts: ReadonlyArray<string | undefined>): string =>
  texts.filter((text) => text !== undefined && text !== "").join(" ")

const statusDiffers = (ours: string, theirs: string): boolean =>
  // The server may have completed text that the session stopped.
  (ours === "in_progress") !== (theirs === "in_progress") || (ours === "completed" && theirs === "incomplete")

/** Compares an audio part of this connection: the server knows its length, but not the words of what was cut. */
const soundDiffers = (itemId: string, index: number, ours: Part | undefined, answers: Answers.Answers): Difference => {
  const answer = answers.get(itemId, index)
  if (answer === undefined) return undefined
  const leftMs = Math.floor(answer.leftMs + dust)
  if (ours?._tag !== "Audio") return leftMs === 0 ? undefined : `has none of it, but the server has ${leftMs} ms`
  const { cut, transcript } = ours
  if (cut === undefined) {
    return answer.leftMs < answer.sentMs ? `has all of it, but the server has ${leftMs} ms` : undefined
  }
  if (Math.floor(cut.heardMs + dust) !== leftMs) return `has ${cut.heardMs} ms of it, but the server has ${leftMs}`
  return answer.text.startsWith(transcript ?? "") ? undefined : "has words that the model did not say"
}

/** In milliseconds: the sum of rounding errors. */
const dust = 1e-6

const messageDiffers = (ours: Message, theirs: MessageItem, answers: Answers.Answers): Difference => {
  if (ours.role !== theirs.role) return `has the role ${ours.role}, but on the server ${theirs.role}`
  if (ours.content.filter(isImage).length !== theirs.content.filter(isTheirImage).length) return "has different images"
  let isCut = false
  for (const [index, part] of theirs.content.entries()) {
    if (part.type !== "output_audio") continue
    const mine = ours.content[index]
    isCut ||= mine?._tag === "Audio" && mine.cut !== undefined
    const difference = soundDiffers(ours.id, index, mine, answers)
    if (difference !== undefined) return difference
  }
  // The server may know the user's words.
  const isUnwritten = ours.role === "user" && ours.content.some((part) => part._tag === "Audio" && !part.transcript)
  if (theirs.status === "in_progress" || isCut || isUnwritten) return undefined
  const [mine, other] = [wordsOfOurs(ours.content), wordsOfTheirs(theirs.content)]
  if (mine === other) return undefined
  // Text cannot be cut on a server.
  const isStopped = ours.status === "incomplete" && other.startsWith(mine)
  return isStopped ? undefined : `says ${JSON.stringify(mine)}, but on the server ${JSON.stringify(other)}`
}

const isImage = (part: Part): boolean => part._tag === "Image"
const isTheirImage = (part: Content): boolean => part.type === "input_image"

const itemDiffers = (ours: Item, theirs: ServerItem, answers: Answers.Answers): Difference => {
  if ("status" in ours && "status" in theirs && statusDiffers(ours.status, theirs.status)) {
    return `is ${ours.status}, but on the server ${theirs.status}`
  }
  if (ours._tag === "Message" && theirs.type === "message") return messageDiffers(ours, theirs, answers)
  if (ours._tag === "FunctionCall" && theirs.type === "function_call") {
    const isSame = ours.callId === theirs.call_id && ours.name === theirs.name && ours.arguments === theirs.arguments
    return isSame ? undefined : "is a different call on the server"
  }
  if (ours._tag === "FunctionCallOutput" && theirs.type === "function_call_output") {
    return ours.callId === theirs.call_id && ours.output === theirs.output
      ? undefined
      : "is a different output on the server"
  }
  const type = ours._tag === "Other" ? ours.type : ours._tag
  return type === theirs.type ? undefined : `is a ${type}, but on the server a ${theirs.type}`
}

/**
 * `refused`: items that the server first refused are where they were sent again, or are kept for the next connection.
 */
const differences = (
  mirror: ReadonlyArray<Item>,
  conversation: ReadonlyArray<ServerItem>,
  refused: ReadonlySet<string>,
  answers: Answers.Answers
): ReadonlyArray<string> => {
  const ours = new Map(mirror.map((item) => [item.id, item]))
  const theirs = new Map(conversation.map((item) => [item.id, item]))
  const found = [
    ...mirror
      .filter(({ id }) => !theirs.has(id) && !refused.has(id))
      .map(({ id }) => `The session has ${id}, but the server does not.`),
    ...conversation.filter(({ id }) => !ours.has(id)).map(({ id }) => `The server has ${id}, but the session does not.`)
  ]
  if (found.length > 0) return found
  const placed = conversation.filter(({ id }) => !refused.has(id))
  const isMisplaced = mirror.filter(({ id }) => !refused.has(id)).some(({ id }, index) => placed[index]?.id !== id)
  if (isMisplaced) {
    const order = conversation.map(({ id }) => id).join(", ")
    return [`The session has ${mirror.map(({ id }) => id).join(", ")}; the server has ${order}.`]
  }
  return mirror.flatMap((item) => {
    const other = theirs.get(item.id)
    const difference = other === undefined ? undefined : itemDiffers(item, other, answers)
    return difference === undefined ? [] : [`${item.id} ${difference}.`]
  })
}

export const mirror: Law = both(
  "Mirror",
  "Whenever nothing is in progress, the session's conversation equals the server's: its items, their order, and what is left of them.",
  ({ traits }) => {
    const answers = Answers.make()
    const gaps = Gaps.make(traits)
    /** The connection that events are sent on, and the one that was sent the conversation. */
    let carrier = 0
    let told: number | undefined
    const refused = new Set<string>()

    return (moment: Moment) => {
      answers.see(moment)
      gaps.see(moment)
      switch (moment._tag) {
        case "Sent":
          if (carrier !== moment.connection) refused.clear()
          carrier = moment.connection
          if (carrier !== told) told = undefined
          return []
        case "Answered": {
          const eventId = refusedEvent(moment)
          if (eventId !== undefined) refused.add(eventId)
          return []
        }
        case "Disconnected":
          if (moment.connection === told) told = undefined
          return []
        case "Published": {
          const { _tag } = moment.event
          if (_tag === "SessionStarted" || _tag === "Reconnected") told = carrier
          if (_tag === "ConnectionLost" || _tag === "SessionEnded") told = undefined
          return []
        }
        case "AtRest":
          if (moment.connection !== told) return []
          return gaps.without(moment, (mirror, conversation) => differences(mirror, conversation, refused, answers))
        default:
          return []
      }
    }
  }
)
