import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { Audio, type SessionEvent, ToolError } from "effect-realtime"
import { judge, type ServerRecord } from "../examples/concierge/judge.js"
import * as Progress from "../examples/concierge/progress.js"
import * as Terminal from "../examples/concierge/terminal.js"
import * as Timeline from "../examples/concierge/timeline.js"
import { type Run, root, run } from "./child.js"

const demo = (args: ReadonlyArray<string> = [], options: Parameters<typeof run>[2] = {}): Promise<Run> =>
  run("examples/concierge/main.ts", args, options)

describe("the demo", () => {
  let folder = ""
  let files = 0
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "concierge-"))
  })
  afterAll(() => rm(folder, { recursive: true }))
  const conversation = async (text: string): Promise<string> => {
    files += 1
    const file = join(folder, `${files}.txt`)
    await writeFile(file, text)
    return file
  }

  it("shows every kind of failure, and answers and publishes all of them", async () => {
    const { code, stderr, stdout } = await demo()
    expect(stderr).toBe("")
    expect(code).toBe(0)
    for (const tag of [
      "ToolFailure/CityUnknown",
      "ToolFailure/UnitUnknown",
      "ToolFailure/UnitsIncompatible",
      "ToolFailure/DocumentNotFound",
      "ToolFailure/NoRestaurantFound",
      "ToolFailure/NoTableFree",
      "InvalidArguments",
      "InvalidOutput",
      "ToolDefect",
      "ToolInterrupted",
      "ToolNotFound",
      "ToolOverloaded",
      "ToolRejected",
      "ToolTimedOut"
    ]) {
      expect(stdout).toContain(`failed   ${tag} in `)
    }
    const failures = stdout.match(/^ *\d+\.\d\d s {4}failed /gm)?.length
    const calls = stdout.match(/^ *\d+\.\d\d s {4}call /gm)?.length
    expect(stdout).toMatch(new RegExp(`answered +${calls} of ${calls}$`, "m"))
    expect(stdout).toMatch(new RegExp(`failures published +${failures} of ${failures}$`, "m"))
    expect(stdout).toContain("Every call has its one output, and every failure was published.")
    // What is thrown is shown to the application, and never said to the model.
    expect(stdout).toContain("only here: TypeError")
    expect(stdout).not.toMatch(/(the model read|concierge).*TypeError/)
    expect(stdout).not.toContain("\u001b")
  })

  it("plays another conversation, with a model that calls wrongly", async () => {
    const file = await conversation('# weather\n\nWhat is it like out there?\n> call get_weather {"city": 42}\n')
    const { code, stdout } = await demo([file])
    expect(code).toBe(0)
    expect(stdout).toContain('call     get_weather {"city": 42}')
    expect(stdout).toContain("failed   ToolNotFound in get_weather")
    expect(stdout).toMatch(/answered +1 of 1$/m)
  })

  it("rejects calls that the file does not approve", async () => {
    const { code, stdout } = await demo([await conversation("Book a table at Lucca for two guests.\n")])
    expect(code).toBe(0)
    expect(stdout).toContain("failed   ToolRejected in book_table")
  })

  it("reads what is typed, and asks before a table is booked", async () => {
    const input = "What time is it in Tokyo?\nBook a table at Lucca for two guests\ny\n"
    const { code, stdout } = await demo(["--interactive"], { input })
    expect(code).toBe(0)
    expect(stdout).toContain("ok       current_time")
    expect(stdout).toContain("approved book_table")
    expect(stdout).toMatch(/answered +2 of 2$/m)
  })

  it.each([
    ["time-in-paris.wav", "What time is it in Paris?", "ok       current_time"],
    ["italian-restaurant.wav", "Find me an Italian restaurant.", "ok       find_restaurant"],
    ["time-in-atlantis.wav", "What time is it in Atlantis?", "failed   ToolFailure/CityUnknown in current_time"]
  ])("answers the recorded question %s aloud", async (file, question, line) => {
    const answer = join(root, "answer.wav")
    await rm(answer, { force: true })
    const { code, stderr, stdout } = await demo(["--voice", `examples/questions/${file}`], { timeoutMs: 150_000 })
    expect(stderr).toBe("")
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`guest +${question.replace("?", "\\?")}$`, "m"))
    expect(stdout).toContain(line)
    expect(stdout).toMatch(/answered +1 of 1$/m)
    expect(stdout).toMatch(/^wrote answer\.wav: \d+\.\d s$/m)
    const { channels, sampleRate, samples } = Either.getOrThrow(Audio.Wav.decode(await readFile(answer)))
    expect([channels, sampleRate]).toEqual([1, 24_000])
    expect(samples.length).toBeGreaterThan(sampleRate)
    expect(Audio.level(samples)).toBeGreaterThan(-35)
    await rm(answer)
  })

  it("uses colours if asked to", async () => {
    const file = await conversation("What time is it in Tokyo?\n")
    expect((await demo([file], { environment: { FORCE_COLOR: "1" } })).stdout).toContain("\u001b[32m")
    expect((await demo([file], { environment: { NO_COLOR: "1" } })).stdout).not.toContain("\u001b")
  })

  it.each([
    ["a file that is missing", ["no-such-file.txt"], "there is no such file"],
    ["an unknown option", ["--fast"], "There is no option --fast"],
    ["no key for the real service", ["--openai"], "Set OPENAI_API_KEY"],
    ["a recording that is missing", ["--voice", "no-such-file.wav"], "it cannot be read"],
    ["a recording that is no WAV file", ["--voice", "package.json"], "package.json: "],
    ["no recording where there should be one", ["--voice"], "Give one recording"]
  ])("refuses %s in one line", async (_, args, line) => {
    const { code, stderr, stdout } = await demo(args)
    expect(code).toBe(2)
    expect(stderr.trim().split("\n")).toEqual([expect.stringContaining(line)])
    expect(stdout).toBe("")
  })

  it("refuses a file in which the guest says nothing", async () => {
    const { code, stderr } = await demo([await conversation("# silence\n")])
    expect(code).toBe(2)
    expect(stderr.trim().split("\n")).toHaveLength(1)
  })

  it("ends silently when its reader exits, as `head` does", async () => {
    expect(await demo([], { reads: "the beginning" })).toMatchObject({ code: 141, stderr: "" })
  })

  it("explains itself", async () => {
    const { code, stdout } = await demo(["--help"])
    expect(code).toBe(0)
    expect(stdout).toContain("npm run demo")
  })
})

