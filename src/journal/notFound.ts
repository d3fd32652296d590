import { isPlatformError } from "@effect/platform/Error"

/** Whether the error means that a file or directory does not exist. */
export const isNotFound = (error: unknown): boolean =>
  isPlatformError(error) && error._tag === "SystemError" && error.reason === "NotFound"
