/** Ends this process when the one that started it is gone, however that came about. */
process.stdin.on("end", () => process.kill(process.pid, "SIGKILL")).resume()