const callOf = (callId: string): SessionEvent.CallInfo => ({
  callId,
  tool: "get_weather",
  agent: "Concierge",
  responseId: "resp_1",
  arguments: "{}"
})
const failureText = '{"error":{"type":"ToolTimedOut","message":"get_weather did not finish within 1 second."}}'
const failed = (callId: string): SessionEvent.SessionEvent => ({
  _tag: "ToolFailed",
  call: callOf(callId),
  error: new ToolError.ToolTimedOut({ callId, tool: "get_weather", agent: "Concierge", afterMs: 1000 }),
  output: failureText,
  durationMs: 1000
})
const succeeded = (callId: string): SessionEvent.SessionEvent => ({
  _tag: "ToolSucceeded",
  call: callOf(callId),
  output: "Sunny.",
  durationMs: 5
})

describe("the judge of the demo", () => {
  const server: ServerRecord = {
    calls: [
      { callId: "1", name: "get_weather" },
      { callId: "2", name: "get_weather" }
    ],
    outputs: [
      { callId: "1", output: "Sunny." },
      { callId: "2", output: failureText }
    ]
  }
  const events = [succeeded("1"), failed("2")]

  it("finds nothing if every promise was kept", () => {
    expect(judge(server, events)).toEqual({
      calls: 2,
      answered: 2,
      failures: 1,
      published: 1,
      responses: 0,
      problems: []
    })
  })

  const cases: ReadonlyArray<readonly [string, ServerRecord, ReadonlyArray<SessionEvent.SessionEvent>]> = [
    ["a lost output", { ...server, outputs: server.outputs.slice(1) }, events],
    ["an output that came twice", { ...server, outputs: [...server.outputs, ...server.outputs.slice(1)] }, events],
    ["an output for nobody", { ...server, outputs: [...server.outputs, { callId: "3", output: "" }] }, events],
    ["a failure that was not published", server, [succeeded("1")]],
    ["a failure that was published as a success", server, [succeeded("1"), succeeded("2")]],
    ["a failure that was published twice", server, [...events, failed("2")]],
    ["a failure that the model was not told of", server, [failed("1"), failed("2")]],
    ["a call that never ended", server, [...events, { _tag: "ToolStarted", call: callOf("3") }]],
    [
      "an event that names another output",
      { ...server, outputs: [{ callId: "1", output: "Rain." }, ...server.outputs.slice(1)] },
      events
    ],
    ["a session that failed", server, [...events, { _tag: "SessionEnded", error: { _tag: "Lost", message: "" } }]],
    [
      "a response that was lost",
      server,
      [...events, { _tag: "ResponseLost", responseId: undefined, requestId: "1", interrupted: false }]
    ]
  ]
  it.each(cases)("finds %s", (_, record, published) => {
    expect(judge(record, published).problems).not.toEqual([])
  })
})

