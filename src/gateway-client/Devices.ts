/**
 * The microphones and speakers that a page can choose from.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { mediaDevices } from "./context.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Device {
  /** For `Microphone.open` and `Speaker.open`. */
  readonly deviceId: string
  /** The name that users see. Empty until the user has allowed a microphone. */
  readonly label: string
  readonly kind: "microphone" | "speaker"
}

const kinds = new Map<string, Device["kind"]>([
  ["audioinput", "microphone"],
  ["audiooutput", "speaker"]
])

const toDevices = ({ deviceId, kind, label }: MediaDeviceInfo): ReadonlyArray<Device> => {
  const known = kinds.get(kind)
  return known === undefined || deviceId === "" ? [] : [{ deviceId, label, kind: known }]
}

/**
 * The current devices; none if the page may not know them. Browsers hide most of them until the user has allowed a
 * microphone.
 *
 * @since 0.1.0
 * @category devices
 */
export const list: Effect.Effect<ReadonlyArray<Device>> = Effect.suspend(() => {
  const media = mediaDevices()
  return media === undefined ? Effect.succeed([]) : Effect.tryPromise(() => media.enumerateDevices())
}).pipe(
  Effect.map((devices) => devices.flatMap(toDevices)),
  Effect.orElseSucceed(() => [])
)

/**
 * The devices: now, and again whenever they change.
 *
 * @since 0.1.0
 * @category devices
 */
export const changes: Stream.Stream<ReadonlyArray<Device>> = Stream.asyncPush<void>(
  (emit) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const media = mediaDevices()
        const onChange = () => void emit.single()
        media?.addEventListener("devicechange", onChange)
        onChange()
        return () => media?.removeEventListener("devicechange", onChange)
      }),
      (stop) => Effect.sync(stop)
    ),
  // The list is read anew each time, so that one change that waits stands for all.
  { bufferSize: 1, strategy: "sliding" }
).pipe(Stream.mapEffect(() => list))
