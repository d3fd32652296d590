import { useSignal } from "@preact/signals"
import type { ToolFault } from "../../Protocol.js"
import { about, breakSocket, faultNote, inject } from "../stage.js"

const stallMs = 10_000

const hows: ReadonlyArray<{ readonly how: ToolFault["how"]; readonly label: string; readonly what: string }> = [
  { how: "Fail", label: "Fail", what: "fails" },
  { how: "Hang", label: "Hang", what: "hangs until its timeout" },
  { how: "Crash", label: "Crash", what: "dies with a defect" }
]

export const FaultsPanel = () => {
  const tool = useSignal("")
  const tools = about.value?.tools ?? []
  const which = tool.value === "" ? "any tool" : tool.value
  return (
    <section class="panel" aria-labelledby="faults-title">
      <h2 id="faults-title">Faults</h2>
      <p class="hint">Break something, and watch how the call goes on.</p>
      <label>
        The next call of
        <select
          value={tool.value}
          onChange={({ currentTarget }) => {
            tool.value = currentTarget.value
          }}
        >
          <option value="">any tool</option>
          {tools.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <div class="actions">
        {hows.map(({ how, label, what }) => (
          <button
            key={how}
            type="button"
            onClick={() =>
              inject(
                { _tag: "ToolFault", how, ...(tool.value === "" ? {} : { tool: tool.value }) },
                `The next call of ${which} ${what}.`
              )
            }
          >
            {label}
          </button>
        ))}
      </div>
      <div class="actions">
        <button
          type="button"
          onClick={() => inject({ _tag: "DropConnection" }, "The connection to the model was dropped.")}
        >
          Drop the model's connection
        </button>
        <button
          type="button"
          onClick={() =>
            inject({ _tag: "StallServer", forMs: stallMs }, `Nothing comes from the model for ${stallMs / 1_000} s.`)
          }
        >
          Stall the model
        </button>
        <button type="button" onClick={breakSocket}>
          Drop this page's connection
        </button>
      </div>
      <p role="status" class={faultNote.value.isProblem ? "problem" : "hint"}>
        {faultNote.value.text}
      </p>
    </section>
  )
}
