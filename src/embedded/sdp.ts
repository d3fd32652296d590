/** An SDP answer that a browser accepts (RFC 8829), from a peer that never sends anything. */

const hex = (length: number): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(length)), (byte) => byte.toString(16).padStart(2, "0")).join("")

const fingerprint = (): string => (hex(32).toUpperCase().match(/../g) ?? []).join(":")

const direction: Readonly<Record<string, string>> = {
  "a=sendrecv": "a=sendrecv",
  "a=sendonly": "a=recvonly",
  "a=recvonly": "a=sendonly"
}

/** What only concerns the peer that offers. */
const own = /^a=(candidate|end-of-candidates|ssrc|msid|ice-options|extmap-allow-mixed)/

/** The answer takes everything that is offered; `undefined` if the offer is not SDP. */
export const answerTo = (offer: string): string | undefined => {
  if (!/^v=0\r?\n/.test(offer)) return undefined
  const [ufrag, password, print] = [hex(4), hex(16), fingerprint()]
  const lines = offer.split(/\r?\n/).flatMap((line): ReadonlyArray<string> => {
    if (line === "" || own.test(line)) return []
    if (line.startsWith("o=")) return [`o=- ${Date.now()} 1 IN IP4 127.0.0.1`]
    if (line.startsWith("a=ice-ufrag:")) return [`a=ice-ufrag:${ufrag}`]
    if (line.startsWith("a=ice-pwd:")) return [`a=ice-pwd:${password}`]
    if (line.startsWith("a=fingerprint:")) return [`a=fingerprint:sha-256 ${print}`]
    if (line.startsWith("a=setup:")) return ["a=setup:passive"]
    return [direction[line] ?? line]
  })
  return `${lines.join("\r\n")}\r\n`
}
