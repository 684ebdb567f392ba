import { readFileSync } from 'node:fs'
import { treeOf } from '../helpers/hearth.ts'
import type { Report } from './attack.ts'
import type { World } from './world.ts'

/** Settings of a deployment with these environment variables. */
export function variables(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `env.${name}=${encodeURIComponent(value)}`)
    .join('&')
}

/**
 * What an instance's own variables do to it is its own affair: it may answer, fail or be refused. None of the server's
 * own processes may have them.
 *
 * @returns what is wrong
 */
export function steersNobody(report: Report, world: World): string | undefined {
  if (![200, 400, 502, 504].includes(report.status)) return `${report.status} ${report.text}`
  for (const pid of treeOf(world.hearth.supervisor.pid!)) {
    try {
      const isServers = /\/(main|start)\.m?js|hearth-launch/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
      if (isServers && /evil|\/var\/task/.test(environment)) return `process ${pid} of the server has its variables`
      if (isServers && /strike\.so|evil/.test(readFileSync(`/proc/${pid}/maps`, 'utf8')))
        return `process ${pid} loaded it`
    } catch {
      // gone, or of another user
    }
  }
  return undefined
}
