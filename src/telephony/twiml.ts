/** TwiML: what Twilio is told to do with a call. */

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;"
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? "")

const response = (verbs: string): string => `<?xml version="1.0" encoding="UTF-8"?><Response>${verbs}</Response>`

/** Connects the call to a media stream, and asks `after` what to do when the stream is over. */
export const connect = (stream: string, after: string, parameters: { readonly [name: string]: string }): string => {
  const named = Object.entries(parameters).map(
    ([name, value]) => `<Parameter name="${escaped(name)}" value="${escaped(value)}"/>`
  )
  return response(
    `<Connect action="${escaped(after)}"><Stream url="${escaped(stream)}">${named.join("")}</Stream></Connect>`
  )
}

/** Connects the call to a phone number, or to a SIP address. */
export const dial = (destination: string): string =>
  response(
    /^sips?:/i.test(destination)
      ? `<Dial><Sip>${escaped(destination)}</Sip></Dial>`
      : `<Dial>${escaped(destination)}</Dial>`
  )

export const hangUp: string = response("<Hangup/>")

export const reject = (reason: "rejected" | "busy"): string => response(`<Reject reason="${reason}"/>`)
