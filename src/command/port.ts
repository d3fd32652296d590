/** `--port`. */
import * as Options from "@effect/cli/Options"
import * as Option from "effect/Option"

export const port = (byDefault: number): Options.Options<number> =>
  Options.integer("port").pipe(
    Options.withDescription(`Port to listen on; 0 takes a free port (default: ${byDefault})`),
    Options.filterMap(
      (port) => (port >= 0 && port <= 65_535 ? Option.some(port) : Option.none()),
      "The port should be a number from 0 to 65535."
    ),
    Options.withDefault(byDefault)
  )
