/**
 * A WebSocket server for pages and apps. Each client talks to a session that runs on the server, with its tools and keys.
 *
 * @since 0.1.0
 * @module
 */
export * as Gateway from "./gateway/Gateway.js"
export * as GatewayProtocol from "./gateway/Protocol.js"
