import type { PatternNode } from './compile.ts'
import { matchesEvent, prepareEvent } from './match.ts'

/** Finds the rules that want an event. */
export interface RuleIndex<Rule> {
  /** @param event - JSON. @returns in the order in which the rules were given */
  find(event: object): readonly Rule[]
}

interface Indexed<Rule> {
  readonly order: number
  readonly rule: Rule
  readonly pattern: PatternNode
}

/**
 * Most rules want events of one source or one detail type: only those are asked whose values an event has. A rule that
 * says neither in exact words is asked about every event.
 */
export function createRuleIndex<Rule>(
  rules: Iterable<{ readonly rule: Rule; readonly pattern: PatternNode }>
): RuleIndex<Rule> {
  const bySource = new Map<string, Map<string, Indexed<Rule>[]>>()
  let order = 0
  for (const { rule, pattern } of rules) {
    const indexed = { order: order++, rule, pattern }
    for (const source of exactTexts(pattern, 'source')) {
      const byType = bySource.get(source) ?? new Map<string, Indexed<Rule>[]>()
      bySource.set(source, byType)
      for (const type of exactTexts(pattern, 'detail-type')) {
        const list = byType.get(type)
        if (list === undefined) byType.set(type, [indexed])
        else list.push(indexed)
      }
    }
  }
  return {
    find(event) {
      const { source, 'detail-type': type } = event as { readonly source?: unknown; readonly 'detail-type'?: unknown }
      let prepared: object | undefined
      const found = new Set<Indexed<Rule>>()
      const look = (byType: Map<string, Indexed<Rule>[]> | undefined): void => {
        if (byType === undefined) return
        for (const key of keysOf(type)) {
          for (const indexed of byType.get(key) ?? []) {
            prepared ??= prepareEvent(event)
            if (matchesEvent(indexed.pattern, prepared)) found.add(indexed)
          }
        }
      }
      for (const key of keysOf(source)) look(bySource.get(key))
      return [...found].sort((a, b) => a.order - b.order).map(({ rule }) => rule)
    }
  }
}

/** Of rules that leave open what the value is. */
const ANY = '\0'

function keysOf(value: unknown): Iterable<string> {
  if (typeof value === 'string' && value !== ANY) return [value, ANY]
  if (!Array.isArray(value)) return [ANY]
  return new Set([...value.flat(Number.POSITIVE_INFINITY).filter((item) => typeof item === 'string'), ANY])
}

function exactTexts(pattern: PatternNode, field: string): readonly string[] {
  const leaf = pattern.fields.get(field)?.leaf
  if (leaf === undefined || leaf.matchers.length > 0 || leaf.present || leaf.absent) return [ANY]
  const texts = [...leaf.exact].filter((value) => typeof value === 'string')
  return texts.length === leaf.exact.size && !texts.includes(ANY) ? texts : [ANY]
}
