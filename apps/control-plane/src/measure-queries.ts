import type { Db } from '@hearth/store'

/**
 * Measures every statement that is prepared on a connection from now on.
 *
 * @param observe - Is told how long each took, in seconds
 */
export function measureQueries(db: Db, observe: (op: 'read' | 'write', seconds: number) => void): void {
  const prepare = db.prepare.bind(db)
  const measured = (sql: string): unknown => {
    const statement = prepare(sql) as unknown as Record<'run' | 'get' | 'all', (...args: unknown[]) => unknown>
    const op = (statement as unknown as { readonly readonly: boolean }).readonly ? 'read' : 'write'
    for (const name of ['run', 'get', 'all'] as const) {
      const call = statement[name].bind(statement)
      statement[name] = (...args) => {
        const before = performance.now()
        try {
          return call(...args)
        } finally {
          observe(op, (performance.now() - before) / 1_000)
        }
      }
    }
    return statement
  }
  db.prepare = measured as Db['prepare']
}
