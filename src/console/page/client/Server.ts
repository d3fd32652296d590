/** The page's requests to the server, other than the call. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { About, type Fault, paths, tokenParameter } from "../../Protocol.js"

/** A failure, with a message for the user of the page. */
export interface Trouble {
  readonly message: string
}

/** The token in the page's address, if there is one. */
export const tokenOf = (hash: string): string | undefined =>
  new URLSearchParams(hash.replace(/^#/, "")).get(tokenParameter) ?? undefined

const unreachable: Trouble = { message: "The server cannot be reached. Is the command still running?" }

const request = async (path: string, token: string, body?: string): Promise<Either.Either<Response, Trouble>> => {
  const headers = { authorization: `Bearer ${token}` }
  try {
    const response = await fetch(path, body === undefined ? { headers } : { headers, method: "POST", body })
    return response.ok ? Either.right(response) : Either.left({ message: await response.text() })
  } catch {
    return Either.left(unreachable)
  }
}

/** Which agent and model the user can talk to. */
export const about = async (token: string): Promise<Either.Either<About, Trouble>> => {
  const response = await request(paths.about, token)
  if (Either.isLeft(response)) return Either.left(response.left)
  return Either.mapLeft(Schema.decodeUnknownEither(Schema.parseJson(About))(await response.right.text()), () => ({
    message: "The server has a different version than this page. Load the page again."
  }))
}

export const inject = async (token: string, fault: Fault): Promise<Either.Either<void, Trouble>> =>
  Either.map(await request(paths.faults, token, JSON.stringify(fault)), () => undefined)
