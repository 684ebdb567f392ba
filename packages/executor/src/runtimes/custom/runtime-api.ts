import type { Mount } from '@hearth/sandbox'
import type { BootPlan } from '../../boot.ts'
import type { Machine } from '../machine.ts'

/** Out of the way of what functions and layers bring. */
const FOLDER = '/run/hearth'
const NODE = `${FOLDER}/node`
const SERVER = `${FOLDER}/api/server.cjs`
/** The server itself is small; what it leaves is the function's. */
const FLAGS = ['--max-old-space-size=48', '--max-semi-space-size=1', '--no-warnings']

export interface RuntimeApiBoot {
  readonly machine: Machine
  /**
   * The program that speaks the Runtime API, as seen in the sandbox; `{handler}` and `{task}` are filled in. Empty: the
   * package's or a layer's `bootstrap`.
   */
  readonly command: readonly string[]
  readonly mounts: readonly Mount[]
}

/** A sandbox in which a program finds the Runtime API at `AWS_LAMBDA_RUNTIME_API`. */
export function runtimeApiBoot({ machine, command, mounts }: RuntimeApiBoot): BootPlan {
  return plan(machine, ['run', ...command], {}, mounts)
}

/** One of Hearth's own runtimes with the Extensions and Telemetry APIs beside it. */
export function withExtensions(machine: Machine, inner: BootPlan): BootPlan {
  return plan(machine, ['wrap', ...inner.command], inner.env, inner.mounts)
}

function plan(machine: Machine, args: readonly string[], env: BootPlan['env'], mounts: readonly Mount[]): BootPlan {
  return {
    command: [NODE, ...FLAGS, SERVER, ...args],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', TZ: ':UTC', ...env },
    mounts: [
      ...mounts,
      { source: machine.node.execPath, target: NODE },
      { source: machine.bundled('custom'), target: `${FOLDER}/api` }
    ]
  }
}
