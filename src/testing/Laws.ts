import { publication, settlement } from "./callLaws.js"
import type { Law } from "./Law.js"
import { exclusivity, liveness } from "./responseLaws.js"
import { closure, discretion, epochs, isolation } from "./sessionLaws.js"

export { closure, discretion, epochs, exclusivity, isolation, liveness, publication, settlement }

/**
 * The laws of every session, whatever its agents and tools are. `secrets` must never be sent.
 *
 * @since 0.1.0
 * @category laws
 */
export const all = (secrets: ReadonlyArray<string> = []): ReadonlyArray<Law> => [
  isolation,
  settlement,
  publication,
  liveness,
  exclusivity,
  epochs,
  closure,
  discretion(secrets)
]
