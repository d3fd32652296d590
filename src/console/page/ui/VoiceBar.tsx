import type { Turns } from "../client/Call.js"
import { about, hold, nowMs, overview, release, setTurns } from "../stage.js"
import {
  choose,
  chosen,
  type DeviceState,
  devices,
  isHeld,
  listen,
  microphone,
  mute,
  speaker,
  turns
} from "../voice.js"
import { Waveform } from "./Waveform.js"

/** How much of the user's voice is drawn beside the button. */
const waveMs = 3_000
const waveWidth = 120

const words: Readonly<Record<DeviceState["_tag"], string>> = {
  Off: "off",
  Opening: "waits for the browser's permission…",
  On: "on",
  Refused: "off"
}

const modes: ReadonlyArray<{ readonly turns: Turns; readonly label: string }> = [
  { turns: "detected", label: "Just talk" },
  { turns: "committed", label: "Push to talk" }
]

const DeviceChoice = ({ kind, label }: { readonly kind: "microphone" | "speaker"; readonly label: string }) => {
  // Without permission, a browser tells no names. Its own default is in the list anyway.
  const known = devices.value.filter(
    (device) => device.kind === kind && device.label !== "" && device.deviceId !== "default"
  )
  if (known.length === 0) return null
  return (
    <label>
      {label}
      <select value={chosen.value[kind]} onChange={({ currentTarget }) => choose(kind, currentTarget.value)}>
        <option value="">Default</option>
        {known.map((device) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label}
          </option>
        ))}
      </select>
    </label>
  )
}

const HoldButton = () => (
  <button
    type="button"
    class="primary hold"
    aria-pressed={isHeld.value}
    onPointerDown={(event) => {
      // The button gets the end of the press even if the pointer has left it.
      event.currentTarget.setPointerCapture(event.pointerId)
      hold()
    }}
    onPointerUp={release}
    onPointerCancel={release}
    onBlur={release}
    onKeyDown={({ key, repeat }) => {
      if (!repeat && (key === " " || key === "Enter")) hold()
    }}
    onKeyUp={({ key }) => {
      if (key === " " || key === "Enter") release()
    }}
  >
    {isHeld.value ? "Let go to send" : "Hold to talk"}
  </button>
)

const MicrophoneControls = () => {
  const { _tag } = microphone.value
  const isOff = _tag === "Off" || _tag === "Refused"
  const toMs = nowMs.value
  return (
    <>
      <button type="button" onClick={isOff ? listen : mute}>
        {isOff ? "Talk" : "Mute"}
      </button>
      <label>
        <span class="away">Turns</span>
        <select
          value={turns.value}
          onChange={({ currentTarget }) => {
            const mode = modes.find(({ turns }) => turns === currentTarget.value)
            if (mode !== undefined) void setTurns(mode.turns)
          }}
        >
          {modes.map(({ label, turns }) => (
            <option key={turns} value={turns}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {_tag === "On" && turns.value === "committed" && <HoldButton />}
      {_tag === "On" && (
        <span class="wave">
          <meter
            class="away"
            aria-label="Microphone level"
            value={overview.value.timeline.levels("User").at(-1)?.level ?? 0}
          />
          <Waveform lane="User" window={{ fromMs: toMs - waveMs, toMs, pxPerMs: waveWidth / waveMs }} />
        </span>
      )}
    </>
  )
}

export const VoiceBar = () => {
  const hears = about.value?.hears === true
  return (
    <div class="voice">
      <div class="actions">
        {hears && <MicrophoneControls />}
        <span role="status" class="hint">
          {hears ? `Microphone: ${words[microphone.value._tag]}` : "Nothing would hear you: type"}
          {speaker.value._tag === "Opening" && ". Sound begins after your first click or key"}
        </span>
      </div>
      <div class="actions">
        {hears && <DeviceChoice kind="microphone" label="Microphone" />}
        <DeviceChoice kind="speaker" label="Speaker" />
      </div>
      {[microphone.value, speaker.value].map(
        (state, index) =>
          state._tag === "Refused" && (
            <p key={index} role="alert" class="problem">
              {state.message}
            </p>
          )
      )}
    </div>
  )
}
