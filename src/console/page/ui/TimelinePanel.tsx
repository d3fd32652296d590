import { useSignal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { type Lane, lanes, type Span } from "../model/Timeline.js"
import { nowMs, overview, version } from "../stage.js"
import { Waveform, type Window } from "./Waveform.js"

/** Pixels per second, from the whole call to single words. */
const zooms = [5, 10, 20, 40, 80, 160] as const
const initialZoom = 3

/** Below this width, in pixels, a label would be a fragment of a letter. */
const narrowPx = 28

const SpanView = ({ span, window }: { readonly span: Span; readonly window: Window }) => {
  const end = span.toMs ?? Math.max(span.fromMs, nowMs.value)
  const from = Math.max(span.fromMs, window.fromMs)
  const width = Math.max(3, (Math.min(end, window.toMs) - from) * window.pxPerMs)
  const style = { left: `${(from - window.fromMs) * window.pxPerMs}px`, width: `${width}px` }
  const narrow = width < narrowPx ? " narrow" : ""
  return (
    <li class={`span ${span.tone.toLowerCase()}${narrow}`} style={style} title={span.label}>
      <span class="label">{span.label}</span>
    </li>
  )
}

const Track = ({ lane, window }: { readonly lane: Lane; readonly window: Window }) => {
  void version.value
  const spans = overview.value.timeline.spans.filter(
    (span) =>
      span.lane === lane && span.fromMs <= window.toMs && (span.toMs ?? Number.POSITIVE_INFINITY) >= window.fromMs
  )
  return (
    <div class={`lane ${lane.toLowerCase()}`}>
      <h3>{lane}</h3>
      <div class="track">
        <ol aria-label={lane}>
          {spans.map((span) => (
            <SpanView key={span.key} span={span} window={window} />
          ))}
        </ol>
        {(lane === "User" || lane === "Agent") && <Waveform lane={lane} window={window} />}
      </div>
    </div>
  )
}

const Axis = ({ window }: { readonly window: Window }) => {
  const wide = 80 / window.pxPerMs
  const stepMs = [1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000].find((step) => step >= wide) ?? 600_000
  const first = Math.max(0, Math.ceil(window.fromMs / stepMs) * stepMs)
  const ticks = Array.from(
    { length: Math.max(0, Math.floor((window.toMs - first) / stepMs) + 1) },
    (_, n) => first + n * stepMs
  )
  return (
    <div class="axis" aria-hidden="true">
      {ticks.map((tick) => (
        <span key={tick} style={{ left: `${(tick - window.fromMs) * window.pxPerMs}px` }}>
          {tick / 1_000} s
        </span>
      ))}
    </div>
  )
}

export const TimelinePanel = () => {
  const width = useSignal(600)
  const zoom = useSignal(initialZoom)
  /** The end of the visible range; absent: now. */
  const endMs = useSignal<number | undefined>(undefined)
  const frame = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (frame.current === null) return
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) width.value = entry.contentRect.width
    })
    observer.observe(frame.current)
    return () => observer.disconnect()
  }, [width])

  const pxPerMs = (zooms[zoom.value] ?? zooms[initialZoom]) / 1_000
  const lengthMs = width.value / pxPerMs
  const latest = nowMs.value
  const toMs = Math.max(endMs.value ?? latest, lengthMs)
  const window: Window = { fromMs: toMs - lengthMs, toMs, pxPerMs }
  const move = (share: number): void => {
    const to = toMs + share * lengthMs
    endMs.value = to >= latest ? undefined : Math.max(lengthMs, to)
  }
  const zoomBy = (steps: number): void => {
    zoom.value = Math.min(zooms.length - 1, Math.max(0, zoom.value + steps))
  }
  return (
    <section class="panel timeline" aria-labelledby="timeline-title">
      <div class="bar">
        <h2 id="timeline-title">Timeline</h2>
        <div class="actions">
          <button type="button" aria-label="Earlier" onClick={() => move(-0.5)}>
            ←
          </button>
          <button type="button" aria-label="Later" onClick={() => move(0.5)}>
            →
          </button>
          <button type="button" aria-label="Zoom out" onClick={() => zoomBy(-1)}>
            −
          </button>
          <button type="button" aria-label="Zoom in" onClick={() => zoomBy(1)}>
            +
          </button>
          <button
            type="button"
            aria-pressed={endMs.value === undefined}
            onClick={() => {
              endMs.value = undefined
            }}
          >
            Follow
          </button>
        </div>
      </div>
      <div class="lanes">
        <div ref={frame} class="frame">
          <Axis window={window} />
          {lanes.map((lane) => (
            <Track key={lane} lane={lane} window={window} />
          ))}
        </div>
      </div>
    </section>
  )
}
