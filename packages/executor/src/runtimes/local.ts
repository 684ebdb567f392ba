import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { openAnswers } from './answers.ts'
import { withExtensions } from './custom/runtime-api.ts'
import { type MachineOptions, openMachine } from './machine.ts'
import { createRegistry, type RuntimeRegistry } from './registry.ts'
import type { OpenLanguage } from './runtime.ts'

/** The server's own language comes first: it is always there. */
const FIRST = 'node'

/**
 * The runtimes that this machine has: every folder here with a `language` module is one.
 *
 * @throws Error if no interpreter was found at all, or paths are configured for a language that is none
 */
export async function openRuntimeRegistry({
  cacheDir,
  ...options
}: Omit<MachineOptions, 'bundledDir' | 'answers'> & {
  /** Absolute; written by this server's user alone. What interpreters say of themselves is kept there. */
  readonly cacheDir: string
}): Promise<RuntimeRegistry> {
  const answers = await openAnswers(path.join(cacheDir, 'interpreters.json'))
  const machine = openMachine({ ...options, answers, bundledDir: bundledRuntimesDir() })
  const here = fileURLToPath(new URL('.', import.meta.url))
  const file = `language${path.extname(fileURLToPath(import.meta.url))}`
  const folders = (await readdir(here)).filter((name) => existsSync(path.join(here, name, file)))
  const unknown = Object.keys(options.configured).find((language) => !folders.includes(language))
  if (unknown !== undefined) throw new Error(`paths are configured for ${unknown}; languages are ${folders.join(', ')}`)
  folders.sort((a, b) => Number(b === FIRST) - Number(a === FIRST) || a.localeCompare(b))
  const languages = await Promise.all(
    folders.map(async (folder) => {
      const { openLanguage } = (await import(new URL(`./${folder}/${file}`, import.meta.url).href)) as {
        openLanguage: OpenLanguage
      }
      return openLanguage(machine)
    })
  )
  await answers.save()
  return createRegistry(languages, (plan) => withExtensions(machine, plan))
}

/** Where the build puts what runs inside sandboxes: one folder for each language. */
export function bundledRuntimesDir(): string {
  return fileURLToPath(new URL('../../dist/in-sandbox/', import.meta.url))
}
