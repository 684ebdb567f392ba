import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { type AuditEntry, filesOf } from './audit-log.ts'

export interface AuditQuery {
  /** ISO 8601; entries from then on. */
  readonly since: string
  /** ISO 8601; entries before. '' has no end. */
  readonly until: string
  readonly principal?: string | undefined
  readonly action?: string | undefined
  readonly resource?: string | undefined
  readonly decision?: AuditEntry['decision'] | undefined
  readonly limit: number
}

/** Entries of all processes, the newest first. */
export async function readAudit(dir: string, names: readonly string[], query: AuditQuery): Promise<AuditEntry[]> {
  const found: AuditEntry[] = []
  for (const name of names) found.push(...(await readOne(dir, name, query)))
  return found.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).slice(0, query.limit)
}

async function readOne(dir: string, name: string, query: AuditQuery): Promise<AuditEntry[]> {
  const found: AuditEntry[] = []
  if (!existsSync(dir)) return found
  for (const file of [`${name}.jsonl`, ...filesOf(dir, name)]) {
    // A file may be turned over or removed while it is looked for.
    const text = await readFile(path.join(dir, file), 'utf8').catch(() => '')
    const lines = text.split('\n')
    for (let i = lines.length - 1; i >= 0; i--) {
      const entry = parse(lines[i]!)
      if (entry === undefined) continue
      if (entry.at < query.since) return found
      if (matches(entry, query)) found.push(entry)
      if (found.length === query.limit) return found
    }
  }
  return found
}

/** A line that a crash cut off is none. */
function parse(line: string): AuditEntry | undefined {
  if (line === '') return undefined
  try {
    return JSON.parse(line) as AuditEntry
  } catch {
    return undefined
  }
}

function matches(entry: AuditEntry, { until, principal, action, resource, decision }: AuditQuery): boolean {
  return (
    (until === '' || entry.at < until) &&
    (principal === undefined || entry.principal === principal) &&
    (action === undefined || entry.action === action) &&
    (resource === undefined || entry.resource === resource) &&
    (decision === undefined || entry.decision === decision)
  )
}
