import { audio } from "./audioLaw.js"
import { publication, settlement } from "./callLaws.js"
import { delivery } from "./delivery.js"
import { discretion } from "./discretion.js"
import { epochs } from "./epochs.js"
import { guardrails } from "./guardrailLaw.js"
import { heard } from "./heardLaw.js"
import { hostedCalls, hostedImports } from "./hostedLaw.js"
import { journal } from "./journalLaw.js"
import type { Law } from "./Law.js"
import { mirror } from "./mirrorLaw.js"
import { patience } from "./patience.js"
import { exclusivity, liveness } from "./responseLaws.js"
import { closure, isolation } from "./sessionLaws.js"
import { settings } from "./settingsLaw.js"
import { traits } from "./traitsLaw.js"
import { turns } from "./turnLaw.js"

export {
  audio,
  closure,
  delivery,
  discretion,
  epochs,
  exclusivity,
  guardrails,
  heard,
  hostedCalls,
  hostedImports,
  isolation,
  journal,
  liveness,
  mirror,
  patience,
  publication,
  settings,
  settlement,
  traits,
  turns
}

/**
 * The laws of every session, for any agents and tools. `secrets` must never be sent, published, or in an error.
 *
 * @since 0.1.0
 * @category laws
 */
export const all = (secrets: ReadonlyArray<string> = []): ReadonlyArray<Law> => [
  isolation,
  settlement,
  publication,
  liveness,
  patience,
  exclusivity,
  hostedCalls,
  hostedImports,
  settings,
  epochs,
  audio,
  turns,
  traits,
  mirror,
  heard,
  guardrails,
  journal,
  delivery,
  closure,
  discretion(secrets)
]
