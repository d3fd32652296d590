/**
 * `T`, excluded from inference: in the type of a result, the context would otherwise influence it. Unlike `NoInfer`, it
 * leaves no trace in the type.
 */
export type Fixed<T> = [T] extends [infer A] ? A : never
