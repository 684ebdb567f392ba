import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { minUnreserved, type ProvisionedConcurrency } from '@hearth/shared'
import {
  createAliasesRepository,
  createConcurrencyRepository,
  createFunctionsRepository,
  createSecretBox,
  makeDataDir,
  openDirectory,
  openStore
} from '@hearth/store'
import t, { type Test } from 'tap'
import { alias, record } from './records.ts'

const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url))

function open(t: Test) {
  const layout = makeDataDir(path.join(t.testdir(), 'data'))
  const box = createSecretBox(Buffer.alloc(32, 7))
  const db = openStore(layout.database, MIGRATIONS)
  const reader = openDirectory(layout.database, box)
  t.teardown(() => {
    reader.close()
    db.close()
  })
  let { seq } = reader.changesSince(0)
  return {
    reader,
    functions: createFunctionsRepository(db, box),
    aliases: createAliasesRepository(db),
    concurrency: createConcurrencyRepository(db),
    /** Names of functions that the gateway has heard of since the last call. */
    heard: () => {
      const changes = reader.changesSince(seq)
      ;({ seq } = changes)
      return changes.functions.join()
    }
  }
}

const config = (
  functionName: string,
  qualifier: string,
  requested: number,
  more: Partial<ProvisionedConcurrency> = {}
): ProvisionedConcurrency => ({
  functionName,
  qualifier,
  requested,
  revisionId: 'r1',
  status: 'IN_PROGRESS',
  statusReason: undefined,
  allocated: 0,
  available: 0,
  lastModified: '2026-01-02T03:04:05.000Z',
  ...more
})

t.test('a reservation is part of every version of its function, and goes with it', async (t) => {
  const { reader, functions, concurrency, heard } = open(t)
  functions.create(record('f'))
  functions.create(record('g'))
  functions.addVersion(record('f', { version: '1' }), '')
  heard()
  t.equal(concurrency.reserved('f'), undefined)
  concurrency.setReserved('f', 0)
  t.equal(heard(), 'f')
  t.equal(concurrency.reserved('f'), 0, 'none is another thing than no reservation')
  concurrency.setReserved('f', 7)
  t.equal(heard(), 'f')
  for (const found of [reader.findFunction('f'), reader.findFunction('f', '1'), functions.find('f', '1')])
    t.equal(found?.reservedConcurrency, 7)
  const listed = [
    functions.list('', 9),
    functions.listVersions('f', -1, 9),
    functions.listAll({ name: '', number: 0 }, 9)
  ]
  t.same(
    listed.map((list) => list.map((found) => found.reservedConcurrency)),
    [
      [7, undefined],
      [7, 7],
      [7, 7, undefined]
    ]
  )
  t.equal(functions.newestVersion('f')?.record.reservedConcurrency, 7)

  functions.update('f', (current) => current && { ...current, description: 'new', reservedConcurrency: 1 })
  t.equal(functions.find('f')?.reservedConcurrency, 7, 'a change of the function leaves it alone')
  functions.update('f', () => undefined, '1')
  t.equal(concurrency.reserved('f'), 7)
  functions.update('f', () => undefined)
  t.equal(concurrency.reserved('f'), undefined)
  functions.create(record('f'))
  t.equal(reader.findFunction('f')?.reservedConcurrency, undefined, 'the next of the name has none')
  heard()
  concurrency.setReserved('g', 1)
  concurrency.setReserved('g', undefined)
  t.equal(heard(), 'g')
  t.equal(concurrency.reserved('g'), undefined)
})

