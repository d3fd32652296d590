import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as Guardrail from "../../src/Guardrail.js"
import * as Handoff from "../../src/Handoff.js"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import { RealtimeModel } from "../../src/RealtimeModel.js"
import { call, say } from "../../src/ScriptedModel.js"
import * as Session from "../../src/Session.js"
import { SessionError } from "../../src/SessionError.js"
import { SessionEvent } from "../../src/SessionEvent.js"
import * as SessionJournal from "../../src/SessionJournal.js"
import * as Tool from "../../src/Tool.js"
import { ToolError } from "../../src/ToolError.js"
import { open } from "./harness.js"

const { Faults } = EmbeddedRealtime

const key = "sk-proj-0123456789/abcdefghijklmnop"
const signature = "query-0123456789-abcdefghijk"
const tenant = "tenant-0123456789-abcdefghijk"
/** The text of an application's defect, and of a result's field that its schema leaves out. */
const secret = "postgres-password-hunter2"

/** Everything that a session and the fibers below it let out. */
const collector = () => {
  const texts: Array<string> = []
  const keep = (where: string, value: unknown): void => {
    texts.push(`${where}: ${typeof value === "string" ? value : inspect(value, { depth: 20, showHidden: false })}`)
    try {
      texts.push(`${where} as JSON: ${JSON.stringify(value)}`)
    } catch {
      // Some have cycles, so that they cannot be printed as JSON.
    }
    texts.push(`${where} as text: ${String(value)}`)
  }
  const logger = Logger.make(({ annotations, cause, message }) => {
    for (const part of Array.isArray(message) ? message : [message]) keep("log", part)
    keep("log cause", Cause.pretty(cause, { renderErrorCause: true }))
    keep("log annotations", [...annotations])
  })
  const stringLogger = Logger.map(Logger.zip(Logger.logfmtLogger, Logger.jsonLogger), (lines) => keep("line", lines))
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      keep("span", name)
      const attributes = new Map<string, unknown>()
      let status: Tracer.SpanStatus = { _tag: "Started", startTime }
      return {
        _tag: "Span",
        name,
        spanId: name,
        traceId: "trace",
        parent,
        context,
        links,
        kind,
        sampled: true,
        attributes,
        get status() {
          return status
        },
        attribute: (name, value) => {
          attributes.set(name, value)
          keep("span attribute", { [name]: value })
        },
        event: (name, _, attributes) => keep("span event", { name, attributes }),
        addLinks: () => undefined,
        end: (endTime, exit) => {
          status = { _tag: "Ended", startTime, endTime, exit }
          keep("span exit", exit)
          if (Exit.isFailure(exit)) keep("span cause", Cause.pretty(exit.cause, { renderErrorCause: true }))
        }
      }
    },
    context: (run) => run()
  })
  const layer = Layer.mergeAll(
    Logger.replace(Logger.defaultLogger, logger),
    Logger.add(stringLogger),
    Logger.minimumLogLevel(LogLevel.All),
    Layer.setTracer(tracer)
  )
  const keepExit = (where: string, exit: Exit.Exit<unknown, SessionError | ToolError>): void => {
    keep(where, exit)
    if (Exit.isSuccess(exit)) return
    keep(where, Cause.pretty(exit.cause, { renderErrorCause: true }))
    for (const error of Cause.failures(exit.cause)) {
      keep(where, error)
      keep(where, error.message)
      keep(where, error.stack ?? "")
      keep(where, Schema.encodeSync(Schema.Union(SessionError, ToolError))(error))
    }
  }
  const keepEvent = (event: SessionEvent): void => {
    keep("event", event)
    keep("encoded event", Schema.encodeSync(SessionEvent)(event))
  }
  return { keep, keepEvent, keepExit, layer, texts }
}

const expectNone = (texts: ReadonlyArray<string>, ...secrets: ReadonlyArray<string>): void => {
  for (const secret of secrets) expect(texts.filter((text) => text.includes(secret))).toEqual([])
}

