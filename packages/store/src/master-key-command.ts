import { spawnSync } from 'node:child_process'
import { SecretBoxError } from './secret-box.ts'

const NAME = 'HEARTH_MASTER_KEY_COMMAND'
const LIMIT_MS = 10_000
const LIMIT_BYTES = 65_536

/**
 * Runs the command that answers the master key. What it writes is shown nowhere: keys may be in it.
 *
 * @param environment - Of this process; Hearth's own settings are not handed on.
 * @throws SecretBoxError
 */
export function runMasterKeyCommand(command: string, environment: NodeJS.ProcessEnv, limitMs = LIMIT_MS): string {
  const env = Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('HEARTH_')))
  const { status, signal, stdout, error } = spawnSync('/bin/sh', ['-c', command], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    timeout: limitMs,
    killSignal: 'SIGKILL',
    maxBuffer: LIMIT_BYTES
  })
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (code === 'ETIMEDOUT') throw refused(`did not end within ${limitMs / 1_000} s`)
  if (code === 'ENOBUFS') throw refused(`wrote more than ${LIMIT_BYTES} bytes`)
  if (error !== undefined) throw refused(`could not be started (${code ?? 'unknown'})`)
  if (status !== 0)
    throw refused(status === null ? `was ended by ${signal ?? 'a signal'}` : `ended with status ${status}`)
  if (stdout.trim() === '') throw refused('wrote nothing')
  return stdout.trim()
}

function refused(what: string): SecretBoxError {
  return new SecretBoxError(`${NAME} ${what}; what it writes is never shown: run it by hand to see why`)
}
