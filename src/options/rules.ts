/**
 * The rules for every option. Zero is allowed if it has a clear meaning. If it could mean "none" as well as "no limit",
 * it is not.
 */
import { count, factor, secret, secretOrEffect, text, time, timeOrNever, word } from "./Rule.js"

/** For `Session.make` and `Session.resume`. */
export const session = {
  onDifferentVoices: word("refuse", "keepFirst"),
  maxOutputLength: count(1),
  onLongOutput: word("truncate", "fail"),
  parallelReply: word("all", "each"),
  forcedToolChoice: word("once", "each"),
  maxCallsPerTurn: count(1),
  maxOpenCalls: count(1),
  maxPendingApprovals: count(1),
  approvalTimeout: time(1),
  hostedCallTimeout: time(1),
  hostedImportTimeout: time(1),
  settingsTimeout: time(1),
  maxWaitingRequests: count(1),
  responseTimeout: time(1),
  silenceTimeout: time(1),
  maxRetries: count(0),
  retryBackoff: time(1),
  retryWithin: time(0),
  rolloverAfter: timeOrNever(1),
  "replay.maxItems": count(0),
  "replay.maxCharacters": count(0),
  "replay.maxTextCharacters": count(0),
  "untranscribedAudio.maxBytes": count(0),
  sessionId: text(200),
  journal: word("required", "preferred"),
  "journalLag.maxRecords": count(1),
  "journalLag.maxCharacters": count(1),
  "journalLag.maxDuration": time(1),
  journalCompactAfter: count(1),
  controlCapacity: count(1),
  inputAudioCapacity: time(0),
  acknowledgementTimeout: time(1),
  subscriberCapacity: count(1),
  audioCapacity: count(1),
  "keepAudio.maxBytes": count(1)
}

/** For `session.subscribe`. */
export const subscribe = {
  capacity: count(1),
  onLag: word("skip", "snapshot", "fail")
}

/** For `Mcp`. */
export const mcp = {
  maxTools: count(1),
  connectTimeout: time(1),
  maxRestarts: count(0),
  restartBackoff: time(1)
}

/** For `Tool.make`. */
export const tool = {
  timeout: timeOrNever(1),
  onFailure: word("respond", "silent", "terminate"),
  onInterrupt: word("continue", "cancel"),
  reply: word("respond", "silent"),
  concurrency: count(1),
  "filler.after": time(0)
}

/** For the constructors of `Guardrail`. */
export const guardrail = {
  onFailure: word("open", "closed"),
  debounce: count(1)
}

/**
 * For `SessionJournal.layerFile` and `SessionJournalSql.layerWith`. A shorter lease would be lost whenever the process
 * pauses.
 */
export const journal = {
  fsync: word("always", "never"),
  lease: time(1_000)
}

/** `ws` counts the bytes of a message in 31 bits. */
const maxMessageBytes = 2_147_483_647

/** For `OpenAiRealtime`. */
export const openAi = {
  apiKey: secretOrEffect,
  authentication: word("bearer", "api-key", "subprotocol", "none"),
  callId: text(200),
  attachWithin: time(0),
  openTimeout: time(1),
  closeTimeout: time(0),
  pingInterval: timeOrNever(0),
  pingTimeout: timeOrNever(1),
  maxFrameBytes: count(1, maxMessageBytes),
  maxQueuedFrames: count(1),
  maxQueuedBytes: count(1),
  maxBufferedBytes: count(1)
}

/** For `Calls.make` and `Calls.exchangeSdp`. */
export const calls = { apiKey: secretOrEffect, timeout: time(1) }

/** For `Calls.sip`. */
export const sip = { decideWithin: time(1), maxCalls: count(1) }

/** For `EmbeddedRealtime.make`, `layer` and `serve`, and for `ScriptedModel.make`. */
export const embedded = {
  pace: time(0),
  realtimeFactor: factor,
  maxSessionDuration: timeOrNever(1),
  firstConnection: count(1),
  dialect: word("openai", "xai")
}

/** A spread that runs when the module is loaded would stay in every bundle; a call that is marked as pure does not. */
const extended = <A, B>(base: A, more: B): A & B => ({ ...base, ...more })

/** For `OpenAiRealtime.azure`. */
export const azure = extended(openAi, { token: secretOrEffect, resource: text(300), deployment: text(200) })

/** For `XaiRealtime`. */
export const xai = extended(openAi, { authentication: word("bearer", "subprotocol", "none") })

/** For `GeminiLive`. */
export const gemini = extended(openAi, {
  credential: word("key", "token"),
  words: word("content", "input"),
  model: text(200)
})

/** For `EmbeddedRealtime.serve`. */
export const serve = extended(embedded, { port: count(0, 65_535), apiKey: secret })

/** For `ChatMind.make`. */
export const chatMind = { model: text(200), apiKey: secret, timeout: time(1) }

/** For `EmbeddedVoice.make` and `layer`. */
export const voice = { speaker: word("rms", "slt", "awb", "kal16", "kal"), recognizer: word("tiny", "base") }

/** For `Gateway.make`. */
export const gateway = {
  "home.secret": secret,
  maxCalls: count(1),
  maxPending: count(1),
  authenticationTimeout: time(1),
  openingTimeout: time(1),
  silenceTimeout: time(1),
  resumeWithin: time(0),
  drainWithin: time(0),
  maxMessageBytes: count(1_024, maxMessageBytes),
  maxBytesPerSecond: count(1),
  maxBurstBytes: count(1_024),
  maxMessagesPerSecond: count(1),
  maxUnacknowledgedBytes: count(1),
  maxKeptBytes: count(1_024)
}

/** For `PhoneCall.make`. */
export const phoneCall = { lead: time(0), markEvery: time(20), goodbyeWithin: time(1), transferWithin: time(1) }

/** For `TwilioPhone.make`. */
export const twilioPhone = { authToken: secret, maxCalls: count(1), drainWithin: time(0) }

/** For `GatewayClient.connect`. */
export const gatewayClient = {
  token: secretOrEffect,
  playback: word("reported", "estimated"),
  turns: word("detected", "committed"),
  capacity: count(1)
}

/** For `Testing.chaos` and `Testing.check`. Runs are at most `Number.MAX_SAFE_INTEGER`; seeds have 32 bits. */
export const chaos = {
  runs: count(1, 9_007_199_254_740_991),
  maxSteps: count(1, 1_000),
  seed: count(-2_147_483_648, 4_294_967_295)
}
