// The language of event patterns: case by case from AWS's behaviour, then properties.
import { compileEventPattern, createRuleIndex, type HearthError, matchesEvent, prepareEvent } from '@hearth/shared'
import t from 'tap'

const matches = (pattern: unknown, event: object): boolean =>
  matchesEvent(compileEventPattern(JSON.stringify(pattern)), prepareEvent(event))

/** Pattern, events that it wants, events that it does not. */
const CASES: readonly (readonly [pattern: object, wanted: readonly object[], unwanted: readonly object[]])[] = [
  [
    { a: ['x', 5, true, null, ''] },
    [{ a: 'x' }, { a: 5 }, { a: 5.0 }, { a: true }, { a: null }, { a: '' }],
    [{ a: 'X' }, { a: '5' }, { a: false }, { a: 'null' }, {}, { b: 'x' }]
  ],
  [{ a: [null] }, [{ a: null }, { a: [1, null] }], [{}, { a: 'null' }, { a: [] }, { a: {} }]],
  [{ a: [300] }, [{ a: 300.0 }, { a: 3e2 }], [{ a: '300' }]],
  [{ a: ['x'], b: [1] }, [{ a: 'x', b: 1, c: 9 }], [{ a: 'x' }, { a: 'x', b: 2 }]],
  [{ a: ['x'] }, [{ a: ['y', 'x'] }, { a: [['x']] }], [{ a: ['y'] }, { a: [] }, { a: { x: 1 } }]],
  [
    { a: { b: ['x'] } },
    [{ a: { b: 'x' } }, { a: [{ c: 1 }, { b: 'x' }] }, { 'a.b': 'x' }],
    [{ a: 'x' }, { a: [] }, { b: 'x' }]
  ],
  [{ 'a.b': ['x'] }, [{ a: { b: 'x' } }, { 'a.b': 'x' }, { a: { b: 'y' }, 'a.b': 'x' }], [{ a: { b: 'y' } }]],
  // Of objects in an array, one and the same.
  [
    { a: { b: [1], c: [2] } },
    [{ a: [{ b: 1, c: 2 }] }],
    [
      { a: [{ b: 1 }, { c: 2 }] },
      {
        a: [
          { b: 1, c: 3 },
          { b: 3, c: 2 }
        ]
      }
    ]
  ],
  [{ a: [{ prefix: 'eu-' }] }, [{ a: 'eu-1' }, { a: 'eu-' }], [{ a: 'EU-1' }, { a: 'x' }, { a: 1 }, { a: null }]],
  [{ a: [{ prefix: '' }] }, [{ a: '' }, { a: 'x' }], [{ a: 1 }, {}]],
  [{ a: [{ prefix: { 'equals-ignore-case': 'EventB' } }] }, [{ a: 'eventbridge' }], [{ a: 'event' }]],
  [{ a: [{ suffix: '.png' }] }, [{ a: 'x.png' }, { a: '.png' }], [{ a: 'x.PNG' }, { a: 'png' }]],
  [{ a: [{ suffix: { 'equals-ignore-case': '.PNG' } }] }, [{ a: 'x.png' }], [{ a: 'x.pn' }]],
  [{ a: [{ 'equals-ignore-case': 'alice' }] }, [{ a: 'ALICE' }, { a: 'alice' }], [{ a: 'alic' }, { a: null }]],
  [{ a: [{ 'equals-ignore-case': '' }] }, [{ a: '' }], [{ a: 'x' }]],
  [
    { a: [{ wildcard: 'dir/*/x' }] },
    [{ a: 'dir//x' }, { a: 'dir/a/b/x' }],
    [{ a: 'dir/x' }, { a: 'dir/a/xy' }, { a: 1 }]
  ],
  [{ a: [{ wildcard: '*a*b*' }] }, [{ a: 'ab' }, { a: 'xaybz' }], [{ a: 'ba' }]],
  [{ a: [{ wildcard: 'ab*ba' }] }, [{ a: 'abba' }, { a: 'abxba' }], [{ a: 'aba' }]],
  [{ a: [{ wildcard: 'x\\*\\\\y' }] }, [{ a: 'x*\\y' }], [{ a: 'xz\\y' }]],
  [{ a: [{ wildcard: '' }] }, [{ a: '' }], [{ a: 'x' }]],
  [
    { a: [{ 'anything-but': 'x' }] },
    [{ a: 'y' }, { a: null }, { a: 1 }, { a: ['x', 'y'] }],
    [{ a: 'x' }, {}, { a: [] }]
  ],
  [{ a: [{ 'anything-but': ['x', 'y'] }] }, [{ a: 'z' }], [{ a: 'x' }, { a: 'y' }]],
  [{ a: [{ 'anything-but': [1, 2] }] }, [{ a: 3 }, { a: '1' }], [{ a: 1 }, { a: 2.0 }]],
  [{ a: [{ 'anything-but': { prefix: 'x' } }] }, [{ a: 'y' }, { a: 1 }, { a: null }], [{ a: 'xy' }, {}]],
  [{ a: [{ 'anything-but': { prefix: ['x', 'y'] } }] }, [{ a: 'z' }], [{ a: 'x1' }, { a: 'y1' }]],
  [{ a: [{ 'anything-but': { suffix: ['.a', '.b'] } }] }, [{ a: 'x.c' }], [{ a: 'x.a' }, { a: 'x.b' }]],
  [{ a: [{ 'anything-but': { 'equals-ignore-case': ['x', 'Y'] } }] }, [{ a: 'z' }], [{ a: 'X' }, { a: 'y' }]],
  [{ a: [{ 'anything-but': { wildcard: ['*/x', 'y*'] } }] }, [{ a: 'z' }], [{ a: 'a/x' }, { a: 'yy' }]],
  [{ a: [{ numeric: ['>', 0, '<=', 5] }] }, [{ a: 5 }, { a: 0.1 }], [{ a: 0 }, { a: 5.1 }, { a: '3' }, { a: null }]],
  [{ a: [{ numeric: ['=', 5] }] }, [{ a: 5 }, { a: 5.0 }], [{ a: 4 }]],
  [{ a: [{ numeric: ['<', 5] }] }, [{ a: -1e9 }], [{ a: 5 }]],
  [{ a: [{ cidr: '10.0.0.0/24' }] }, [{ a: '10.0.0.255' }], [{ a: '10.0.1.0' }, { a: 'x' }, { a: 10 }]],
  [{ a: [{ cidr: '2001:db8::/32' }] }, [{ a: '2001:db8::1' }], [{ a: '2001:db9::1' }, { a: '10.0.0.1' }]],
  [
    { a: [{ exists: true }] },
    [{ a: 1 }, { a: null }, { a: '' }, { a: [1] }],
    [{}, { a: [] }, { a: {} }, { a: { b: 1 } }]
  ],
  [{ a: [{ exists: false }] }, [{}, { a: [] }, { b: 1 }], [{ a: null }, { a: 1 }]],
  [
    { a: { b: [{ exists: false }] } },
    [{}, { a: 1 }, { a: {} }, { a: { c: 1 } }],
    [{ a: { b: 1 } }, { a: [{ c: 1 }, { b: 1 }] }]
  ],
  [{ a: [{ 'anything-but': ['x'] }, { exists: false }] }, [{}, { a: 'y' }], [{ a: 'x' }]],
  [{ a: ['x', { prefix: 'y' }] }, [{ a: 'x' }, { a: 'yy' }], [{ a: 'z' }]],
  [{ d: { $or: [{ a: [1] }, { b: [2] }] } }, [{ d: { a: 1 } }, { d: { b: 2 } }], [{ d: { a: 2 } }, {}]],
  [
    { c: [3], $or: [{ a: [1] }, { b: [{ numeric: ['>', 1] }] }] },
    [
      { c: 3, a: 1 },
      { c: 3, b: 2 }
    ],
    [{ a: 1 }, { c: 3 }]
  ],
  [{ $or: [{ a: [1] }, { $or: [{ b: [1] }, { c: [1] }] }] }, [{ a: 1 }, { c: 1 }], [{ d: 1 }]],
  // It is a name like any other where it is no choice.
  [{ $or: ['x'] }, [{ $or: 'x' }], [{ x: 1 }]],
  [{ __proto__x: ['y'], constructor: ['z'] }, [{ __proto__x: 'y', constructor: 'z' }], [{ __proto__x: 'y' }]],
  [{ detail: { a: [1] } }, [], [{ detail: '{"a":1}' }]]
]

