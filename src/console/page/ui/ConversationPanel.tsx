import { useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import type { Line } from "../model/Transcript.js"
import { ask, overview, refusal, sendText, stage, status, version } from "../stage.js"
import { VoiceBar } from "./VoiceBar.js"

const nameOf = (line: Line): string => (line.who === "user" ? "You" : line.who === "assistant" ? line.agent : "System")

const LineView = ({ line }: { readonly line: Line }) => (
  <li class={`line ${line.who}`}>
    <span class="name">{nameOf(line)}</span>
    <span class={line.state === "Failed" ? "problem" : "text"}>
      {line.text}
      {line.unheard !== "" && <del title="Nobody heard this: the answer was cut off">{line.unheard}</del>}
      {line.text === "" && line.unheard === "" && "…"}
    </span>
  </li>
)

export const ConversationPanel = () => {
  const text = useSignal("")
  const list = useRef<HTMLDivElement>(null)
  void version.value
  const { lines } = overview.value.transcript
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight })
  }, [version.value])
  const canType = stage.value._tag === "Live" && status.value._tag !== "Ended"
  const send = async (event: Event): Promise<void> => {
    event.preventDefault()
    const said = text.value.trim()
    if (said === "") return
    text.value = ""
    // Text that was refused returns to the input, so that it can be sent again.
    if (!(await sendText(said)) && text.value === "") text.value = said
  }
  return (
    <section class="panel conversation" aria-labelledby="conversation-title">
      <h2 id="conversation-title">Conversation</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div ref={list} class="lines" role="log" aria-labelledby="conversation-title" tabIndex={0}>
        {lines.length === 0 && <p class="empty">Nobody has said anything yet.</p>}
        <ol>
          {lines.map((line) => (
            <LineView key={line.id} line={line} />
          ))}
        </ol>
      </div>
      {canType && <VoiceBar />}
      {canType && (
        <form class="composer" onSubmit={send}>
          <input
            aria-label="What you say"
            placeholder="Type what you say"
            value={text.value}
            onInput={({ currentTarget }) => {
              text.value = currentTarget.value
            }}
          />
          <button type="submit" class="primary">
            Send
          </button>
          <button type="button" onClick={() => ask((client) => client.interrupt)}>
            Interrupt
          </button>
        </form>
      )}
      {refusal.value !== "" && (
        <p role="alert" class="problem">
          {refusal.value}
        </p>
      )}
    </section>
  )
}
