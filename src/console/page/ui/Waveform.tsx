import { useEffect, useRef } from "preact/hooks"
import type { Level } from "../model/Timeline.js"
import { overview, version } from "../stage.js"

/** The visible part of the time axis. */
export interface Window {
  /** Milliseconds from the beginning of the call. */
  readonly fromMs: number
  readonly toMs: number
  readonly pxPerMs: number
}

/** The levels of a voice over time. */
export const Waveform = ({ lane, window }: { readonly lane: "User" | "Agent"; readonly window: Window }) => {
  const canvas = useRef<HTMLCanvasElement>(null)
  void version.value
  useEffect(() => {
    const context = canvas.current?.getContext("2d")
    if (context == null || canvas.current === null) return
    const { clientHeight, clientWidth } = canvas.current
    canvas.current.width = clientWidth
    canvas.current.height = clientHeight
    context.fillStyle = getComputedStyle(canvas.current).color
    for (const { atMs, level } of visible(overview.value.timeline.levels(lane), window)) {
      const height = Math.max(1, level * clientHeight)
      context.fillRect((atMs - window.fromMs) * window.pxPerMs, (clientHeight - height) / 2, 1.5, height)
    }
  })
  return <canvas ref={canvas} />
}

const visible = (levels: ReadonlyArray<Level>, { fromMs, toMs }: Window): ReadonlyArray<Level> =>
  levels.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
