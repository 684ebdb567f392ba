import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FunctionRecord, ReleaseRecord } from '@hearth/shared'
import {
  createAliasesRepository,
  createFunctionsRepository,
  createReleasesRepository,
  createSecretBox,
  makeDataDir,
  openDirectory,
  openStore
} from '@hearth/store'
import t, { type Test } from 'tap'
import { alias, record } from './records.ts'

const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url))

const release = (id: string, more: Partial<ReleaseRecord> = {}): ReleaseRecord => ({
  id,
  functionName: 'f',
  alias: 'live',
  state: 'running',
  step: 0,
  plan: {
    fromVersion: '1',
    toVersion: '2',
    steps: [{ weight: 10, durationS: 60 }],
    maxErrorRatio: 0.01,
    maxP99Ms: undefined,
    minInvocations: 50
  },
  stepStartedAt: '2026-01-02T03:04:05.000Z',
  pausedAt: undefined,
  tallies: [],
  events: [],
  createdAt: `2026-01-02T03:04:05.${id}Z`,
  ...more
})

function open(t: Test) {
  const layout = makeDataDir(path.join(t.testdir(), 'data'))
  const box = createSecretBox(Buffer.alloc(32, 7))
  const db = openStore(layout.database, MIGRATIONS)
  const reader = openDirectory(layout.database, box)
  t.teardown(() => {
    reader.close()
    db.close()
  })
  const functions = createFunctionsRepository(db, box)
  return { db, reader, functions, aliases: createAliasesRepository(db), releases: createReleasesRepository(db) }
}

t.test('versions are rows of their own, numbered once and for all', async (t) => {
  const { db, functions, reader } = open(t)
  functions.create(record('f'))
  functions.create(record('e'))
  const publish = (more: Partial<FunctionRecord> = {}) => {
    const version = functions.nextVersion('f')
    functions.addVersion(record('f', { version, ...more }), 'as it was')
    return version
  }
  for (let n = 1; n <= 11; n++) t.equal(publish({ artifact: n === 3 ? 'b'.repeat(64) : 'a'.repeat(64) }), String(n))
  t.strictSame(functions.find('f', '3'), record('f', { version: '3', artifact: 'b'.repeat(64) }))
  t.equal(functions.find('f')?.version, '$LATEST')
  t.match(reader.findFunction('f', '3'), { version: '3', environment: { SECRET: 'in-plain-text' } })
  t.equal(reader.findFunction('f', '12'), undefined)
  t.match(functions.newestVersion('f'), { record: { version: '11' }, latestDescription: 'as it was' })
  t.equal(functions.newestVersion('e'), undefined)
  const numbers = (list: readonly FunctionRecord[]) => list.map(({ name, version }) => `${name}:${version}`)
  t.same(numbers(functions.listVersions('f', -1, 3)), ['f:$LATEST', 'f:1', 'f:2'])
  t.same(numbers(functions.listVersions('f', 8, 9)), ['f:9', 'f:10', 'f:11'], 'numbers, not texts')
  t.same(numbers(functions.listAll({ name: '', number: 0 }, 3)), ['e:$LATEST', 'f:$LATEST', 'f:1'])
  t.same(numbers(functions.listAll({ name: 'f', number: 9 }, 9)), ['f:10', 'f:11'])
  t.equal(functions.count(), 2)

  t.ok(functions.isReferenced('b'.repeat(64)), 'a version keeps its code')
  functions.update('f', () => undefined, '3')
  t.notOk(functions.isReferenced('b'.repeat(64)))
  functions.update('f', () => undefined, '11')
  t.equal(publish(), '12', 'a number is never given out again')
  functions.update('f', () => undefined)
  functions.create(record('f'))
  t.equal(functions.find('f', '1'), undefined)
  t.equal(publish(), '1', 'but by another function')

  db.prepare(`UPDATE functions SET environment = (SELECT environment FROM functions WHERE version = '1')
    WHERE name = 'f' AND version = '$LATEST'`).run()
  t.throws(() => functions.find('f'), { name: 'SecretBoxError' }, 'a secret opens in its own version only')
})

t.test('aliases and releases go with their function, and the gateway hears of each', async (t) => {
  const { functions, aliases, releases, reader } = open(t)
  let { seq } = reader.changesSince(0)
  const heard = () => {
    const changes = reader.changesSince(seq)
    ;({ seq } = changes)
    return changes.functions.join()
  }
  functions.create(record('f'))
  t.equal(heard(), 'f')
  aliases.put(alias('f', 'live', '1', { '2': 0.5 }))
  t.equal(heard(), 'f')
  aliases.put({ ...alias('f', 'live', '2'), previousVersion: '1' })
  t.equal(heard(), 'f')
  t.match(aliases.find('f', 'live'), { version: '2', previousVersion: '1', weights: {} })
  aliases.put(alias('f', 'b', '3', { '2': 0.1 }))
  aliases.put(alias('f', 'a', '3'))
  t.same(aliases.listUsers('f', '2'), ['b', 'live'], 'by weight too')
  t.same(aliases.listUsers('f', '1'), [])
  t.same(
    aliases.list('f', 'a', 9).map(({ name }) => name),
    ['b', 'live']
  )
  t.same(
    aliases.list('f', '', 1, '3').map(({ name }) => name),
    ['a']
  )
  heard()

  releases.put(release('001'))
  t.equal(heard(), 'f')
  t.match(reader.listReleases(), [{ id: '001', step: 0, version: '2' }])
  t.match(
    reader.listAliases('f').find(({ name }) => name === 'live'),
    { release: { id: '001' } }
  )
  t.throws(() => releases.put(release('002')), /UNIQUE/, 'one of an alias at a time')
  const tallies = [{ gateway: 'g', invocations: 3, errors: 1, slow: 0, buckets: [[5, 3] as const] }]
  releases.put(release('001', { tallies }))
  t.equal(heard(), '', 'counts alone are no news')
  t.strictSame(releases.find('001'), release('001', { tallies }))
  releases.put(release('001', { step: 1 }))
  t.equal(heard(), 'f')
  releases.put(release('001', { state: 'paused', step: 1, pausedAt: '2026-01-02T03:04:06.000Z' }))
  t.match(releases.findUnderWay('f', 'live'), { state: 'paused' })
  t.equal(reader.listReleases().length, 1, 'it is still watched')
  releases.put(release('001', { state: 'aborted', step: 1 }))
  t.equal(releases.findUnderWay('f', 'live'), undefined)
  t.same(reader.listReleases(), [])
  for (const id of ['002', '003', '004']) releases.put(release(id, { state: 'completed' }))
  releases.put(release('005'))
  releases.prune('f', 2)
  t.same(
    releases.list('f', 9).map(({ id }) => id),
    ['005', '004'],
    'the newest are kept'
  )
  functions.update('f', () => undefined)
  t.equal(aliases.find('f', 'live'), undefined)
  t.equal(releases.find('005'), undefined)
})

t.test('what is done exclusively is done wholly or not at all', async (t) => {
  const { functions, aliases } = open(t)
  functions.create(record('f'))
  t.throws(
    () =>
      functions.exclusively(() => {
        aliases.put(alias('f', 'live', '1'))
        functions.update('f', (current) => ({ ...current!, handler: 'other.handler' }))
        throw new Error('changed my mind')
      }),
    /changed my mind/
  )
  t.equal(aliases.find('f', 'live'), undefined)
  t.equal(functions.find('f')?.handler, 'index.handler')
})
