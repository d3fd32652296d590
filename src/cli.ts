#!/usr/bin/env node
/** The `effect-realtime` command. The build bundles the libraries that only the command needs. */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { run } from "./command/run.js"

// The reader of the log may go away (EPIPE). The server then goes on without a log; without a listener, the process
// would end.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined)

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))

run(process.argv, { version, page: fileURLToPath(new URL("../dist/console", import.meta.url)) }).pipe(
  Effect.tap((code) => {
    process.exitCode = code
  }),
  Effect.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeTerminal.layer)),
  NodeRuntime.runMain
)
