import { access } from 'node:fs/promises'
import { processorOf } from '../native-code.ts'
import type { Findings, PackageView } from '../runtime.ts'

const HEAD_BYTES = 256

/** Whether the package's `bootstrap` can be started on this machine. */
export async function inspectBootstrap(view: PackageView, architecture: string): Promise<Findings> {
  const { files, opt } = view
  if (!files.includes('bootstrap') && opt?.files.includes('bootstrap') === true) {
    return inspectBootstrap(opt, architecture)
  }
  if (!files.includes('bootstrap')) {
    const folder = files[0]?.slice(0, files[0].indexOf('/') + 1) ?? ''
    const isWrapped = folder !== '' && files.includes(`${folder}bootstrap`)
    const advice = isWrapped
      ? ` It lies in the folder ${folder}: pack the contents of that folder.`
      : ' A layer may bring it.'
    return { notices: [`The package has no file named bootstrap at its top, which custom runtimes start.${advice}`] }
  }
  if (!view.isExecutable('bootstrap')) {
    return { problem: 'bootstrap may not be executed: `chmod 755 bootstrap` and pack again (zip keeps the mode).' }
  }
  const head = await view.head('bootstrap', HEAD_BYTES)
  if (head.length === 0) return {}
  const machine = processorOf(head)
  if (machine !== undefined) {
    if (machine === architecture) return {}
    return { problem: `bootstrap is a program for ${machine}; this server runs ${architecture}.` }
  }
  const line = /^#![^\n]*/.exec(head.toString('latin1'))?.[0]
  if (line === undefined) return { problem: 'bootstrap is neither an ELF program nor a script that begins with #!.' }
  if (line.endsWith('\r')) {
    return {
      problem:
        'bootstrap has Windows line endings, so its #! line names no program: convert it with `sed -i s/\\\\r$// bootstrap`.'
    }
  }
  const program = /^#![ \t]*(\S+)/.exec(line)?.[1] ?? ''
  if (/^\/(usr|bin)\//.test(program) && !(await isThere(program))) {
    return { notices: [`bootstrap begins with #!${program}, which this server does not have.`] }
  }
  return {}
}

/** Only what every sandbox shows of this machine is asked for; other programs come with the package or a layer. */
async function isThere(program: string): Promise<boolean> {
  return access(program).then(
    () => true,
    () => false
  )
}
