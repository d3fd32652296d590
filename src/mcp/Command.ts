/**
 * A program that is an MCP server on its standard input and output.
 *
 * @since 0.1.0
 * @category options
 */
export interface Command {
  readonly command: string
  readonly args?: ReadonlyArray<string> | undefined
  /**
   * Variables of its environment, beside `PATH`, `HOME` and a few more that are safe to pass on. The application's own
   * variables, such as API keys, are not passed on.
   */
  readonly env?: { readonly [name: string]: string } | undefined
  /** Default: the working directory of this process. */
  readonly cwd?: string | undefined
}
