import type { ServerFrame } from "../protocol/Codec.js"

/**
 * What a connection gives its reader: a frame of the server, or what no event of the protocol says.
 *
 * - `CallsCancelled`: the server takes back calls that it made, by their call ids: their tools are stopped, and it takes
 *   no outputs for them.
 *
 * @since 0.1.0
 * @category models
 */
export type Frame = ServerFrame | { readonly _tag: "CallsCancelled"; readonly callIds: ReadonlyArray<string> }
