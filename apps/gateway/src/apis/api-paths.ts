import type { ApiMapping } from '@hearth/shared'

/** APIs of both kinds by their path at the server's own hosts: `/api/{id}`, then as at a host of their own. */
export const API_PATH = '/api/'
/** The stage that is reached without its name. */
export const DEFAULT_STAGE = '$default'

/**
 * The stage that a path leads to: its first segment names one, else all of the path is the default stage's.
 *
 * @param path - Begins with a slash, or is empty
 * @param toName - What name a segment stands for
 * @returns also where the stage's own path begins; undefined: to none
 */
export function stageInPath<Stage>(
  stages: ReadonlyMap<string, Stage>,
  path: string,
  toName: (segment: string) => string = asItIs
): { readonly stage: Stage; readonly at: number } | undefined {
  const slash = path.indexOf('/', 1)
  const end = slash === -1 ? path.length : slash
  const name = toName(path.slice(1, end))
  const named = name === DEFAULT_STAGE ? undefined : stages.get(name)
  if (named !== undefined) return { stage: named, at: end }
  const stage = stages.get(DEFAULT_STAGE)
  return stage && { stage, at: 0 }
}

/**
 * The mapping of a domain that a path leads to.
 *
 * @param mappings - As {@link mappingsByDomain} has them
 * @returns also where the path behind its key begins; undefined: none wants it
 */
export function mappingInPath(
  mappings: readonly ApiMapping[],
  path: string
): { readonly mapping: ApiMapping; readonly at: number } | undefined {
  for (const mapping of mappings) {
    const { key } = mapping
    if (key === '') return { mapping, at: 0 }
    const at = key.length + 1
    const isBelow = path[0] === '/' && path.startsWith(key, 1) && (path.length === at || path[at] === '/')
    if (isBelow) return { mapping, at }
  }
  return undefined
}

/** Those that lead to APIs of one kind, the longest keys of a domain first: they are looked at before those they begin with. */
export function mappingsByDomain(
  mappings: readonly ApiMapping[],
  isOfKind: (apiId: string) => boolean
): ReadonlyMap<string, readonly ApiMapping[]> {
  const byDomain = new Map<string, ApiMapping[]>()
  for (const mapping of mappings) {
    if (!isOfKind(mapping.apiId)) continue
    const list = byDomain.get(mapping.domain)
    if (list === undefined) byDomain.set(mapping.domain, [mapping])
    else list.push(mapping)
  }
  for (const list of byDomain.values()) list.sort((a, b) => b.key.length - a.key.length)
  return byDomain
}

function asItIs(segment: string): string {
  return segment
}
