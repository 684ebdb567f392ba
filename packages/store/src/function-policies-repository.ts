import type { PolicyStatement, ResourcePolicy } from './resource-policy.ts'
import type { Db } from './sqlite-addon.ts'

/** Resource policies. They go when their function, version or alias goes. */
export interface FunctionPoliciesRepository {
  /** @param qualifier - A version's number or an alias; `''`: the function itself. */
  find(functionName: string, qualifier: string): ResourcePolicy | undefined
  put(functionName: string, qualifier: string, policy: ResourcePolicy): void
  /** Those in which a text stands between quotes, such as a principal's ARN. */
  listNaming(text: string): readonly PolicyOfFunction[]
  remove(functionName: string, qualifier: string): void
}

export interface PolicyOfFunction {
  readonly functionName: string
  readonly qualifier: string
  readonly policy: ResourcePolicy
}

interface Row {
  readonly revision_id: string
  readonly statements: string
}

export function createFunctionPoliciesRepository(db: Db): FunctionPoliciesRepository {
  const select = db.prepare<[functionName: string, qualifier: string], Row>(
    'SELECT revision_id, statements FROM function_policies WHERE function = ? AND qualifier = ?'
  )
  const write = db.prepare<[functionName: string, qualifier: string, revisionId: string, statements: string]>(
    `INSERT INTO function_policies (function, qualifier, revision_id, statements) VALUES (?, ?, ?, ?)
     ON CONFLICT (function, qualifier)
     DO UPDATE SET revision_id = excluded.revision_id, statements = excluded.statements`
  )
  const naming = db.prepare<[quoted: string], Row & { function: string; qualifier: string }>(
    'SELECT function, qualifier, revision_id, statements FROM function_policies WHERE instr(statements, ?) > 0'
  )
  const remove = db.prepare<[functionName: string, qualifier: string]>(
    'DELETE FROM function_policies WHERE function = ? AND qualifier = ?'
  )
  return {
    find(functionName, qualifier) {
      const row = select.get(functionName, qualifier)
      return row && toPolicy(row)
    },
    put: (functionName, qualifier, { revisionId, statements }) =>
      void write.run(functionName, qualifier, revisionId, JSON.stringify(statements)),
    listNaming: (text) =>
      naming.all(JSON.stringify(text)).map((row) => ({
        functionName: row.function,
        qualifier: row.qualifier,
        policy: toPolicy(row)
      })),
    remove: (functionName, qualifier) => void remove.run(functionName, qualifier)
  }
}

function toPolicy(row: Row): ResourcePolicy {
  return { revisionId: row.revision_id, statements: JSON.parse(row.statements) as PolicyStatement[] }
}

/** The reading half, for the gateway. */
export function preparePolicyList(db: Db) {
  const select = db.prepare<[functionName: string], { readonly qualifier: string; readonly statements: string }>(
    'SELECT qualifier, statements FROM function_policies WHERE function = ?'
  )
  return (functionName: string) =>
    select
      .all(functionName)
      .map(({ qualifier, statements }) => ({ qualifier, statements: JSON.parse(statements) as PolicyStatement[] }))
}
