import { useRef } from "preact/hooks"
import { about, begin, download, fileProblem, hangUp, overview, replay, stage, status, version } from "../stage.js"
import { theme, toggleTheme } from "../theme.js"

const ms = (value: number | undefined): string => (value === undefined ? "–" : `${(value / 1_000).toFixed(2)} s`)

const StatusText = () => {
  const now = status.value
  switch (now._tag) {
    case "Connecting":
      return <span class="status waiting">Connecting…</span>
    case "Connected":
      return <span class="status good">In a call</span>
    case "Reconnecting":
      return <span class="status bad">The connection to the console is lost. Reconnecting…</span>
    case "Draining":
      return <span class="status waiting">The console is stopping</span>
    case "Ended":
      return <span class={now.isFailure ? "status bad" : "status"}>The call has ended. {now.message}</span>
  }
}

const Numbers = () => {
  void version.value
  const { agent, latency, tokens } = overview.value
  return (
    <dl class="numbers">
      <div>
        <dt>Agent</dt>
        <dd>{agent || "–"}</dd>
      </div>
      <div>
        <dt>Wait, p50</dt>
        <dd>{ms(latency.percentile(0.5))}</dd>
      </div>
      <div>
        <dt>Wait, p95</dt>
        <dd>{ms(latency.percentile(0.95))}</dd>
      </div>
      <div>
        <dt>Tokens in</dt>
        <dd>{tokens.input}</dd>
      </div>
      <div>
        <dt>Tokens out</dt>
        <dd>{tokens.output}</dd>
      </div>
    </dl>
  )
}

const Files = () => {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      {stage.value._tag === "Live" && (
        <button type="button" onClick={download}>
          Download session
        </button>
      )}
      <button type="button" onClick={() => input.current?.click()}>
        Replay a file…
      </button>
      <input
        ref={input}
        type="file"
        accept="application/json,.json"
        aria-label="A session to replay"
        class="away"
        tabIndex={-1}
        onChange={({ currentTarget }) => {
          const [file] = currentTarget.files ?? []
          currentTarget.value = ""
          if (file !== undefined) void replay(file)
        }}
      />
    </>
  )
}

export const Header = () => (
  <header>
    <div class="title">
      <h1>effect-realtime console</h1>
      <p role="status">
        {stage.value._tag === "Replay" ? <span class="status">Replay of a session</span> : <StatusText />}
      </p>
    </div>
    <Numbers />
    <div class="actions">
      {stage.value._tag === "Live" && status.value._tag !== "Ended" ? (
        <button type="button" onClick={hangUp}>
          Hang up
        </button>
      ) : (
        <button type="button" class="primary" onClick={begin}>
          New call
        </button>
      )}
      <Files />
      <button type="button" onClick={toggleTheme}>
        {theme.value === "dark" ? "Light" : "Dark"}
      </button>
    </div>
    {fileProblem.value !== "" && (
      <p role="alert" class="problem wide">
        {fileProblem.value}
      </p>
    )}
    {stage.value._tag === "Live" && about.value !== undefined && (
      <p class="who wide">
        {about.value.mind} {about.value.voice}
      </p>
    )}
  </header>
)
