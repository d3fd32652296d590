/**
 * A WebSocket server for a page or an app: bridges each client to a session that runs here, with its tools and its keys.
 *
 * @since 0.1.0
 * @module
 */
export * as Gateway from "./gateway/Gateway.js"
export * as GatewayProtocol from "./gateway/Protocol.js"
