// Keeps a set of Node programs running: restarts with back-off, stops them in reverse order.
import { fork } from 'node:child_process'

const BACKOFF_MS = { first: 100, last: 10_000 }
/** A program that has run for this long is healthy again: its next restart comes at once. */
const HEALTHY_AFTER_MS = 10_000
/** A program that ends with this (sysexits' EX_CONFIG) at the first start will not get better by restarting. */
const EXIT_CONFIG = 78

/**
 * @param {object} options
 * @param {{ name: string, file: string }[]} options.programs - started together; stopped in reverse order
 * @param {NodeJS.ProcessEnv} options.env - of all programs
 * @param {number} options.drainMs - how long a stopping program may take
 * @param {(ready: Record<string, { port: number }>) => void} options.onReady - once, when all have reported
 * @returns {Promise<void>} when all have ended after a signal
 */
export async function supervise({ programs, env, drainMs, onReady }) {
  const children = new Map()
  const ready = {}
  let stopping = false
  let announced = false

  const { promise: over, resolve: finish } = withResolvers()

  const stop = async (code) => {
    if (stopping) return
    stopping = true
    process.exitCode = code
    for (const { name } of [...programs].reverse()) await end(children.get(name))
    finish()
  }

  const end = (child) =>
    new Promise((resolve) => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return resolve()
      const timer = setTimeout(() => child.kill('SIGKILL'), drainMs + 5_000)
      child.once('exit', () => {
        clearTimeout(timer)
        resolve()
      })
      child.kill('SIGTERM')
    })

  const start = ({ name, file }, failures = 0) => {
    const startedAt = Date.now()
    // A group of its own: Ctrl-C at the terminal is for the supervisor, which stops its programs in order.
    const child = fork(file, [], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true })
    children.set(name, child)
    child.on('message', (message) => {
      if (message?.ready !== true) return
      ready[name] = { port: message.port }
      if (!announced && programs.every((program) => ready[program.name] !== undefined)) {
        announced = true
        onReady(ready)
      }
    })
    child.once('exit', (code, signal) => {
      if (stopping) return
      // Later it is no reason to end the programs that do run.
      if (code === EXIT_CONFIG && !announced) return void stop(EXIT_CONFIG)
      const count = Date.now() - startedAt >= HEALTHY_AFTER_MS ? 0 : failures
      const delayMs = Math.min(BACKOFF_MS.last, BACKOFF_MS.first * 2 ** count)
      console.error(`hearth: ${name} ended (${signal ?? `exit status ${code}`}); starting it again in ${delayMs} ms`)
      setTimeout(() => {
        if (!stopping) start({ name, file }, count + 1)
      }, delayMs)
    })
  }

  process.once('SIGINT', () => void stop(0))
  process.once('SIGTERM', () => void stop(0))

  for (const program of programs) start(program)
  return over
}

function withResolvers() {
  let resolve
  const promise = new Promise((done) => {
    resolve = done
  })
  return { promise, resolve }
}
