import { describe, expect, it } from "vitest"
import { answerOf } from "../../src/mcp/resultText.js"

const text = (value: string) => ({ type: "text", text: value })

describe("What the model reads of a tool's result", () => {
  it("is its text, and what else there was", () => {
    const content = [
      text("First."),
      { type: "image", data: "iVBO", mimeType: "image/png" },
      { type: "resource", resource: { uri: "file:///a", text: "A file." } },
      { type: "resource", resource: { uri: "file:///b", blob: "AAAA" } },
      { type: "resource_link", uri: "file:///c" },
      { type: "hologram" },
      null,
      text("Last.")
    ]
    expect(answerOf({ content })).toEqual({
      isError: false,
      text: [
        "First.",
        "(image was left out)",
        "A file.",
        "(a resource that is not text was left out)",
        "(see file:///c)",
        "(hologram was left out)",
        "Last."
      ].join("\n")
    })
  })

  it("is the structured content alone, if there is some", () => {
    const structuredContent = { celsius: 21 }
    expect(answerOf({ content: [text('{"celsius":21}')], structuredContent }).text).toBe('{"celsius":21}')
  })

  it("is nothing of an answer without content, and says whether it is a failure", () => {
    expect(answerOf({})).toEqual({ isError: false, text: "" })
    expect(answerOf({ content: "text", isError: "yes" })).toEqual({ isError: false, text: "" })
    expect(answerOf({ content: [text("No.")], isError: true })).toEqual({ isError: true, text: "No." })
  })
})