t.test('each operator wants what AWS says', async (t) => {
  for (const [pattern, wanted, unwanted] of CASES) {
    const text = JSON.stringify(pattern)
    for (const event of wanted) t.ok(matches(pattern, event), `${text} wants ${JSON.stringify(event)}`)
    for (const event of unwanted) t.notOk(matches(pattern, event), `${text} does not want ${JSON.stringify(event)}`)
  }
})

/** Pattern, reason, column; undefined: not looked at. */
const MISTAKES: readonly (readonly [text: string, reason: string, column?: number])[] = [
  ['{"source":"x"}', '"source" must be an object or an array', 12],
  ['{"source":5}', '"source" must be an object or an array', 12],
  ['{"source":[]}', 'Empty arrays are not allowed', 13],
  ['{}', 'Empty objects are not allowed', 3],
  ['[]', 'Filter is not an object', 2],
  ['"x"', 'Filter is not an object'],
  ['{"a":[{"NUMERIC":["=",1]}]}', 'Unrecognized match type NUMERIC'],
  ['{"a":[{"numeric":[">",1,">",2]}]}', 'Bad numeric range operator: >'],
  ['{"a":[{"numeric":["<","1"]}]}', 'Value of < must be numeric'],
  ['{"a":[{"numeric":5}]}', 'Value of numeric must be an array.', 19],
  ['{"a":[{"numeric":[">",6e9]}]}', 'Value must be between -5.0E9 and 5.0E9, inclusive'],
  ['{"a":[{"numeric":[">",5,"<",5]}]}', 'Bottom must be less than top'],
  ['{"a":[{"prefix":5}]}', 'prefix match pattern must be a string', 18],
  ['{"a":[{"suffix":["x"]}]}', 'suffix match pattern must be a string', 18],
  ['{"a":[{"cidr":5}]}', 'prefix match pattern must be a string'],
  ['{"a":[{"wildcard":5}]}', 'wildcard match pattern must be a string'],
  ['{"a":[{"wildcard":"a**"}]}', 'Consecutive wildcard characters at pos 2'],
  ['{"a":[{"wildcard":"a\\\\x"}]}', 'Invalid escape character at pos 2'],
  [
    `{"a":[{"wildcard":"${'a*'.repeat(31)}"}]}`,
    'Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character'
  ],
  ['{"a":[{"equals-ignore-case":["x"]}]}', 'equals-ignore-case match pattern must be a string'],
  ['{"a":[{"anything-but":null}]}', 'Value of anything-but must be an array or single string/number value.'],
  ['{"a":[{"anything-but":[]}]}', 'Empty arrays are not allowed'],
  ['{"a":[{"anything-but":[true]}]}', 'Inside anything but list, start|null|boolean is not supported.'],
  ['{"a":[{"anything-but":{"prefix":""}}]}', 'Null prefix/suffix not allowed'],
  ['{"a":[{"anything-but":{"prefix":{"equals-ignore-case":"x"}}}]}', 'prefix/suffix match pattern must be a string'],
  [
    '{"a":[{"anything-but":{"equals-ignore-case":[1]}}]}',
    'Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.'
  ],
  ['{"a":[{"cidr":"10.0.0.0"}]}', "Malformed CIDR, one '/' required"],
  ['{"a":[{"cidr":"10.0.0.0/x"}]}', 'Malformed CIDR, mask bits must be an integer'],
  ['{"a":[{"cidr":"10.0.0/8"}]}', 'Nonstandard IP address: 10.0.0'],
  ['{"a":[{"exists":"true"}]}', 'exists match pattern must be either true or false.'],
  ['{"a":[["x"]]}', 'Match value must be String, number, true, false, or null'],
  ['{"$or":[{"a":[1]}]}', 'There must have at least 2 Objects in $or relationship.'],
  ['{"a":[1],"a":[2]}', 'Path `a` cannot be allowed multiple times'],
  ['{"a":[1]', 'Unexpected end-of-input'],
  [`${'{"a":'.repeat(100)}[1]${'}'.repeat(100)}`, 'The pattern is nested too deeply']
]