const boom = () => new Error(secret, { cause: new Error(`${secret}, again`) })
const dying = Effect.sync(() => {
  throw boom()
})
const Plain = Schema.Struct({ name: Schema.String })

const tools = [
  Tool.make("dies", { description: "", handler: () => dying }),
  Tool.make("dies_late", { description: "", handler: () => Effect.zipRight(Effect.yieldNow(), Effect.die(secret)) }),
  Tool.make("dies_at_the_end", {
    description: "",
    handler: () => Effect.ensuring(Effect.void, Effect.die({ token: secret }))
  }),
  Tool.make("misfits", {
    description: "",
    success: Plain,
    // Untyped code may pass anything.
    handler: () => Effect.succeed(JSON.parse(`{"name":5,"password":"${secret}"}`))
  }),
  Tool.make("big", {
    description: "",
    handler: () =>
      Effect.succeed({
        toJSON: () => {
          throw boom()
        }
      })
  }),
  Tool.make("fails_oddly", {
    description: "",
    failure: Plain,
    handler: () => Effect.fail(JSON.parse(`{"name":5,"password":"${secret}"}`))
  }),
  Tool.make("fails", { description: "", handler: () => Effect.fail({ _tag: "Odd", password: secret }) }),
  Tool.make("no_words", { description: "", handler: () => Effect.fail("no words") }),
  Tool.make("asks", { description: "", approval: () => Effect.die(boom()), handler: () => Effect.void }),
  Tool.make("fine", { description: "", handler: () => Effect.as(Effect.logTrace("said"), "fine") })
]

const judge = { check: () => Effect.die(boom()) }
const broken = Agent.make("Broken", { instructions: Effect.die(boom()) })
const other = Agent.make("Other", { instructions: "Other." })
const agent = Agent.make("Desk", {
  instructions: "Desk.",
  tools,
  handoffs: [
    broken,
    Handoff.to(other, { name: "to_other", onHandoff: () => Effect.die(boom()) }),
    Handoff.to(other, { name: "to_nobody", isEnabled: Effect.die(boom()) })
  ],
  guardrails: [
    Guardrail.output("output", judge),
    Guardrail.input("input", judge),
    Guardrail.toolOutput("result", judge)
  ]
})
const calls = [...tools.map(({ name }) => name), "transfer_to_Broken", "to_other", "to_nobody", "nobody"]
const describing: Session.Options["describe"] = (error) => {
  if (error._tag === "ToolFailure" && error.failure === "no words") throw boom()
  return `${error._tag}: ${error.message}`
}

/** A session over a real WebSocket, all of whose events are kept. */
const openOn = <E, R>(
  url: string,
  agent: Agent.Agent<E, R>,
  collected: ReturnType<typeof collector>,
  options: Session.Options = {}
) =>
  Effect.gen(function* () {
    const model = yield* OpenAiRealtime.make({
      apiKey: Redacted.make(key),
      url: `${url}?signature=${signature}`,
      headers: { "X-Tenant-Token": Redacted.make(`Bearer ${tenant}`) }
    })
    const session = yield* Session.make(agent, {
      settings: { output_modalities: ["text"] },
      reconnect: Schedule.recurs(5),
      ...options
    }).pipe(Effect.provideService(RealtimeModel, model))
    const reading = yield* Effect.fork(
      Stream.runForEach(session.events, (event) => Effect.sync(() => collected.keepEvent(event)))
    )
    /** Fork it before the event is caused. */
    const until = (tags: SessionEvent["_tag"] | ReadonlyArray<SessionEvent["_tag"]>, count = 1) =>
      session.events.pipe(
        Stream.filter((event) => (typeof tags === "string" ? event._tag === tags : tags.includes(event._tag))),
        Stream.take(count),
        Stream.runDrain,
        Effect.fork,
        Effect.zipLeft(Effect.yieldNow())
      )
    return { reading, session, until }
  })

