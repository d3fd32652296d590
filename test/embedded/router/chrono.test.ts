import { describe, expect, it } from "@effect/vitest"
import { isNotInstalled } from "../../../src/embedded/router/chrono.js"

const failure = (code: string, message: string) => Object.assign(new Error(message), { code })

describe("chrono-node", () => {
  it("is taken for not installed where Node, or a bundler, does not find it", () => {
    const missing = "Cannot find package 'chrono-node' imported from /app/chrono.js"
    expect(isNotInstalled(failure("ERR_MODULE_NOT_FOUND", missing))).toBe(true)
    expect(isNotInstalled(failure("MODULE_NOT_FOUND", "Cannot find module 'chrono-node/en'"))).toBe(true)
  })

  it("is not taken for that where it is broken, or too old", () => {
    for (const error of [
      new SyntaxError("Unexpected token"),
      failure("ERR_MODULE_NOT_FOUND", "Cannot find package 'dayjs' imported from /node_modules/chrono-node/en.js"),
      failure("ERR_PACKAGE_PATH_NOT_EXPORTED", "Package subpath './en' is not defined in chrono-node/package.json")
    ]) {
      expect(isNotInstalled(error)).toBe(false)
    }
  })
})
