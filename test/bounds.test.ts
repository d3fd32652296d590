import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { maxOfferLength } from "../src/calls/OpenAiCalls.js"
import { maxAnswerBytes as maxCallsAnswerBytes } from "../src/calls/request.js"
import { maxRemembered, maxWebhookBytes, sipDefaults } from "../src/calls/Sip.js"
import { maxAnswerMiB, maxRefusalBytes } from "../src/chatMind/complete.js"
import { maxRemembered as maxAnswers } from "../src/cluster/Answers.js"
import { maxClosing } from "../src/cluster/drain.js"
import { maxMoved } from "../src/cluster/Host.js"
import { CallHost, Calls as ClusterCalls } from "../src/cluster.js"
import { maxWaitingBytes as maxUndetectedBytes } from "../src/embedded/DetectorQueue.js"
import { defaults as gateway } from "../src/gateway/Options.js"
import * as Client from "../src/gateway-client/bounds.js"
import * as gemini from "../src/gemini/Border.js"
import { maxRemembered as maxGeminiCalls } from "../src/gemini/ModelTurn.js"
import * as CallLedger from "../src/machine/CallLedger.js"
import * as Recordings from "../src/machine/Recordings.js"
import * as mcp from "../src/mcp/limits.js"
import * as OpenAi from "../src/openai/Options.js"
import { defaultMaxFrameLength } from "../src/protocol/Codec.js"
import * as Session from "../src/Session.js"
import { maxAudioBytes } from "../src/session/answers/Awaited.js"
import { maxBufferedBytes } from "../src/session/options.js"
import { maxUnclaimed } from "../src/session/publishing/Subscribers.js"
import { maxUnconfirmed } from "../src/session/settings/Configuration.js"
import * as phone from "../src/telephony/limits.js"
import { maxWaitingBytes as maxUnrecognizedBytes } from "../src/voice/MoonshineTranscribe.js"
import { maxReadyMs } from "../src/voice/worker/SileroDetector.js"
import * as xai from "../src/xai/dialect.js"
import { root } from "./child.js"

const page = readFileSync(join(root, "docs/bounds.md"), "utf8")

/** The first two cells of each row of all tables, without their heads. */
const table = (): ReadonlyArray<readonly [name: string, value: string]> => {
  const rows = page.match(/^\|(?! bound | -).*\|$/gm) ?? []
  return rows.map((row) => {
    const [, name = "", value = ""] = row.split("|").map((cell) => cell.trim())
    return [name, value]
  })
}

/** Those of a session's options that bound what waits, as the table writes them. */
const optionsOf = (values: object, prefix = ""): ReadonlyArray<readonly [string, unknown]> =>
  Object.entries(values).flatMap(([key, value]) => {
    if (typeof value === "object") return optionsOf(value, `${prefix}${key}.`)
    return /^max|Capacity$/.test(key) ? [[`\`${prefix}${key}\``, value] as const] : []
  })

const written = (name: string, value: unknown): string => {
  if (typeof value !== "number") return String(value)
  return /bytes/i.test(name) ? `${value / 2 ** 20} MiB` : value.toLocaleString("en-US")
}

const ofGateway = Object.entries(gateway).flatMap(([key, value]) =>
  key.startsWith("max") ? [[`\`${key}\` of \`Gateway\``, value] as const] : []
)

