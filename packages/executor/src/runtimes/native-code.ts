import type { PackageView } from './runtime.ts'

/** ELF's numbers of processors, by Lambda's names. */
const MACHINES: Readonly<Record<number, string>> = {
  3: 'x86 (32 bits)',
  40: 'arm (32 bits)',
  62: 'x86_64',
  183: 'arm64'
}
const ELF_HEAD_BYTES = 20
/** Libraries and addons, with or without a version behind them. */
const NATIVE_FILE = /\.(node|so)(\.\d+)*$/
/** Files that are looked at: a package may have thousands. */
const MAX_FILES = 200

/** @returns the processor that an ELF file is for, e.g. `arm64`; undefined when it is no ELF file */
export function processorOf(head: Buffer): string | undefined {
  if (head.length < ELF_HEAD_BYTES || head.toString('latin1', 0, 4) !== '\x7fELF') return undefined
  return MACHINES[head.readUInt16LE(18)] ?? 'another processor'
}

/**
 * What is in the package for another processor. No reason to refuse it: packages bring such files for several, and load
 * the one that fits.
 *
 * @param architecture - Of this machine
 */
export async function foreignCode(view: PackageView, architecture: string): Promise<readonly string[]> {
  const native = view.files.filter((file) => NATIVE_FILE.test(file)).slice(0, MAX_FILES)
  const foreign: string[] = []
  let own = 0
  for (const file of native) {
    const processor = processorOf(await view.head(file, ELF_HEAD_BYTES))
    if (processor === architecture) own++
    else if (processor !== undefined) foreign.push(`${file} is for ${processor}`)
  }
  // A package that has files for this one as well knows what it does.
  if (foreign.length === 0 || own > 0) return []
  const rest = foreign.length > 1 ? `, and ${foreign.length - 1} more` : ''
  return [`Native code for another processor: ${foreign[0]}${rest}; this server runs ${architecture}.`]
}
