/**
 * The client of a gateway, for pages, apps and Node: a call that survives broken sockets, the microphone, and a speaker that
 * reports what was heard. It depends only on `effect`.
 *
 * @since 0.1.0
 * @module
 */
export * as GatewayProtocol from "./gateway/Protocol.js"
export { CallEnded, CallLost, CommandFailed, CommandNotSent, ConnectFailed } from "./gateway-client/ClientError.js"
export { DeviceError } from "./gateway-client/DeviceError.js"
export * as Devices from "./gateway-client/Devices.js"
export * as GatewayClient from "./gateway-client/GatewayClient.js"
export * as Microphone from "./gateway-client/Microphone.js"
export * as Speaker from "./gateway-client/Speaker.js"
export { talk } from "./gateway-client/talk.js"
export { microphoneWorklet, speakerWorklet } from "./gateway-client/worklets.js"
