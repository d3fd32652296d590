/**
 * The part of WASI that a program needs to read its arguments and write one file. The program has no access to this
 * machine's files, clock or environment. The interface is `wasi_snapshot_preview1` (WebAssembly/WASI, legacy/preview1).
 */

/** What a program wrote, and how it ended. */
export interface Outcome {
  readonly exitCode: number
  /** The bytes of its file. */
  readonly file: Uint8Array
  /** What it printed on standard output and standard error. */
  readonly printed: string
}

const SUCCESS = 0
const BAD_DESCRIPTOR = 8
const INVALID = 28

/** Descriptors 0 to 2 are the standard streams, then the one folder, then the file. */
const STDOUT = 1
const STDERR = 2
const ROOT = 3
const FILE = 4

const CHARACTER_DEVICE = 2
const DIRECTORY = 3
const REGULAR_FILE = 4

const FROM_START = 0
const FROM_CURRENT = 1

/** Ends the program: `proc_exit` does not return. */
class Exit {
  constructor(readonly code: number) {}
}

/** Bytes that grow by doubling. */
class Growing {
  #bytes = new Uint8Array(64 * 1024)
  length = 0

  write(at: number, part: Uint8Array): void {
    const end = at + part.length
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length))
      larger.set(this.#bytes.subarray(0, this.length))
      this.#bytes = larger
    }
    this.#bytes.set(part, at)
    this.length = Math.max(this.length, end)
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }
}

/**
 * Runs a program to its end. A trap, such as a stack overflow, is thrown.
 *
 * @param args without the name of the program
 */
export const run = (program: WebAssembly.Module, name: string, args: ReadonlyArray<string>): Outcome => {
  const argv = [name, ...args].map((arg) => new TextEncoder().encode(`${arg}\0`))
  const file = new Growing()
  const printed = new Growing()
  let at = 0
  let memory = new WebAssembly.Memory({ initial: 0 })

  // The memory may have grown since the last call, which leaves older views empty.
  const view = () => new DataView(memory.buffer)

  const gather = (vectors: number, count: number): ReadonlyArray<Uint8Array> => {
    const { buffer } = memory
    const data = view()
    return Array.from(
      { length: count },
      (_, index) =>
        new Uint8Array(buffer, data.getUint32(vectors + 8 * index, true), data.getUint32(vectors + 8 * index + 4, true))
    )
  }

  const imports = {
    args_sizes_get: (count: number, size: number) => {
      view().setUint32(count, argv.length, true)
      view().setUint32(
        size,
        argv.reduce((total, { length }) => total + length, 0),
        true
      )
      return SUCCESS
    },
    args_get: (pointers: number, buffer: number) => {
      let place = buffer
      for (const [index, arg] of argv.entries()) {
        view().setUint32(pointers + 4 * index, place, true)
        new Uint8Array(memory.buffer).set(arg, place)
        place += arg.length
      }
      return SUCCESS
    },
    clock_time_get: (_clock: number, _precision: bigint, time: number) => {
      view().setBigUint64(time, 0n, true)
      return SUCCESS
    },
    fd_close: () => SUCCESS,
    fd_fdstat_get: (descriptor: number, stat: number) => {
      if (descriptor > FILE) return BAD_DESCRIPTOR
      const type = descriptor === ROOT ? DIRECTORY : descriptor === FILE ? REGULAR_FILE : CHARACTER_DEVICE
      view().setUint8(stat, type)
      view().setUint16(stat + 2, 0, true)
      view().setBigUint64(stat + 8, 0xffff_ffff_ffff_ffffn, true)
      view().setBigUint64(stat + 16, 0xffff_ffff_ffff_ffffn, true)
      return SUCCESS
    },
    fd_fdstat_set_flags: () => SUCCESS,
    fd_prestat_get: (descriptor: number, stat: number) => {
      if (descriptor !== ROOT) return BAD_DESCRIPTOR
      view().setUint32(stat, 0, true)
      view().setUint32(stat + 4, 1, true)
      return SUCCESS
    },
    fd_prestat_dir_name: (descriptor: number, path: number) => {
      if (descriptor !== ROOT) return BAD_DESCRIPTOR
      view().setUint8(path, "/".charCodeAt(0))
      return SUCCESS
    },
    fd_read: (_descriptor: number, _vectors: number, _count: number, read: number) => {
      view().setUint32(read, 0, true)
      return SUCCESS
    },
    fd_seek: (descriptor: number, offset: bigint, whence: number, place: number) => {
      if (descriptor !== FILE) return INVALID
      const from = whence === FROM_START ? 0 : whence === FROM_CURRENT ? at : file.length
      at = from + Number(offset)
      view().setBigUint64(place, BigInt(at), true)
      return SUCCESS
    },
    fd_write: (descriptor: number, vectors: number, count: number, written: number) => {
      if (descriptor !== FILE && descriptor !== STDOUT && descriptor !== STDERR) return BAD_DESCRIPTOR
      let length = 0
      for (const part of gather(vectors, count)) {
        if (descriptor === FILE) {
          file.write(at, part)
          at += part.length
        } else printed.write(printed.length, part)
        length += part.length
      }
      view().setUint32(written, length, true)
      return SUCCESS
    },
    path_open: (...args: ReadonlyArray<number | bigint>) => {
      at = 0
      view().setUint32(Number(args[8]), FILE, true)
      return SUCCESS
    },
    proc_exit: (code: number) => {
      throw new Exit(code)
    }
  }

  const instance = new WebAssembly.Instance(program, { wasi_snapshot_preview1: imports })
  const { _start: start, memory: own } = instance.exports
  if (!(own instanceof WebAssembly.Memory) || typeof start !== "function") {
    throw new Error(`${name} is no WASI command: it exports no memory or no _start.`)
  }
  memory = own
  const ended = (exitCode: number): Outcome => ({
    exitCode,
    file: file.bytes,
    printed: new TextDecoder().decode(printed.bytes)
  })
  try {
    start()
    return ended(0)
  } catch (problem) {
    if (problem instanceof Exit) return ended(problem.code)
    throw problem
  }
}
