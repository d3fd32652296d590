/** What this process has used and carried since it was last asked. */
import { subscribe } from "node:diagnostics_channel"
import type { Socket } from "node:net"
import { monitorEventLoopDelay } from "node:perf_hooks"

export interface Used {
  readonly cpuMs: number
  readonly rssBytes: number
  readonly lagP99Ms: number
  /** Bytes that came from and went to other nodes: each connection is counted by the node that accepted it. */
  readonly clusterBytes: number
  /** Bytes of audio that went to and came from the model, before they were encoded. */
  readonly audioBytes: number
}

export interface Meter {
  readonly audio: (bytes: number) => void
  readonly used: () => Used
}

export const make = (clusterPort: number): Meter => {
  const open = new Set<Socket>()
  let closed = 0
  subscribe("net.server.socket", (message) => {
    // The border with Node: what the channel documents.
    const { socket } = message as { readonly socket: Socket }
    if (socket.localPort !== clusterPort) return
    open.add(socket)
    socket.once("close", () => {
      open.delete(socket)
      closed += socket.bytesRead + socket.bytesWritten
    })
  })
  const lag = monitorEventLoopDelay({ resolution: 10 })
  lag.enable()
  let audio = 0
  let before = { cpu: process.cpuUsage(), cluster: 0, audio: 0 }
  return {
    audio: (bytes) => {
      audio += bytes
    },
    used: () => {
      let cluster = closed
      for (const { bytesRead, bytesWritten } of open) cluster += bytesRead + bytesWritten
      const { system, user } = process.cpuUsage(before.cpu)
      const used: Used = {
        cpuMs: (system + user) / 1000,
        rssBytes: process.memoryUsage.rss(),
        lagP99Ms: lag.percentile(99) / 1e6,
        clusterBytes: cluster - before.cluster,
        audioBytes: audio - before.audio
      }
      before = { cpu: process.cpuUsage(), cluster, audio }
      lag.reset()
      return used
    }
  }
}
