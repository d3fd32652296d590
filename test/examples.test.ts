import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "@effect/vitest"
import { root, run } from "./child.js"

/** What each example says, among other things. */
const said: { readonly [file: string]: ReadonlyArray<string> } = {
  "approvals.ts": [
    "ran      8 euros were paid to the baker.",
    'Run pay {"payee":"the jeweller","euros":3000}? Without a terminal: no.',
    'did not  ToolRejected; the model reads {"error":{"type":"ToolRejected"',
    'Run remind {"debtor":"Ms Berg"}? Without a terminal: always.',
    "ran      Ms Berg was reminded.\n  ran      Mr Lund was reminded."
  ],
  "chaos-test.ts": [
    "Found in conversation 7:",
    "NeverOverbooked is broken",
    '1. It calls book_table({"name":""}), calls book_table({"name":""}).',
    "To repeat: seed 1"
  ],
  "deferred-booking.ts": [
    "deferred   the model reads: The restaurant is being called.",
    "progress   Sakura picks up the phone.",
    "succeeded  the model reads: A table at Sakura, at eight.",
    'failed     ToolFailure; the model reads: {"error":{"type":"FullyBooked"',
    "concierge    I am sorry, Miramar is full tonight."
  ],
  "guardrails.ts": [
    "no_diagnosis tripped on Output",
    "was stopped by no_diagnosis: nothing of that answer stays",
    'says "I can not say from here. Shall I make an appointment?"',
    "dose_limit tripped on ToolInput",
    'reads {"error":{"type":"ToolBlocked"',
    "runs for 400 mg of ibuprofen",
    "no_record_numbers tripped on ToolOutput",
    "reads The refill is on its way."
  ],
  "handoff.ts": [
    "Front desk handed over to Billing",
    "Billing handed over to Front desk",
    "HandoffFailed (callback), InvoiceLocked",
    'reads {"error":{"type":"HandoffFailed"',
    "The session's agent: Front desk. The server's instructions: Find out what the guest wants."
  ],
  "hosted-mcp.ts": [
    "without  drive, whose tools could not be read",
    'asks     cancel_order {"number":7}',
    "model    It is cancelled."
  ],
  "interruption.ts": [
    "begins to speak, after 960 ms of the answer",
    "heardMs: 960; drops",
    "cuts the answer at 960 ms",
    "makes the sound of: It opens at ten."
  ],
  "lost-connection.ts": [
    "reconnected  2 items were told to the new server\nanswered     Shipped this morning.",
    "resumed      6 items; open calls: 1",
    "refund was interrupted by a restart; its effect is unknown."
  ],
  "mcp.ts": [
    "offers   everything__echo",
    "asks     everything__get-sum",
    "ran      everything__get-sum -> The sum of 2 and 3 is 5.",
    "reports  1 of 2",
    "did not  everything__get-annotated-message -> InvalidArguments"
  ],
  "observability.ts": [
    "span    invoke_agent Desk\nspan      chat gpt-realtime\n",
    "span        execute_tool find_order  failed: ToolFailure (OrderNotFound)\n",
    "span        execute_tool refund  failed: ToolDefect\nspan          look_up_card\n",
    "log     WARN in execute_tool refund: The tool refund died (incident inc_",
    "metric  effect_realtime.calls (refund, ToolDefect): 1 {call}"
  ],
  "on-failure-respond.ts": ["The caller heard: Sorry, order product did not work: There is no blue kettle left."],
  "on-failure-silent.ts": ["The model was asked to speak 2 times"],
  "on-failure-terminate.ts": ["The session ended with AccountLocked"],
  "phone.ts": [
    "refused  The request is not signed with the account's token.",
    "rings    +15550001\nagent    Welcome. Please type your number.",
    'ran      collect_digits -> {"digits":"42","endedBy":"terminator"}',
    "phone    SpeechCleared\nheard    only the first",
    "agent    Goodbye.\n",
    "over     +15550001: AgentHungUp\n",
    "twilio   is told <Hangup/>"
  ],
  "picture.ts": [
    "<svg ",
    "find_table({})",
    "ToolFailed: ToolTimedOut",
    "did not finish within 1 second.”</text>",
    "</svg>"
  ],
  "push-to-talk.ts": [
    "question.wav: 16000 samples per second, 1 channel(s)",
    'opening_hours {"shop":"Bakery"}',
    "The Bakery is open from nine to six.",
    "answer.wav: 2160 ms"
  ],
  "quickstart.ts": ['ToolFailure -> {"error":{"type":"CityNotFound"'],
  "sip-webhook.ts": [
    "webhook    second delivery: 200",
    "ran        opening_hours -> from six to ten in the evening",
    "model      From six to ten.",
    "over       rtc_1\n"
  ],
  "toolkit.ts": [
    'chat     count_stock -> {"left":3}\nsession  count_stock -> {"left":3}',
    "session  count_stock -> ToolFailure: There are no more pears.",
    "session  order -> ToolRejected"
  ],
  "webrtc-page.ts": [
    "page       A call over WebRTC",
    "ran        opening_hours -> from six to ten in the evening",
    "page hears From six to ten in the evening.",
    "over       rtc_1: CallGone"
  ]
}

describe("examples", () => {
  const folder = mkdtempSync(join(tmpdir(), "examples-"))
  afterAll(() => rmSync(folder, { recursive: true }))

  it("are all run here", () => {
    const files = readdirSync(join(root, "examples")).filter((file) => file.endsWith(".ts"))
    const others = ["run-all.ts", "testing-your-agent.test.ts"]
    expect(files.sort()).toEqual([...Object.keys(said), ...others].sort())
  })

  it.each(Object.entries(said))("%s", async (file, lines) => {
    const { code, stderr, stdout } = await run(`examples/${file}`, [], { environment: { TMPDIR: folder } })
    expect(stderr).toBe("")
    expect(code).toBe(0)
    for (const line of lines) expect(stdout).toContain(line)
  })

  it("print nothing more, and no errors, when their reader exits", async () => {
    const options = { environment: { TMPDIR: folder }, reads: "the beginning" } as const
    expect(await run("examples/guardrails.ts", [], options)).toMatchObject({ code: 141, stderr: "" })
  })
})
