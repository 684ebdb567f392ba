import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  openSandboxHost,
  type Sandbox,
  type SandboxHost,
  type SandboxHostOptions,
  type SandboxSpec,
  whenClosed
} from '@hearth/sandbox'
import type { Test } from 'tap'

export const isRoot = process.getuid?.() === 0

let hosts = 0

/** A server id that no other test process has. */
export const freshServerId = () => `t${(process.pid * 100 + hosts++).toString(36)}`.slice(-8)

/** A host of this test's own; closed, with all that it made, when `t` ends. */
export async function openHost(t: Test, options: Partial<SandboxHostOptions> = {}): Promise<SandboxHost> {
  const runDir = mkdtempSync(join(tmpdir(), 'hs-'))
  t.teardown(() => rmSync(runDir, { recursive: true, force: true }))
  const host = await openSandboxHost({
    runDir,
    isolation: 'strict',
    serverId: freshServerId(),
    networks: ['none'],
    dns: [],
    log: () => {},
    ...options
  })
  t.teardown(() => host.close())
  return host
}

/** A sandbox with small limits that runs perl (which every machine that can run sandboxes has). */
export function perl(script: string, changes: Partial<SandboxSpec> = {}): SandboxSpec {
  return {
    command: ['/usr/bin/perl', '-e', `$| = 1; ${script.replaceAll('\n', ' ')}`],
    env: { PATH: '/usr/bin:/bin' },
    mounts: [],
    memoryMiB: 64,
    tmpMiB: 4,
    pids: 32,
    network: 'none',
    ...changes
  }
}

/** Collects what a sandbox writes to its standard output and error. */
export function listen(sandbox: Sandbox) {
  let text = ''
  let ended = false
  let wake = () => {}
  sandbox.output.setEncoding('utf8').on('data', (part: string) => {
    text += part
    wake()
  })
  whenClosed(sandbox.output, () => {
    ended = true
    wake()
  })
  sandbox.output.resume()
  sandbox.channel.resume()
  const until = (done: () => boolean) =>
    new Promise<string>((resolve, reject) => {
      wake = () => {
        if (done()) resolve(text)
        else if (ended) reject(new Error(`the sandbox's output ended: ${text}`))
      }
      wake()
    })
  return {
    /** Resolves with all output once it contains `part`. */
    says: (part: string) => until(() => text.includes(part)),
    /** Resolves with all output once there will be no more. */
    all: () => until(() => ended)
  }
}

/** Runs a sandbox to its end. */
export async function run(host: SandboxHost, spec: SandboxSpec) {
  const sandbox = await host.start(spec)
  const [output, exit] = await Promise.all([listen(sandbox).all(), sandbox.exited])
  sandbox.channel.destroy()
  return { output, exit }
}
