/**
 * The typed failures of a tool call. Each one becomes an output that the model reads and an event that the application
 * gets. None of them ends the session, unless the tool's options say so.
 *
 * @since 0.1.0
 * @module
 */
export * from "./toolError/describe.js"
export * from "./toolError/errors.js"
