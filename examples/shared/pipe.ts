/**
 * `… | head -1`: whoever has read enough may leave, and nothing is wrong. The code is that of a program which SIGPIPE
 * ends, so that nobody takes it for one that came to its end.
 */
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit(141))
