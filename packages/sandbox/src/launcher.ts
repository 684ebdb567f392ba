import { type SendHandle, spawn } from 'node:child_process'
import { chmod, mkdir, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDoor, type Door } from './door.ts'

/** A value for a file, as cgroup limits are set. */
export type FileWrite = readonly [path: string, value: string]

/** One sandbox as the launcher starts it: see the head of hearth-launch.pl. */
export interface LaunchRequest {
  readonly id: string
  readonly fields: readonly (readonly [key: string, value: string])[]
}

export interface ExitReport {
  /** As of wait(2). */
  readonly status: number
  readonly progress: number
  /** Times that the watchdog found more memory in use than allowed. */
  readonly over: number
  /** What the watchdog saw at most, in bytes; NaN where it does not watch. */
  readonly watchedPeak: number
  /** CPU time as the watchdog saw it last, in ms; NaN where it does not watch. */
  readonly watchedCpuMs: number
  /** The files asked for, one line each. */
  readonly stats: readonly string[]
}

export interface LaunchEvents {
  /** bubblewrap has made the sandbox. */
  onStarted(id: string): void
  onFailed(id: string, reason: string): void
  /** No process is left. */
  onExited(id: string, exit: ExitReport): void
  onSocket(id: string, kind: 'channel' | 'output', socket: Socket): void
  /** The launcher is gone, and with it every sandbox. */
  onClosed(reason: string): void
}

export interface Launcher {
  /** Sends a command that has no answer. @throws Error for a tab, newline or NUL byte in a field */
  send(...fields: string[]): void
  /** Sends a command that is answered. @throws Error with the launcher's reason */
  ask(command: string, ...fields: string[]): Promise<string>
  /** A listening socket at this port of 127.0.0.1 in a sandbox. @throws Error with the launcher's reason */
  openDoor(sandboxId: string, port: number): Promise<Door>
  start(request: LaunchRequest): void
  /** Ends the launcher and with it every sandbox; resolves when it is gone. */
  close(): Promise<void>
}

const SCRIPT = fileURLToPath(new URL('../launcher/hearth-launch.pl', import.meta.url))
const HELLO_BYTES = 64
const HELLO_TIMEOUT_MS = 5000
const FORBIDDEN = /[\t\n\0]/

/**
 * Starts hearth-launch.
 *
 * @param runDir - a folder of this server's own; the control socket is made in it
 * @param keep - folders outside of it that the launcher writes to (cgroup hierarchies)
 * @throws Error when perl is missing or the kernel refuses what the launcher needs
 */
