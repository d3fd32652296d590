import { fileURLToPath } from "node:url"
import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from "vitest/config"

const root = fileURLToPath(new URL("..", import.meta.url))

/** These take many seconds each, most of them for processes of their own: they are for `npm run test:deep`. */
const slow = [
  "test/EmbeddedVoice.test.ts",
  "test/bench/main.test.ts",
  "test/bundle/**/*.test.ts",
  "test/cli.test.ts",
  "test/cluster/ClusterNode.test.ts",
  "test/cluster/postgres.test.ts",
  "test/cluster/server.test.ts",
  "test/demo.test.ts",
  "test/endurance/**/*.test.ts",
  "test/examples.test.ts",
  "test/gateway-client/page.test.ts",
  "test/mistakes/types.test.ts",
  "test/testing/shrinking.test.ts",
  "test/voice/questions.test.ts"
]

/** These count a module's effects when it is loaded, or remove a module: no other test may share it with them. */
const alone = ["test/embedded/router/Moments.test.ts", "test/protocol/Validator.test.ts"]

/** These talk to the console's page in Chromium: they are for `npm run test:browser`. */
const browserTests = ["test/browser/**/*.test.ts"]
const browser = {
  extends: true,
  test: {
    name: "browser",
    include: browserTests,
    globalSetup: ["test/browser/buildPage.ts"],
    fileParallelism: false,
    testTimeout: 600_000
  }
} satisfies TestProjectInlineConfiguration

/** Said to each project: what extends the configuration reads it again, without the mode. */
const envOf = (mode: string) => ({ DEPTH: mode === "deep" ? "1" : "0.1" })

export default defineConfig(({ mode }) => ({
  root,
  resolve: {
    alias: [
      { find: "#embedded/serve", replacement: `${root}src/embedded/serveOnNode.ts` },
      { find: "#mcp/stdio", replacement: `${root}src/mcp/stdioOnNode.ts` },
      { find: "#openai/socket", replacement: `${root}src/openai/socketOnNode.ts` },
      { find: "#voice/thread", replacement: `${root}src/voice/threadOnNode.ts` },
      { find: /^effect-realtime$/, replacement: `${root}src/index.ts` },
      { find: /^effect-realtime\/(.*)$/, replacement: `${root}src/$1.ts` }
    ]
  },
  test: {
    setupFiles: ["test/seeded.ts"],
    // Many times the duration of the longest: the machine may be busy.
    testTimeout: 180_000,
    pool: "forks",
    maxWorkers: "100%",
    projects:
      mode === "browser"
        ? [browser]
        : [
            {
              extends: true,
              test: {
                name: "shared",
                include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
                exclude: [...configDefaults.exclude, ...alone, ...browserTests, ...slow],
                env: envOf(mode),
                // Each process loads the library once, and not once for each file.
                isolate: false
              }
            },
            {
              extends: true,
              test: { name: "alone", env: envOf(mode), include: [...alone, ...(mode === "deep" ? slow : [])] }
            }
          ]
  }
}))
