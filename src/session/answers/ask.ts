import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as Rule from "../../options/Rule.js"
import * as rules from "../../options/rules.js"
import type { ItemParam } from "../../protocol/ItemParam.js"
import { RequestInvalid, type RequestOverflow, SubscriberLagged } from "../../SessionError.js"
import { putItem, userText } from "../conversation/putItem.js"
import type { Parts } from "../Parts.js"
import { maxUnclaimed, Subscribers } from "../publishing/Subscribers.js"
import { refusalOf } from "../requestResponse.js"
import type { Answer, AnswerPart, Ask, AskError, AskOptions, AskStream } from "./Answer.js"
import { Awaited, type Question } from "./Awaited.js"

export const askWith =
  <E>(session: Parts<E>): Ask<E> =>
  (question, options = {}) =>
    awaiting(session, question, options, () => undefined)

export const askStreamWith =
  <E>(session: Parts<E>): AskStream<E> =>
  (question, options = {}) => {
    const { capacity = session.options.subscriberCapacity } = options
    const checked = Rule.validate("session.askStream", rules.subscribe, { capacity })
    if (Either.isLeft(checked)) return Stream.die(checked.left)
    const begin = Effect.suspend(() => {
      const coming = new Subscribers<AnswerPart<E>>(maxUnclaimed)
      const answer = awaiting(session, question, options, (part) => coming.publish(part))
      const ended = Effect.sync(() => coming.end())
      return Effect.map(Effect.forkDaemon(Effect.interruptible(Effect.ensuring(answer, ended))), (fiber) => ({
        coming,
        fiber
      }))
    })
    return Stream.fromChannel(
      Channel.acquireUseRelease(
        begin,
        ({ coming, fiber }) =>
          Channel.zipRight(
            Stream.toChannel(
              coming.subscribe(capacity, { _tag: "Fail", error: (missed) => new SubscriberLagged({ missed }) })
            ),
            Channel.flatMap(Channel.fromEffect(Fiber.join(fiber)), (answer) =>
              Channel.write(Chunk.of<AnswerPart<E>>({ _tag: "Answered", answer }))
            )
          ),
        ({ fiber }) => Fiber.interrupt(fiber)
      )
    )
  }

/**
 * Asks, and waits. A caller that stops waiting leaves nothing behind. If the loop had not reached the question yet, it
 * is not asked.
 */
const awaiting = <E>(
  session: Parts<E>,
  question: string | ItemParam,
  options: AskOptions,
  onPart: (part: AnswerPart<E>) => void
): Effect.Effect<Answer<E>, AskError> =>
  Effect.suspend(() => {
    let isGivenUp = false
    let awaited: Awaited<E> | undefined
    const answered = session.asking.ask<Answer<E>, AskError>((reply) => {
      if (isGivenUp) return
      const asked = put(session, question, options)
      if (Either.isLeft(asked)) {
        reply(Exit.fail(asked.left))
        return
      }
      awaited = new Awaited<E>(asked.right, { part: onPart, done: (outcome) => reply(Exit.fromEither(outcome)) })
      session.answers.add(awaited)
    })
    return Effect.onInterrupt(answered, () =>
      Effect.sync(() => {
        isGivenUp = true
        if (awaited !== undefined) session.answers.forget(awaited)
      })
    )
  })

const put = (
  session: Parts,
  question: string | ItemParam,
  { response }: AskOptions
): Either.Either<Question, RequestInvalid | RequestOverflow> => {
  const refusal = response === undefined ? undefined : (outOfPlace(response) ?? refusalOf(session, response))
  if (refusal !== undefined) return Either.left(refusal)
  const itemId = putItem(session, typeof question === "string" ? userText(question) : question)
  if (response !== undefined) {
    return Either.right({ itemId, requestId: session.responses.request(response, [itemId]), params: response })
  }
  session.responses.askAbout(itemId)
  return Either.right({ itemId, requestId: undefined, params: undefined })
}

/** Programs without types may pass these. */
const outOfPlace = (response: object): RequestInvalid | undefined => {
  const param = ["conversation", "input"].find((name) => name in response)
  const reason = "a question is asked in the conversation. Use session.requestResponse for out-of-band responses."
  return param === undefined ? undefined : new RequestInvalid({ param: `response.${param}`, reason })
}
