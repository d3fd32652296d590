import type { Call } from "../model/Calls.js"
import { ask, overview, stage, version } from "../stage.js"

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)}\u00a0s`

const words = (call: Call): { readonly text: string; readonly tone: string } => {
  const { state } = call
  switch (state._tag) {
    case "Received":
      return { text: "Received", tone: "waiting" }
    case "Waiting":
      return { text: "Waits for you", tone: "waiting" }
    case "Running":
      return { text: state.progress === "" ? "Running" : `Running: ${state.progress}`, tone: "waiting" }
    case "Deferred":
      return { text: "Goes on in the background", tone: "waiting" }
    case "Succeeded":
      return { text: `Succeeded after ${seconds(state.durationMs)}`, tone: "good" }
    case "Failed":
      return { text: `${state.error} after ${seconds(state.durationMs)}`, tone: "bad" }
    case "Abandoned":
      return { text: "Not run: the model was cut off", tone: "bad" }
  }
}

const Decision = ({ call }: { readonly call: Call }) => {
  const { callId, tool } = call.info
  return (
    <div class="actions">
      <button
        type="button"
        class="primary"
        aria-label={`Approve ${tool}`}
        onClick={() => ask((client) => client.approve(callId))}
      >
        Approve
      </button>
      <button type="button" aria-label={`Reject ${tool}`} onClick={() => ask((client) => client.reject(callId))}>
        Reject
      </button>
    </div>
  )
}

const CallView = ({ call }: { readonly call: Call }) => {
  const { info, state } = call
  const { text, tone } = words(call)
  return (
    <li class={`call ${tone}`}>
      <h3>
        {info.tool} <span class={`status ${tone}`}>{text}</span>
      </h3>
      <dl>
        <div>
          <dt>Agent</dt>
          <dd>{info.agent}</dd>
        </div>
        <div>
          <dt>Arguments</dt>
          <dd>
            <code>{info.arguments}</code>
          </dd>
        </div>
        {state._tag === "Failed" && (
          <div>
            <dt>Failure</dt>
            <dd>{state.message}</dd>
          </div>
        )}
        {"output" in state && state.output !== undefined && (
          <div>
            <dt>The model read</dt>
            <dd>
              <code>{state.output}</code>
            </dd>
          </div>
        )}
      </dl>
      {state._tag === "Waiting" && stage.value._tag === "Live" && <Decision call={call} />}
    </li>
  )
}

export const CallsPanel = () => {
  void version.value
  const calls = overview.value.calls.all.toReversed()
  return (
    <section class="panel" aria-labelledby="calls-title">
      <h2 id="calls-title">Calls of tools</h2>
      {calls.length === 0 && <p class="empty">The model has called no tool yet.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <ol class="calls" aria-labelledby="calls-title" tabIndex={0}>
        {calls.map((call) => (
          <CallView key={call.info.callId} call={call} />
        ))}
      </ol>
    </section>
  )
}