const expectSeen = (texts: ReadonlyArray<string>, ...words: ReadonlyArray<string>): void => {
  for (const word of words) expect(texts.filter((text) => text.includes(word)).length, word).toBeGreaterThan(0)
}

describe("Law 10, Discretion", () => {
  it.live("keeps defects of the application's out of events, errors, logs and spans, and from the model", () => {
    const collected = collector()
    const mind = EmbeddedRealtime.script([calls.map((name) => call(name)), [say("Well, that did not work.")]])
    return Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({ mind, pace: 0 })
      const { reading, session, until } = yield* openOn(server.url, agent, collected, {
        describe: describing,
        approvalTimeout: "50 millis"
      })
      // The reply does not wait for a call that waits for approval.
      const done = yield* until(["ToolFailed", "ToolSucceeded"], calls.length)
      yield* session.sendText("Go.")
      yield* Fiber.join(done)
      yield* session.close
      yield* Fiber.join(reading)
      const connection = yield* server.connection
      collected.keep("wire", yield* connection.received)
      expect(yield* connection.outputs).toHaveLength(calls.length)
    }).pipe(
      Effect.scoped,
      Effect.provide(collected.layer),
      Effect.andThen(() => {
        const { texts } = collected
        expectSeen(texts, "ToolDefect", "InvalidOutput", "FormatterFailed", "GuardrailFailed", "HandoffFailed")
        expectSeen(texts, "ApprovalCheckFailed", "HandoffCheckFailed", "log: said", "span exit", "span attribute")
        expectNone(texts, secret, key)
      })
    )
  })

  it.live("ends with the defect of a tool that terminates, and without its words", () => {
    const collected = collector()
    const tool = Tool.make("dies", { description: "", onFailure: "terminate", handler: () => dying })
    return Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({ mind: EmbeddedRealtime.script([[call("dies")]]), pace: 0 })
      const { reading, session } = yield* openOn(
        server.url,
        Agent.make("Desk", { instructions: "", tools: [tool] }),
        collected
      )
      yield* session.sendText("Go.")
      const exit = yield* Effect.exit(session.await)
      collected.keepExit("await", exit)
      yield* Fiber.join(reading)
      const [error] = Exit.isFailure(exit) ? Cause.failures(exit.cause) : []
      expect(error?._tag === "ToolDefect" && inspect(error.defect), "the application has it by its name").toContain(
        secret
      )
    }).pipe(
      Effect.scoped,
      Effect.provide(collected.layer),
      Effect.andThen(() => {
        expectSeen(collected.texts, "ToolDefect", "SessionEnded", "await")
        expectNone(collected.texts, secret, key)
      })
    )
  })

  it.scoped("reports an input that could not be handled, without what was thrown", () =>
    Effect.gen(function* () {
      const collected = collector()
      const h = yield* open(Agent.make("Desk", { instructions: "" }), [])
      const edited = yield* Effect.exit(
        h.session.editConversation(() => {
          throw boom()
        })
      )
      expect(Exit.isFailure(edited) && Cause.isDie(edited.cause), "who asked has it").toBe(true)
      const event = yield* h.first("InputFailed")
      collected.keepEvent(event)
      expectNone(collected.texts, secret)
      expect(event.reason && Redacted.value(event.reason)).toEqual(boom())
    })
  )

  it.scoped("goes on without a journal that dies, and says so without its words", () => {
    const collected = collector()
    return Effect.gen(function* () {
      const journal = yield* SessionJournal.SessionJournal
      let appended = 0
      const service: SessionJournal.Service = {
        ...journal,
        open: (id) =>
          Effect.map(journal.open(id), (writer) => ({
            ...writer,
            append: (records) => {
              appended += 1
              return appended <= 3 ? writer.append(records) : dying
            }
          }))
      }
      const tool = Tool.make("fine", { description: "", handler: () => Effect.succeed("fine") })
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [tool] }), [
        [call("fine")],
        [say("Done.")]
      ]).pipe(Effect.provideService(SessionJournal.SessionJournal, service))
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ToolSucceeded")).toHaveLength(1)
      expect(h.all("JournalFailed")).toHaveLength(1)
      for (const event of h.events) collected.keepEvent(event)
    }).pipe(
      Effect.provide(SessionJournal.layerMemory),
      Effect.provide(collected.layer),
      Effect.andThen(() => expectNone(collected.texts, secret))
    )
  })

  it.live(
    "keeps keys out of everything, also where the server says them back: in events, a CLOSE frame, a refusal",
    () => {
      const collected = collector()
      const echo = `${key} ${encodeURIComponent(key)} ${tenant} ${signature}`
      const faults = [
        Faults.refuseHandshake(503, JSON.stringify({ error: { message: `Busy, ${echo}` } }), { connection: 2 }),
        Faults.refuseHandshake(401, `No: ${echo}`, { connection: 4 })
      ]
      return Effect.gen(function* () {
        const server = yield* EmbeddedRealtime.serve({ mind: EmbeddedRealtime.script([]), pace: 0, faults })
        const { reading, session, until } = yield* openOn(
          server.url,
          Agent.make("Desk", { instructions: "" }),
          collected
        )
        const first = yield* server.connection
        const frames = [
          { type: "error", error: { type: "server_error", code: key, message: `Key ${echo}`, param: echo } },
          { type: `news.of.${key}`, echo },
          { type: "response.output_text.delta", delta: 5, item_id: echo, response_id: echo },
          {
            type: "conversation.item.added",
            item: { type: "message", id: "i1", role: "user", content: [{ type: "input_text", text: echo }] }
          }
        ]
        const handled = yield* until("ItemAdded")
        yield* first.pushText(`{"type":"${echo}`)
        for (const frame of frames) {
          yield* first.pushText(JSON.stringify(frame).replaceAll("/", "\\/"))
          yield* first.pushText(JSON.stringify(frame))
        }
        yield* Fiber.join(handled)
        const reconnected = yield* until("Reconnected")
        yield* first.close(1011, `No ${key}`)
        yield* Fiber.join(reconnected)
        const second = yield* server.connection
        yield* second.close(1011, `No ${key}`)
        const exit = yield* Effect.exit(session.await)
        expect(Exit.isFailure(exit) && [...Cause.failures(exit.cause)]).toMatchObject([
          { _tag: "HandshakeRefused", status: 401 }
        ])
        collected.keepExit("await", exit)
        yield* Fiber.join(reading)
      }).pipe(
        Effect.scoped,
        Effect.provide(collected.layer),
        Effect.andThen(() => {
          expectSeen(collected.texts, "ServerErrorReceived", "ServerEventReceived", "ProtocolViolation", "ItemAdded")
          expectSeen(collected.texts, "ConnectionLost", "HandshakeRefused", "<redacted>", "OpenAiRealtime.connect")
          expectNone(collected.texts, key, encodeURIComponent(key), key.replaceAll("/", "\\/"), tenant, signature)
        })
      )
    }
  )

  it.live("keeps keys out of the errors of a session that cannot begin", () => {
    const collected = collector()
    const faults = [Faults.refuseHandshake(401, `Incorrect API key provided: ${key} ${tenant} ${signature}`)]
    return Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({ mind: EmbeddedRealtime.script([]), faults })
      const agent = Agent.make("Desk", { instructions: "" })
      for (const url of [server.url, `ws://user:${tenant}@127.0.0.1:1/`, `ftp://${tenant}@host/`, "not a url"]) {
        const exit = yield* Effect.exit(openOn(url, agent, collected))
        expect(Exit.isFailure(exit)).toBe(true)
        collected.keepExit("make", Exit.asVoid(exit))
      }
    }).pipe(
      Effect.scoped,
      Effect.provide(collected.layer),
      Effect.andThen(() => {
        expectSeen(collected.texts, "HandshakeRefused", "ConnectFailed")
        expectNone(collected.texts, key, tenant, signature)
      })
    )
  })
})
