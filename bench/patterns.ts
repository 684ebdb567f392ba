import { compileEventPattern, createRuleIndex } from '@hearth/shared'

export interface PatternResult {
  readonly name: string
  readonly rules: number
  /** Events whose rules were found. */
  readonly eventsPerSecond: number
  /** An event against a rule. */
  readonly decisionsPerSecond: number
  readonly matchesPerEvent: number
}

const RULES = 1_000
const EVENTS = 500

/** How fast the rules that want an event are found, of a thousand. @param seconds - For each kind of rules */
export function measurePatterns(seconds: number): readonly PatternResult[] {
  const ofKind = (i: number) => `kind.${i % 20}`
  const kinds = {
    'rules of 100 sources': (i: number) => ({ source: [`source.${i % 100}`], 'detail-type': [ofKind(i)], ...wish(i) }),
    'rules of one source and 20 types': (i: number) => ({
      source: ['source.0'],
      'detail-type': [ofKind(i)],
      ...wish(i)
    }),
    'all of one source and type': (i: number) => ({ source: ['source.0'], 'detail-type': ['kind.0'], ...wish(i) }),
    'rules that name neither': wish
  }
  return Object.entries(kinds).map(([name, patternOf]) => {
    const index = createRuleIndex(
      Array.from({ length: RULES }, (_, i) => ({ rule: i, pattern: compileEventPattern(JSON.stringify(patternOf(i))) }))
    )
    // As they come: parsed from text.
    const events = Array.from({ length: EVENTS }, (_, i) =>
      JSON.stringify(eventOf(i, name.includes('one source') ? 0 : i % 100))
    )
    let found = 0
    const round = () => {
      for (const text of events) found += index.find(JSON.parse(text) as object).length
    }
    round()
    found = 0
    let rounds = 0
    const startedAt = performance.now()
    while (performance.now() - startedAt < seconds * 1_000) {
      round()
      rounds += 1
    }
    const perSecond = (rounds * EVENTS * 1_000) / (performance.now() - startedAt)
    return {
      name,
      rules: RULES,
      eventsPerSecond: perSecond,
      decisionsPerSecond: perSecond * RULES,
      matchesPerEvent: found / (rounds * EVENTS)
    }
  })
}

function wish(i: number): object {
  const detail = [
    { state: ['placed'], total: [{ numeric: ['>', i] }] },
    { path: [{ prefix: `/a/${i % 50}/` }], user: [{ 'anything-but': ['root'] }] },
    { file: [{ wildcard: `*/${i % 30}/*.png` }] },
    { $or: [{ state: ['gone'] }, { user: [{ suffix: String(i % 10) }] }] }
  ]
  return { detail: detail[i % detail.length] }
}

function eventOf(i: number, source: number): object {
  return {
    version: '0',
    id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
    'detail-type': `kind.${i % 20}`,
    source: `source.${source}`,
    account: '000000000000',
    time: '2025-11-24T16:53:06Z',
    region: 'us-east-1',
    resources: [],
    detail: {
      state: 'placed',
      total: i * 2,
      path: `/a/${i % 50}/x`,
      user: `u${i}`,
      file: `x/${i % 30}/y.png`,
      lines: [
        { sku: 'a', n: 1 },
        { sku: 'b', n: 2 }
      ]
    }
  }
}
