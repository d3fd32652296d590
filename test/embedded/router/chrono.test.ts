import { describe, expect, it } from "@effect/vitest"
import { isNotInstalled } from "../../../src/embedded/router/chrono.js"

const failure = (code: string, message: string) => Object.assign(new Error(message), { code })

describe("chrono-node", () => {
  it("counts as not installed if Node, or a bundler, does not find it", () => {
    const missing = "Cannot find package 'chrono-node' imported from /app/chrono.js"
    expect(isNotInstalled(failure("ERR_MODULE_NOT_FOUND", missing))).toBe(true)
    expect(isNotInstalled(failure("MODULE_NOT_FOUND", "Cannot find module 'chrono-node/en'"))).toBe(true)
  })

  it.each([
    ["Chromium", "Failed to resolve module specifier 'chrono-node/en'"],
    ["Firefox", "The specifier “chrono-node/en” was a bare specifier, but was not remapped to anything."],
    ["WebKit", "Module name, 'chrono-node/en' does not resolve to a valid URL."],
    ["a page that Vite built", 'Could not resolve "chrono-node/en" imported by "effect-realtime".']
  ])("is taken for not installed in %s, and the embedded server answers without it", (_, message) => {
    expect(isNotInstalled(new TypeError(message))).toBe(true)
  })

  it("does not count as not installed if it is broken or too old", () => {
    for (const error of [
      new SyntaxError("Unexpected token"),
      new TypeError("Cannot resolve 'sunrise' in chrono-node"),
      failure("ERR_MODULE_NOT_FOUND", "Cannot find package 'dayjs' imported from /node_modules/chrono-node/en.js"),
      failure("ERR_PACKAGE_PATH_NOT_EXPORTED", "Package subpath './en' is not defined in chrono-node/package.json")
    ]) {
      expect(isNotInstalled(error)).toBe(false)
    }
  })
})