t.test('mistakes are told with their place', async (t) => {
  for (const [text, reason, column] of MISTAKES) {
    try {
      compileEventPattern(text)
      t.fail(`${text} was taken`)
    } catch (err) {
      t.equal((err as HearthError).code, 'INVALID_EVENT_PATTERN', text)
      const { message } = err as Error
      t.ok(
        message.startsWith(`Event pattern is not valid. Reason: ${reason}\n at [Source: (String)"`),
        `${text}: ${message}`
      )
      if (column !== undefined) t.ok(message.endsWith(`; line: 1, column: ${column}]`), `${text}: ${message}`)
    }
  }
  t.throws(() => compileEventPattern('{\n "a": 5}'), { message: /line: 2, column: 8\]$/ })
  t.throws(() => compileEventPattern(`{"a":[], "b":["${'x'.repeat(600)}"]}`), {
    message: /"\[truncated 118 chars\]; line: 1/
  })
})

t.test('an index finds what asking every rule finds', async (t) => {
  const random = generator(7)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const wish = () => pick<unknown>(['a', 'b', 'c', { prefix: 'a' }, { 'anything-but': 'b' }, { exists: false }])
  const rules = Array.from({ length: 300 }, (_, rule) => {
    const fields = ['source', 'detail-type', 'x', 'y.z'].filter(() => random() < 0.6)
    if (fields.length === 0) fields.push('x')
    const pattern = Object.fromEntries(fields.map((field) => [field, [wish(), wish()]]))
    return { rule, pattern: compileEventPattern(JSON.stringify(pattern)) }
  })
  const index = createRuleIndex(rules)
  let found = 0
  for (let i = 0; i < 100; i++) {
    const event: Record<string, unknown> = {}
    for (const field of ['source', 'detail-type', 'x', 'y.z']) {
      if (random() < 0.8) event[field] = pick<unknown>(['a', 'b', 'c', 'd', 5, null, ['a', 'd'], '\0'])
    }
    const expected = rules.filter(({ pattern }) => matchesEvent(pattern, prepareEvent(event))).map(({ rule }) => rule)
    t.strictSame(index.find(event), expected, JSON.stringify(event))
    found += expected.length
  }
  t.ok(found > 500, 'and there was something to find')
})

t.test('what cannot be decided soon is decided all the same', async (t) => {
  const startedAt = performance.now()
  const stars = compileEventPattern(JSON.stringify({ a: [{ wildcard: `${'*a'.repeat(29)}*b` }] }))
  t.notOk(matchesEvent(stars, { a: 'a'.repeat(200_000) }))
  const wide = { a: Array.from({ length: 100_000 }, (_, i) => ({ b: 1, c: i % 2 === 0 ? 3 : 4 })) }
  t.notOk(matches({ a: { b: [1], c: [2] } }, wide))
  const absent = { a: Array.from({ length: 20_000 }, () => ({ c: 1 })) }
  t.notOk(matches({ a: { b: [{ exists: false }], c: [2] } }, { a: [...absent.a, { b: 1 }] }))
  t.ok(performance.now() - startedAt < 5_000, `${performance.now() - startedAt} ms`)
})

/** The same numbers at every run. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