describe("the end of a turn", () => {
  const isOver = (...events: ReadonlyArray<SessionEvent.SessionEvent>): boolean =>
    Progress.isOver(events.reduce(Progress.follow, Progress.begin(Progress.idle)))
  const own = { requestId: undefined, outOfBand: false, metadata: undefined }
  const started = (responseId: string) => ({ _tag: "ResponseStarted", responseId, ...own }) as const
  const done = (responseId: string) =>
    ({ _tag: "ResponseDone", responseId, ...own, status: "completed", reason: undefined, usage: undefined }) as const
  const called: SessionEvent.SessionEvent = {
    _tag: "ItemAdded",
    item: { _tag: "FunctionCall", id: "i", callId: "1", name: "get_weather", arguments: "", status: "in_progress" }
  }

  it("waits for calls, and for what the model says about them", () => {
    expect(isOver()).toBe(false)
    expect(isOver(started("a"), done("a"))).toBe(true)
    expect(isOver(started("a"), called, done("a"))).toBe(false)
    expect(isOver(started("a"), called, done("a"), failed("1"))).toBe(false)
    expect(isOver(started("a"), called, failed("1"), done("a"))).toBe(false)
    expect(isOver(started("a"), called, done("a"), failed("1"), started("b"))).toBe(false)
    expect(isOver(started("a"), called, done("a"), failed("1"), started("b"), done("b"))).toBe(true)
    expect(isOver({ _tag: "SessionEnded" })).toBe(true)
  })
})

describe("the terminal of the demo", () => {
  it("breaks lines between words, after commas, and anywhere if it must", () => {
    expect(Terminal.wrap("one two three", 8)).toEqual(["one two", "three"])
    expect(Terminal.wrap('{"a":1,"b":2}', 8)).toEqual(['{"a":1,', '"b":2}'])
    expect(Terminal.wrap("abcdefghij", 4)).toEqual(["abcd", "efgh", "ij"])
    expect(Terminal.wrap("a\nb", 4)).toEqual(["a", "b"])
  })

  it("shows what others wrote, and does not obey it: escapes, controls, marks of direction, half characters", () => {
    const terminal = Terminal.make({ isTty: false, columns: 100, variables: {} })
    const evil = "\u001b[2J\u001b]0;owned\u0007\r\u009b31m\u202e\ud800"
    const call = { callId: evil, tool: evil, agent: evil, responseId: evil, arguments: evil }
    const events: ReadonlyArray<SessionEvent.SessionEvent> = [
      { _tag: "SessionStarted", sessionId: evil, agent: evil },
      { _tag: "ToolApprovalRequested", call, deadline: 0 },
      { _tag: "ToolSucceeded", call, output: evil, durationMs: 1 },
      {
        _tag: "ToolFailed",
        call,
        error: new ToolError.ToolNotFound({ ...call, available: [] }),
        output: evil,
        durationMs: 1
      },
      { _tag: "ToolProgress", call, message: evil },
      { _tag: "TextCompleted", responseId: evil, itemId: evil, contentIndex: 0, kind: "Text", text: evil },
      { _tag: "ServerErrorReceived", type: evil, code: evil, message: evil, param: evil, eventId: evil },
      { _tag: "SessionEnded", error: { _tag: "ServerFailed", message: evil } }
    ]
    const shown = events.flatMap((event) => Timeline.make(terminal, { showsGuest: true }).show(event, 0)).join("\n")
    expect(shown.match(/owned/g)?.length).toBeGreaterThan(8)
    expect(shown.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u)
    expect(shown).toContain(String.raw`\u001b[2J`)
  })

  it.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: "1" }, true, false],
    [{ FORCE_COLOR: "1" }, false, true],
    [{ FORCE_COLOR: "0" }, true, false],
    [{ FORCE_COLOR: "1", NO_COLOR: "1" }, false, true],
    [{ TERM: "dumb" }, true, false]
  ])("%j, a terminal: %s, colours: %s", (variables, isTty, coloured) => {
    const terminal = Terminal.make({ isTty, columns: undefined, variables })
    expect(terminal.red("x") !== "x").toBe(coloured)
  })
})
