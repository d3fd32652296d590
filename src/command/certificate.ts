/** A self-signed certificate for this machine. Clients must be told to trust it. */
import { isIP } from "node:net"
import { hostname } from "node:os"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { generate } from "selfsigned"
import type { Tls } from "../embedded/Served.js"

const LIFETIME_DAYS = 30

/** Names for the server: a client refuses a certificate that does not contain the name in its URL. */
const namesOf = (host: string) =>
  [...new Set(["localhost", "127.0.0.1", "::1", hostname(), host])].map((name) =>
    isIP(name) === 0 ? { type: 2 as const, value: name } : { type: 7 as const, ip: name }
  )

/** The key is new each time and stays in this process. */
export const selfSigned = (host: string): Effect.Effect<Tls> =>
  Effect.promise(async () => {
    const notBeforeDate = new Date()
    const notAfterDate = new Date(notBeforeDate.getTime() + LIFETIME_DAYS * 24 * 60 * 60 * 1_000)
    const made = await generate([{ name: "commonName", value: "effect-realtime serve" }], {
      keyType: "ec",
      algorithm: "sha256",
      notBeforeDate,
      notAfterDate,
      extensions: [
        // Trusting it means trusting this server, but nothing that its key could sign.
        { name: "basicConstraints", cA: false, critical: true },
        { name: "keyUsage", digitalSignature: true, critical: true },
        { name: "extKeyUsage", serverAuth: true },
        { name: "subjectAltName", altNames: namesOf(host) }
      ]
    })
    return { cert: made.cert, key: Redacted.make(made.private) }
  })
