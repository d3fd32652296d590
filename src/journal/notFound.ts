import { isPlatformError } from "@effect/platform/Error"

/** There is no such file or directory. */
export const isNotFound = (error: unknown): boolean =>
  isPlatformError(error) && error._tag === "SystemError" && error.reason === "NotFound"
