/** Azure OpenAI, whose Realtime API is OpenAI's at another address, with other keys. */
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { ApiKey, Options } from "./Options.js"

/**
 * How a connection to Azure is authorised: with a token of Microsoft Entra, or with a key of the resource. Give one of
 * them.
 *
 * @since 0.1.0
 * @category models
 */
export type AzureCredentials<E = never, R = never> =
  | {
      /**
       * An effect that returns a token of Microsoft Entra for the scope `https://cognitiveservices.azure.com/.default`. It
       * runs before each connection, because tokens expire during a session: an hour is usual. It may return a token
       * that is still valid. The identity needs the role Cognitive Services OpenAI User. For its failures, see `apiKey`
       * of `Options`. The token is sent as `Authorization: Bearer`.
       */
      readonly token: Effect.Effect<Redacted.Redacted, E, R>
      readonly apiKey?: undefined
    }
  | {
      /** A key of the resource, or an effect that returns one before each connection. It is sent as `api-key`. */
      readonly apiKey: ApiKey<E, R>
      readonly token?: undefined
    }

/**
 * `E` and `R` are the failures and requirements of the effect that gives the token or key.
 *
 * @since 0.1.0
 * @category models
 */
export type AzureOptions<E = never, R = never> = AzureCredentials<E, R> & {
  /**
   * The name of the Azure resource, such as `my-resource`, or its endpoint as the portal shows it, such as
   * `https://my-resource.openai.azure.com/`. Of an endpoint, only the host and port count.
   */
  readonly resource: string
  /** The name of the deployment, for connections that do not ask for another one. It is not the name of the model. */
  readonly deployment: string
} & Omit<Options, "apiKey" | "url" | "model" | "organization" | "project" | "authentication">

/** Names of resources: letters, digits and hyphens (2 to 64), because they are part of a host name. */
const name = /^[a-z0-9][a-z0-9-]{0,62}[a-z0-9]$/i

const path = "/openai/v1/realtime"

/** The address of the resource's Realtime endpoint. `undefined`: this is neither a name nor an endpoint. */
export const addressOf = (resource: string): string | undefined => {
  if (name.test(resource)) return `wss://${resource}.openai.azure.com${path}`
  if (!URL.canParse(resource)) return undefined
  const { host, protocol } = new URL(resource)
  const scheme = { "https:": "wss:", "wss:": "wss:", "http:": "ws:", "ws:": "ws:" }[protocol]
  return scheme === undefined || host === "" ? undefined : `${scheme}//${host}${path}`
}