t.test('what is claimed counts a reservation, or what is provisioned where there is none', async (t) => {
  const { functions, concurrency } = open(t)
  for (const name of ['f', 'g', 'h']) functions.create(record(name))
  t.equal(concurrency.claimed(), 0)
  concurrency.setReserved('f', 10)
  concurrency.put(config('f', '1', 4))
  concurrency.put(config('f', 'live', 5))
  concurrency.put(config('g', '1', 3))
  t.equal(concurrency.claimed(), 13)
  t.equal(concurrency.claimed('f'), 3)
  t.equal(concurrency.claimed('g'), 10)
  t.equal(concurrency.requested('f'), 9)
  t.equal(concurrency.requested('f', 'live'), 4)
  t.equal(concurrency.requested('h'), 0)
  concurrency.setReserved('f', undefined)
  t.equal(concurrency.claimed(), 12)
  t.same(
    [1_000, 5_000, 200, 99, 9, 1].map((concurrency) => minUnreserved(concurrency)),
    [100, 100, 20, 9, 0, 0]
  )
})

t.test('what is provisioned follows its alias and goes with it, and the gateway hears of each', async (t) => {
  const { reader, functions, aliases, concurrency, heard } = open(t)
  functions.create(record('f'))
  for (const version of ['1', '2']) functions.addVersion(record('f', { version }), '')
  aliases.put(alias('f', 'live', '1', { '2': 0.1 }))
  heard()

  concurrency.put(config('f', '2', 3))
  t.equal(heard(), 'f')
  concurrency.put(config('f', 'live', 5))
  t.equal(heard(), 'f')
  t.same(reader.listProvisioned(), [
    { functionName: 'f', qualifier: '2', version: '2', requested: 3, revisionId: 'r1' },
    { functionName: 'f', qualifier: 'live', version: '1', requested: 5, revisionId: 'r1' }
  ])

  const progress = { status: 'READY', statusReason: undefined, allocated: 5, available: 5 } as const
  concurrency.note({ functionName: 'f', qualifier: 'live', revisionId: 'r1', ...progress })
  t.strictSame(concurrency.find('f', 'live'), config('f', 'live', 5, progress))
  t.equal(heard(), '', 'how far it has got is no news to the gateway')
  const before = reader.dataVersion()
  concurrency.note({ functionName: 'f', qualifier: 'live', revisionId: 'r1', ...progress })
  t.equal(reader.dataVersion(), before, 'and the same again is not written')

  aliases.put(alias('f', 'live', '1'))
  t.match(concurrency.find('f', 'live'), { revisionId: 'r1', status: 'READY' }, 'weights do not move it')
  aliases.put(alias('f', 'live', '2'))
  t.equal(heard(), 'f')
  const [, moved] = reader.listProvisioned()
  t.match(moved, { version: '2', requested: 5 })
  t.not(moved?.revisionId, 'r1')
  t.strictSame(concurrency.find('f', 'live'), config('f', 'live', 5, { revisionId: moved?.revisionId ?? '' }))
  concurrency.note({ functionName: 'f', qualifier: 'live', revisionId: 'r1', ...progress })
  t.match(concurrency.find('f', 'live'), { status: 'IN_PROGRESS', available: 0 }, 'a stale report changes nothing')
  const failed = { status: 'FAILED', statusReason: 'FUNCTION_ERROR_INIT_FAILURE', allocated: 1, available: 0 } as const
  concurrency.note({ functionName: 'f', qualifier: 'live', revisionId: moved?.revisionId ?? '', ...failed })
  t.match(concurrency.find('f', 'live'), failed)

  concurrency.put(config('f', '11', 1))
  concurrency.put(config('fg', '1', 1))
  t.same(
    concurrency.list('f', '', 9).map(({ qualifier }) => qualifier),
    ['11', '2', 'live']
  )
  t.same(
    concurrency.list('f', '11', 1).map(({ qualifier }) => qualifier),
    ['2']
  )
  heard()
  aliases.remove('f', 'live')
  functions.update('f', () => undefined, '2')
  t.equal(heard(), 'f')
  t.same(
    concurrency.list('f', '', 9).map(({ qualifier }) => qualifier),
    ['11']
  )
  concurrency.remove('f', '11')
  t.equal(heard(), 'f')
  concurrency.put(config('f', '1', 1))
  functions.update('f', () => undefined)
  t.same(
    reader.listProvisioned().map(({ functionName }) => functionName),
    ['fg']
  )
})
