/**
 * Runs agents, with their tools and their own layers, through random programs: users who interrupt, models that call
 * anything at any time, connections that drop. Checks the laws of every session, and your own.
 *
 * @since 0.1.0
 * @module
 */
export * as Testing from "./testing/Testing.js"
