import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const root = fileURLToPath(new URL("..", import.meta.url))

export default defineConfig({
  root,
  resolve: {
    alias: [
      { find: /^effect-realtime$/, replacement: `${root}src/index.ts` },
      { find: /^effect-realtime\/(.*)$/, replacement: `${root}src/$1.ts` }
    ]
  },
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/seeded.ts"],
    // Many times what the longest takes: a machine may have more to do.
    testTimeout: 180_000
  }
})
