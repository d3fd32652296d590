import { useEffect } from "preact/hooks"
import { stage, tick } from "../stage.js"
import { CallsPanel } from "./CallsPanel.js"
import { ConversationPanel } from "./ConversationPanel.js"
import { FaultsPanel } from "./FaultsPanel.js"
import { Header } from "./Header.js"
import { ProblemsPanel } from "./ProblemsPanel.js"
import { ReplayBar } from "./ReplayBar.js"
import { TimelinePanel } from "./TimelinePanel.js"

const tickMs = 100

export const App = () => {
  useEffect(() => {
    const timer = setInterval(tick, tickMs)
    return () => clearInterval(timer)
  }, [])
  if (stage.value._tag === "Loading") return <main class="alone">Loading…</main>
  if (stage.value._tag === "Locked") {
    return (
      <main class="alone">
        <h1>effect-realtime console</h1>
        <p role="alert">{stage.value.message}</p>
      </main>
    )
  }
  return (
    <>
      <Header />
      <main>
        {stage.value._tag === "Replay" && <ReplayBar file={stage.value.file} name={stage.value.name} />}
        <TimelinePanel />
        <ConversationPanel />
        <CallsPanel />
        <div class="side">
          {stage.value._tag === "Live" && <FaultsPanel />}
          <ProblemsPanel />
        </div>
      </main>
    </>
  )
}
