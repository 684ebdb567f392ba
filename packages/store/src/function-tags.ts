import type { Db } from './sqlite-addon.ts'

/** The tags of a function by name; nothing else of it is read or opened. @returns undefined when there is none */
export type FunctionTagsLookup = (functionName: string) => Readonly<Record<string, string>> | undefined

export function prepareFunctionTags(db: Db): FunctionTagsLookup {
  const find = db
    .prepare<[name: string], string>(`SELECT tags FROM functions WHERE name = ? AND version = '$LATEST'`)
    .pluck()
  return (name) => {
    const text = find.get(name)
    return text === undefined ? undefined : (JSON.parse(text) as Record<string, string>)
  }
}