export async function startLauncher(
  runDir: string,
  userns: boolean,
  keep: readonly string[],
  events: LaunchEvents
): Promise<Launcher> {
  const control = join(runDir, 'control')
  await rm(control, { recursive: true, force: true })
  await mkdir(control, { recursive: true, mode: 0o700 })
  await chmod(control, 0o700)
  const server = createServer({ pauseOnConnect: true }, (socket) => greet(socket, events))
  await listen(server, join(control, 'socket'))

  // Detached: a Ctrl-C at the terminal must reach the server first, which then stops the launcher in order.
  const child = spawn('/usr/bin/perl', ['-T', SCRIPT], {
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    env: {},
    cwd: '/',
    detached: true
  })
  const { stdin, stdout, stderr } = child
  if (stdin === null || stdout === null || stderr === null) throw new Error('the launcher has no streams')
  const waiting = new Map<string, { resolve: (text: string) => void; reject: (error: Error) => void }>()
  const doors = new Map<string, (door: Door) => void>()
  let sequence = 0
  let errors = ''
  let ready: { resolve: () => void; reject: (error: Error) => void } | undefined
  let gone = false

  const closed = new Promise<void>((resolve) => {
    const onGone = (reason: string) => {
      if (gone) return
      gone = true
      server.close()
      const error = new Error(`launcher: ${errors.trim() || reason}`)
      ready?.reject(error)
      for (const { reject } of waiting.values()) reject(error)
      waiting.clear()
      doors.clear()
      events.onClosed(errors.trim() || reason)
      resolve()
    }
    child.on('error', (error) => onGone(error.message))
    child.on('close', (code, signal) => onGone(`ended with ${signal ?? `status ${code}`}`))
  })
  child.on('message', (sequenceOfDoor: string, handle: SendHandle) => {
    const door = createDoor(handle)
    const take = doors.get(sequenceOfDoor)
    if (take === undefined) door.close()
    else take(door)
  })
  stdin.on('error', () => {}) // told by 'close'
  stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4096)
  })
  readLines(stdout.setEncoding('utf8'), ([kind, first = '', ...rest]) => {
    if (kind === 'I') {
      if (first === '0') ready?.resolve()
      else ready?.reject(new Error(`launcher: ${first}`))
    } else if (kind === 'P') events.onStarted(first)
    else if (kind === 'E') events.onFailed(first, rest[0] ?? '')
    else if (kind === 'X') {
      const [status, progress, over, peak, cpu, ...stats] = rest
      events.onExited(first, {
        status: Number(status),
        progress: Number(progress),
        over: Number(over),
        watchedPeak: Number.parseInt(peak ?? '', 10),
        watchedCpuMs: Number.parseInt(cpu ?? '', 10),
        stats
      })
    } else {
      const answer = waiting.get(first)
      waiting.delete(first)
      if (kind === 'R' && rest[0]) answer?.reject(new Error(rest[0]))
      else answer?.resolve(rest[0] ?? '')
    }
  })

  const send = (...fields: string[]) => {
    for (const field of fields)
      if (FORBIDDEN.test(field)) throw new Error('a tab, newline or NUL byte in a path or argument')
    if (!gone) stdin.write(`${fields.join('\t')}\n`)
  }
  const launcher: Launcher = {
    send,
    ask: (command, ...fields) =>
      new Promise((resolve, reject) => {
        if (gone) return reject(new Error('launcher is gone'))
        const id = String(++sequence)
        send(command, id, ...fields)
        waiting.set(id, { resolve, reject })
      }),
    openDoor: (sandboxId, port) =>
      new Promise((resolve, reject) => {
        if (gone) return reject(new Error('launcher is gone'))
        const id = String(++sequence)
        const forget = () => {
          doors.delete(id)
          waiting.delete(id)
        }
        // It comes by the way of descriptors; only a refusal is a line.
        doors.set(id, (door) => {
          forget()
          resolve(door)
        })
        waiting.set(id, {
          resolve: () => {},
          reject(error) {
            forget()
            reject(error)
          }
        })
        send('L', id, sandboxId, String(port))
      }),
    start: ({ id, fields }) => send('S', id, ...fields.map(([key, value]) => `${key}=${value}`)),
    async close() {
      stdin.end()
      await closed
    }
  }
  await new Promise<void>((resolve, reject) => {
    ready = { resolve, reject }
    if (gone) reject(new Error(`launcher: ${errors.trim()}`))
    send('I', control, userns ? '1' : '', ...keep)
  })
  return launcher
}

/** The launcher's child says first which sandbox and stream a connection is; what follows belongs to the runtime. */
function greet(socket: Socket, events: LaunchEvents): void {
  const timer = setTimeout(() => socket.destroy(), HELLO_TIMEOUT_MS)
  socket.on('error', () => {}) // a reset is followed by 'close'; owners listen to that
  const onReadable = () => {
    const hello = socket.read(HELLO_BYTES) as Buffer | null
    if (hello === null) return
    clearTimeout(timer)
    socket.off('readable', onReadable)
    socket.pause()
    events.onSocket(hello.toString('latin1', 0, 63).trimEnd(), hello[63] === 0x63 ? 'channel' : 'output', socket)
  }
  socket.once('close', () => clearTimeout(timer))
  socket.on('readable', onReadable)
}

function readLines(stream: NodeJS.ReadableStream, onLine: (fields: string[]) => void): void {
  let pending = ''
  stream.on('data', (text: string) => {
    pending += text
    for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
      const line = pending.slice(0, end)
      pending = pending.slice(end + 1)
      onLine(line.split('\t'))
    }
  })
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path, backlog: 1024 }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
