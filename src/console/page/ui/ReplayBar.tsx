import { useSignal } from "@preact/signals"
import { useEffect } from "preact/hooks"
import type { SessionFile } from "../client/SessionFile.js"
import { nowMs, replayMs, showUntil } from "../stage.js"

const stepMs = 100

export const ReplayBar = ({ file, name }: { readonly file: SessionFile; readonly name: string }) => {
  const isPlaying = useSignal(false)
  const lastMs = replayMs(file)
  useEffect(() => {
    if (!isPlaying.value) return
    const timer = setInterval(() => {
      if (nowMs.value >= lastMs) isPlaying.value = false
      else showUntil(Math.min(lastMs, nowMs.value + stepMs))
    }, stepMs)
    return () => clearInterval(timer)
  }, [isPlaying.value, lastMs])
  return (
    <section class="panel replay" aria-label="Replay">
      <p>
        {name}: {file.agent}, {new Date(file.startedAt).toLocaleString()}
      </p>
      <div class="actions">
        <button
          type="button"
          class="primary"
          onClick={() => {
            if (nowMs.value >= lastMs) showUntil(0)
            isPlaying.value = !isPlaying.value
          }}
        >
          {isPlaying.value ? "Pause" : "Play"}
        </button>
        <input
          type="range"
          aria-label="Time"
          min={0}
          max={lastMs}
          step={1}
          value={nowMs.value}
          onInput={({ currentTarget }) => showUntil(Number(currentTarget.value))}
        />
        <span class="time">
          {(nowMs.value / 1_000).toFixed(1)} of {(lastMs / 1_000).toFixed(1)} s
        </span>
        <button type="button" onClick={() => showUntil(lastMs)}>
          To the end
        </button>
      </div>
    </section>
  )
}
