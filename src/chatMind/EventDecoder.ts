/**
 * Server-sent events, read from bytes that may be cut anywhere.
 *
 * The format is that of the HTML standard, section 9.2.6. One thing is read more kindly: an event that the end of the
 * stream cuts off before its empty line counts, because some servers leave that line out.
 */

/** A line ends with CR LF, LF or CR, as each server likes. */
const LINE_END = /\r\n|\n|\r/g

/** Only `data` matters here: chat endpoints say everything in it. */
export class EventDecoder {
  readonly #text = new TextDecoder()
  /** The beginning of a line whose end is not here yet. */
  #line = ""
  /** The lines of `data` of the event that is being read. */
  #data: Array<string> = []
  /** The last character was a CR: an LF that follows belongs to it. */
  #afterCarriageReturn = false

  /** The data of the events that end in these bytes. */
  push(bytes: Uint8Array): ReadonlyArray<string> {
    return this.#read(this.#text.decode(bytes, { stream: true }))
  }

  /** There are no more bytes: the data of the event that was cut off, if there is one. */
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
    // With nothing before the colon, it is a comment: servers send one to keep the connection alive.
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
    if (field === "data") this.#data.push(value ?? "")
    return undefined
  }
}