const bounds = new Map<string, unknown>([
  ...optionsOf(Session.defaults),
  ["bytes that wait for the network before the user's audio waits in the session", maxBufferedBytes],
  ["`maxBufferedBytes` of `OpenAiRealtime`", OpenAi.defaultMaxBufferedBytes],
  ["`maxFrameBytes` of `OpenAiRealtime`", defaultMaxFrameLength],
  ["`maxQueuedFrames` of `OpenAiRealtime`", OpenAi.defaultMaxQueuedFrames],
  ["`maxQueuedBytes` of `OpenAiRealtime`", OpenAi.defaultMaxQueuedBytes],
  ["events that wait until Gemini has the settings", gemini.maxHeld],
  ["items that wait for the end of Gemini's turn", gemini.maxUnsent],
  ["calls that Gemini took back, or was told of", maxGeminiCalls],
  ["deletions of items that Grok has not confirmed", xai.maxDeletions],
  ["items of Grok's responses that are remembered", xai.maxItems],
  ["events, or chunks of audio, before anyone listens", maxUnclaimed],
  ["`audio` of an answer of `session.ask`", `${maxAudioBytes / 2 ** 20} MiB`],
  ["`keepAudio.maxBytes`, where `keepAudio` is `true`", Recordings.defaultMaxBytes],
  ["settings that nobody waits for, and the server has not confirmed", maxUnconfirmed],
  ["outputs that the server has not acknowledged", CallLedger.defaults.maxUnacknowledged],
  ["call ids that are remembered after their output", CallLedger.defaults.maxRemembered],
  ["`maxTools` of a server", mcp.maxTools],
  ["pages of a server's list", mcp.maxPages],
  ["tools of a server's list", mcp.maxListed],
  ["characters of a tool's schema", mcp.maxSchemaLength],
  ["characters of a tool's name", mcp.maxNameLength],
  ["characters of a server's label", mcp.maxNameLength],
  ["bytes of a message over HTTP", mcp.maxMessageBytes],
  ["characters of what a server says of a failure", mcp.maxReason],
  ["reports of progress that wait, of one call", mcp.maxWaitingReports],
  ["events of a server that a reader has not read", mcp.maxUnreadEvents],
  ["`maxRestarts` of a server", mcp.maxRestarts],
  ["`maxCalls` of `Calls.sip`", sipDefaults.maxCalls],
  ["webhooks and calls that are remembered", maxRemembered],
  ["an SDP offer, in characters", maxOfferLength],
  ["a webhook", `${maxWebhookBytes / 1_024} KiB`],
  ["an answer of the service about calls", `${maxCallsAnswerBytes / 2 ** 20} MiB`],
  ...ofGateway,
  ["`maxCalls` of `CallHost`", CallHost.defaults.maxCalls],
  ["`maxTakeOvers` of `CallHost`", CallHost.defaults.maxTakeOvers],
  ["answers to commands of a call", maxAnswers],
  ["calls that are closed at a time", maxClosing],
  ["calls that have moved, at a node", maxMoved],
  ["`maxKnown` of `Calls`", ClusterCalls.defaults.maxKnown],
  ["`capacity` of `GatewayClient`", Client.defaultCapacity],
  ["commands of a client that wait for an answer", Client.maxWaiting],
  ["bytes of these commands", Client.maxWaitingBytes],
  ["bytes of a client that wait for the network", Client.maxBufferedBytes],
  ["playback reports that a client sends again after a broken socket", Client.maxReports],
  ["chunks of a microphone that wait for their reader", Client.maxChunks],
  ["seconds of audio that wait for a speaker", Client.maxWaitingSeconds],
  ["bytes of a frame of a vendor", phone.maxFrameBytes],
  ["events of a media stream that its reader has not taken", phone.maxWaitingEvents],
  ["seconds of the agent's audio that wait for the vendor", phone.maxWaitingSeconds],
  ["milliseconds of silence that fill a gap in the caller's audio", phone.maxGapMs],
  ["content parts that a phone call remembers", phone.maxParts],
  ["digits that nobody has collected", phone.maxWaitingDigits],
  ["events of a phone call that a reader has not read", phone.maxUnreadEvents],
  ["reports of what was heard that wait for the session", phone.maxUnreported],
  ["milliseconds of a recording that wait to be written", phone.maxUnwrittenMs],
  ["tokens that wait for their media stream", phone.maxTokens],
  ["bytes of a webhook", phone.maxWebhookBytes],
  ["bytes that wait for the vendor to read", phone.maxBufferedBytes],
  ["`maxCalls` of `TwilioPhone`", phone.maxCalls],
  ["bytes that wait for the turn detection of a connection", maxUndetectedBytes],
  ["bytes of turns that wait for their words, over all connections", maxUnrecognizedBytes],
  ["speech whose words are ready when the turn ends", `${maxReadyMs / 1_000} seconds`],
  ["an answer of the endpoint of `ChatMind`", `${maxAnswerMiB} MiB`],
  ["a refusal of that endpoint", `${maxRefusalBytes / 1_024} KiB`]
])

describe("law 6, Boundedness: the table of bounds in the guide", () => {
  it("names every bound, with the value that holds by default", () => {
    const expected = Array.from(bounds, ([name, value]) => [name, written(name, value)] as const)
    expect(new Map(table())).toEqual(new Map(expected))
    expect(expected.length).toBeGreaterThan(15)
  })

  it("says what happens beyond each of them", () => {
    const rows = page.split("\n")
    for (const [name] of table()) {
      const row = rows.find((line) => line.startsWith(`| ${name} `)) ?? ""
      expect(row.split("|")[3]?.trim().length, name).toBeGreaterThan(5)
    }
  })
})
