import { readdirSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT } from '../helpers/hearth.ts'
import type { Attack } from './attack.ts'

/**
 * Every attack of the folder `attacks`: each file's default export is one or a list of them. The sources decide which
 * files there are, so that what was compiled of a file that is gone does not count.
 *
 * @throws Error if a file exports no attack, or two attacks have the same name
 */
export async function discoverAttacks(): Promise<readonly Attack[]> {
  const sources = readdirSync(path.join(ROOT, 'test/security/attacks'), { recursive: true, encoding: 'utf8' })
  const files = sources.filter((name) => name.endsWith('.ts')).sort()
  const lists = await Promise.all(
    files.map(async (name) => {
      const compiled = path.join(ROOT, 'test/dist/security/attacks', name.replace(/\.ts$/, '.js'))
      const { default: found } = (await import(pathToFileURL(compiled).href)) as { default?: Attack | Attack[] }
      const list = found === undefined ? [] : Array.isArray(found) ? found : [found]
      if (list.length === 0) throw new Error(`${name} has no attack as its default export`)
      return list
    })
  )
  const attacks = lists.flat()
  const names = new Set<string>()
  for (const { name } of attacks) {
    if (names.has(name)) throw new Error(`two attacks are named: ${name}`)
    names.add(name)
  }
  return attacks
}
