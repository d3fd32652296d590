/** The defaults of turn detection. */
import type { TurnDetection } from "./SessionConfig.js"

export const serverVad = {
  type: "server_vad",
  threshold: 0.5,
  prefix_padding_ms: 300,
  silence_duration_ms: 500,
  idle_timeout_ms: null,
  create_response: true,
  interrupt_response: true
} satisfies TurnDetection

export const semanticVad = {
  type: "semantic_vad",
  eagerness: "auto",
  create_response: true,
  interrupt_response: true
} satisfies TurnDetection
