/**
 * The typed failures of a tool call. Each one becomes an output that the model reads and an event that the application
 * observes; none of them ends the session, unless the tool says so.
 *
 * @since 0.1.0
 * @module
 */
export * from "./toolError/describe.js"
export * from "./toolError/errors.js"
