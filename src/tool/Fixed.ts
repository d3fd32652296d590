/**
 * `T`, where nothing is to be inferred for it: in the type of a result, from what the context wants. Unlike `NoInfer`, it
 * leaves no trace in the type.
 */
export type Fixed<T> = [T] extends [infer A] ? A : never
