import type { Findings, PackageView } from '../runtime.ts'

/** ELF's numbers of processors, by Lambda's names. */
const MACHINES: Readonly<Record<number, string>> = {
  3: 'x86 (32 bits)',
  40: 'arm (32 bits)',
  62: 'x86_64',
  183: 'arm64'
}
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
  if (head.toString('latin1', 0, 4) === '\x7fELF') {
    const machine = MACHINES[head.readUInt16LE(18)] ?? 'another processor'
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
  return {}
}
