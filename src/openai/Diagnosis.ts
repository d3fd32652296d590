/** Messages about failed connections: what went wrong, and what to do next. */
import * as Duration from "effect/Duration"
import { adviceOn, fatalCodeIn } from "../protocol/Severity.js"
import type { Failure } from "./WebSocket.js"

/** The message for an attempt whose handshake was never answered. */
export const failed = ({ advice, message }: Failure, host: string): string => {
  const meaning =
    advice?.(host) ?? `The connection to ${host} could not be opened. Check the URL, the API key and the network.`
  return message === "" ? meaning : `${meaning} (${message})`
}

const loss = (code: number): string => {
  switch (code) {
    case 1000:
      return "The server closed the connection."
    case 1001:
      return "The server is going away, or the session has reached its maximum duration. Connect again."
    case 1005:
      return "The server closed the connection without a code. Connect again."
    case 1006:
      return "The connection broke without a closing handshake. Check the network, and connect again."
    case 1002:
    case 1003:
    case 1007:
      return "One side broke the WebSocket protocol. Check that nothing on the way changes the traffic."
    case 1008:
      return "The server closed the connection because of its policy. Check the API key, and what was sent last."
    case 1009:
      return "A message was too big. Send less in one event, or raise `maxFrameBytes` if it came from the server."
    case 1011:
    case 1012:
    case 1013:
    case 1014:
      return "The server failed, is restarting, or is overloaded. Connect again after a pause."
    default:
      return "The server closed the connection for a reason of its own. Check its reason, and what was sent last."
  }
}

/** The message for a connection that looks open, but is silent. */
export const silent = (forMs: number): string =>
  `The server went silent: nothing came from it for ${Duration.format(Duration.millis(forMs))}, not even the answer to a ping. Check the network, and connect again. If the server does not answer pings, set \`pingInterval\` to Infinity.`

/** The message for an open connection that ended. */
export const lost = (code: number, reason: string): string =>
  `${adviceOn(fatalCodeIn(reason)) ?? loss(code)} (code ${code}${reason === "" ? "" : `: ${reason}`})`
