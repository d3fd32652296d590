/**
 * Reads server-sent events from bytes that may be split anywhere.
 *
 * The format is that of the HTML standard, section 9.2.6, with one exception: an event counts even if the stream ends
 * before its empty line, because some servers leave that line out.
 */

/** A line ends with CR LF, LF or CR, depending on the server. */
const LINE_END = /\r\n|\n|\r/g

/** Only `data` matters here: chat endpoints use no other field. */
export class EventDecoder {
  readonly #text = new TextDecoder()
  /** The beginning of a line that is not complete yet. */
  #line = ""
  /** The `data` lines of the current event. */
  #data: Array<string> = []
  /** The last character was a CR: an LF that follows belongs to it. */
  #afterCarriageReturn = false

  /** Returns the data of the events that end in these bytes. */
  push(bytes: Uint8Array): ReadonlyArray<string> {
    return this.#read(this.#text.decode(bytes, { stream: true }))
  }

  /** Ends the stream. Returns the data of an incomplete event, if there is one. */
  end(): ReadonlyArray<string> {
    return this.#read(`${this.#text.decode()}\n\n`)
  }

  #read(text: string): ReadonlyArray<string> {
    const events: Array<string> = []
    let from = this.#afterCarriageReturn && text.startsWith("\n") ? 1 : 0
    if (text !== "") this.#afterCarriageReturn = text.endsWith("\r")
    for (const { 0: end, index } of text.matchAll(LINE_END)) {
      if (index < from) continue
      const data = this.#endLine(this.#line + text.slice(from, index))
      if (data !== undefined) events.push(data)
      this.#line = ""
      from = index + end.length
    }
    this.#line += text.slice(from)
    return events
  }

  /** An empty line ends an event. */
  #endLine(line: string): string | undefined {
    if (line === "") {
      const data = this.#data
      this.#data = []
      return data.length === 0 ? undefined : data.join("\n")
    }
    // A line with nothing before the colon is a comment: servers send one to keep the connection alive.
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
    if (field === "data") this.#data.push(value ?? "")
    return undefined
  }
}
