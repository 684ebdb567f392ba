import { createHash } from 'node:crypto'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AccessKey, FunctionRecord } from '@hearth/shared'
import {
  addonProblem,
  createArtifactStore,
  createFunctionsRepository,
  createKeysRepository,
  createLayersRepository,
  createSecretBox,
  createUsersRepository,
  ensureKeyring,
  isWritable,
  lockDataDir,
  makeDataDir,
  openDirectory,
  openStore,
  readMasterKey,
  SCHEMA_VERSION,
  sqlitePackage
} from '@hearth/store'
import t, { type Test } from 'tap'

const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url))
const KEY = Buffer.alloc(32, 7)

function record(name: string, more: Partial<FunctionRecord> = {}): FunctionRecord {
  return {
    name,
    version: '$LATEST',
    runtime: 'nodejs20.x',
    handler: 'index.handler',
    role: 'arn:aws:iam::000000000000:role/r',
    description: 'grüße',
    memoryMiB: 128,
    timeoutS: 3,
    ephemeralMiB: 512,
    environment: { SECRET: 'the-plain-text-of-a-secret' },
    network: 'internet',
    concurrency: 4,
    reservedConcurrency: undefined,
    invokeMode: 'BUFFERED',
    instances: 'threads',
    architecture: 'x86_64',
    tags: { team: 'a' },
    tracing: 'Active',
    logging: { format: 'JSON', applicationLevel: 'WARN', systemLevel: 'INFO', logGroup: '/x' },
    snapStart: 'PublishedVersions',
    artifact: 'a'.repeat(64),
    codeSha256: 'c2hh',
    codeSize: 12,
    revisionId: 'r1',
    state: 'Active',
    lastUpdateStatus: 'Successful',
    createdAt: '2026-01-02T03:04:05.000Z',
    lastModified: '2026-01-02T03:04:05.000Z',
    ...more
  }
}

function accessKey(id: string): AccessKey {
  return {
    accessKeyId: id,
    secretAccessKey: 'the-sigv4-secret-in-plain-text',
    tokenHash: createHash('sha256').update(id).digest('hex'),
    principal: { arn: 'arn:aws:iam::000000000000:user/a', userId: 'u', accountId: '000000000000', keyId: id },
    userName: 'a',
    status: 'Active',
    expiresAt: undefined
  }
}

function open(t: Test) {
  const layout = makeDataDir(path.join(t.testdir(), 'data'))
  const box = createSecretBox(KEY)
  const db = openStore(layout.database, MIGRATIONS)
  t.teardown(() => db.close())
  return { layout, box, db, functions: createFunctionsRepository(db, box), keys: createKeysRepository(db, box) }
}

/** Whom keys of {@link accessKey} belong to. */
function addUser(db: Parameters<typeof createUsersRepository>[0]) {
  const createdAt = '2026-01-02T03:04:05.000Z'
  createUsersRepository(db).create({ name: 'a', path: '/', userId: 'u', tags: {}, boundary: undefined, createdAt })
}

t.test('a function comes back as it was put in, with every member and with none', async (t) => {
  const { functions } = open(t)
  const full = record('full')
  const bare = record('bare', {
    environment: undefined,
    network: undefined,
    instances: undefined,
    lastUpdateStatus: undefined,
    state: 'Pending',
    logging: { format: 'Text', logGroup: '/x' },
    snapStart: 'None'
  })
  functions.create(full)
  functions.create(bare)
  t.strictSame(functions.find('full'), full)
  t.strictSame(functions.find('bare'), bare)
  t.equal(functions.find('Full'), undefined, 'names are case-sensitive')
  t.strictSame(functions.listUnsettled(), [{ name: 'bare', version: '$LATEST' }])
  t.throws(() => functions.create(full), { code: 'FUNCTION_EXISTS' })
  t.equal(functions.count(), 2)
})

t.test('lists go on after a name, in the order of bytes', async (t) => {
  const { functions } = open(t)
  for (const name of ['b', 'a', 'B', 'a-1', 'c']) functions.create(record(name))
  t.strictSame(
    functions.list('', 3).map(({ name }) => name),
    ['B', 'a', 'a-1']
  )
  t.strictSame(
    functions.list('a-1', 3).map(({ name }) => name),
    ['b', 'c']
  )
  t.strictSame(functions.list('c', 3), [])
})

t.test('what an update decides on cannot be overtaken, and a throw in it changes nothing', async (t) => {
  const { functions, layout, box } = open(t)
  functions.create(record('f'))
  const other = openStore(layout.database, MIGRATIONS)
  t.teardown(() => other.close())
  other.pragma('busy_timeout = 10')
  const rival = createFunctionsRepository(other, box)
  functions.update('f', (current) => {
    t.throws(
      () => rival.update('f', (its) => its && { ...its, memoryMiB: 999 }),
      { code: 'SQLITE_BUSY' },
      'the other writer must wait'
    )
    return current && { ...current, memoryMiB: 256 }
  })
  t.throws(
    () =>
      functions.update('f', () => {
        throw new Error('refused')
      }),
    { message: 'refused' }
  )
  t.equal(functions.find('f')?.memoryMiB, 256)
  functions.update('f', () => undefined)
  t.equal(functions.find('f'), undefined)
})

t.test('the database never holds a secret in clear, and secrets open in their own record only', async (t) => {
  const { layout, db, functions, keys, box } = open(t)
  functions.create(record('f'))
  functions.create(record('g', { environment: { OTHER: 'x' } }))
  addUser(db)
  keys.create(accessKey('AKIAAAAAAAAAAAAAAAAA'))
  db.pragma('wal_checkpoint(FULL)')
  const bytes = Buffer.concat(
    readdirSync(layout.dir)
      .filter((name) => name.startsWith('hearth.db'))
      .map((name) => readFileSync(path.join(layout.dir, name)))
  )
  t.ok(bytes.includes('nodejs20.x'), 'the test looks at the right bytes')
  for (const secret of [
    'the-plain-text-of-a-secret',
    'SECRET',
    'the-sigv4-secret-in-plain-text',
    'AKIAAAAAAAAAAAAAAAAA/token'
  ]) {
    t.notOk(bytes.includes(secret), secret)
  }
  t.equal(keys.list()[0]?.secretAccessKey, 'the-sigv4-secret-in-plain-text')

  db.exec(`UPDATE functions SET environment = (SELECT environment FROM functions WHERE name = 'f') WHERE name = 'g'`)
  t.throws(() => functions.find('g'), { message: /moved from another record/ })
  const stranger = createFunctionsRepository(db, createSecretBox(Buffer.alloc(32, 8)))
  t.throws(() => stranger.find('f'), { message: /another master key|sealed under master key/ })

  const sealed = box.seal('text', 'a')
  t.equal(box.open(sealed, 'a'), 'text')
  t.notSame(box.seal('text', 'a'), sealed, 'the same text never looks the same')
  for (let at = 0; at < sealed.length; at += 1) {
    const tampered = Buffer.from(sealed)
    tampered[at] = (tampered[at] ?? 0) ^ 1
    t.throws(() => box.open(tampered, 'a'), `byte ${at}`)
  }
  t.throws(() => box.open(sealed.subarray(0, 40), 'a'))
})

t.test('the gateway sees every change through its own connection, and knows when it fell behind', async (t) => {
  const { layout, box, db, functions, keys } = open(t)
  // What the migrations left in it.
  db.exec(`DELETE FROM changes; UPDATE sqlite_sequence SET seq = 0 WHERE name = 'changes'`)
  const directory = openDirectory(layout.database, box)
  t.teardown(() => directory.close())
  t.strictSame(directory.changesSince(0), { seq: 0, functions: [], keys: false, reset: false })
  addUser(db)
  t.strictSame(directory.changesSince(0), { seq: 1, functions: [], keys: true, reset: false })
  const idle = directory.dataVersion()
  t.equal(directory.dataVersion(), idle)

  functions.create(record('f'))
  t.not(directory.dataVersion(), idle, 'another process committed')
  t.strictSame(directory.changesSince(1), { seq: 2, functions: ['f'], keys: false, reset: false })
  t.strictSame(directory.findFunction('f'), record('f'))
  functions.update('f', (current) => current && { ...current, memoryMiB: 512 })
  functions.create(record('g'))
  keys.create(accessKey('AKIAAAAAAAAAAAAAAAAA'))
  t.strictSame(directory.changesSince(2), { seq: 5, functions: ['f', 'g'], keys: true, reset: false })
  keys.setStatus('AKIAAAAAAAAAAAAAAAAA', 'Inactive')
  t.equal(directory.listKeys()[0]?.status, 'Inactive')
  functions.update('f', () => undefined)
  t.strictSame(directory.changesSince(6), { seq: 7, functions: ['f'], keys: false, reset: false })
  t.equal(directory.findFunction('f'), undefined)

  t.throws(() => functions.update('g', () => record('g', { memoryMiB: -1 })), 'a write that fails')
  t.equal(directory.changesSince(7).seq, 7, 'leaves no trace')

  db.transaction(() => {
    for (let turn = 0; turn < 10_100; turn += 1) keys.setStatus('AKIAAAAAAAAAAAAAAAAA', 'Active')
  })()
  t.equal(db.prepare('SELECT count(*) FROM changes').pluck().get(), 10_000, 'the trail is bounded')
  t.match(directory.changesSince(7), { seq: 10_107, keys: true, reset: true })
  t.match(
    directory.changesSince(107),
    { seq: 10_107, functions: [], keys: true, reset: false },
    'the oldest that is still covered'
  )
  t.match(directory.changesSince(20_000), { reset: true }, 'a database from a backup')
})

t.test('the gateway reads while the control plane writes, is gone, or was never there', async (t) => {
  const dir = makeDataDir(path.join(t.testdir(), 'data'))
  const box = createSecretBox(KEY)
  t.throws(() => openDirectory(dir.database, box), { name: 'SchemaError', message: /at its first start/ })
  writeFileSync(dir.database, '')
  t.throws(() => openDirectory(dir.database, box), { name: 'SchemaError', message: /has schema 0/ })

  const db = openStore(dir.database, MIGRATIONS)
  const functions = createFunctionsRepository(db, box)
  functions.create(record('f'))
  const directory = openDirectory(dir.database, box)
  db.transaction(() => {
    functions.create(record('uncommitted'))
    t.match(directory.findFunction('f'), { name: 'f' }, 'no lock is waited for')
    t.equal(directory.findFunction('uncommitted'), undefined)
  }).immediate()
  db.close()
  t.match(directory.findFunction('uncommitted'), { name: 'uncommitted' })
  directory.close()
  const later = openDirectory(dir.database, box)
  t.match(later.changesSince(0), { functions: ['f', 'uncommitted'] })
  later.close()
})

t.test('migrations run once, in order, and refuse what does not fit', async (t) => {
  const dir = t.testdir({ '0001_a.sql': 'CREATE TABLE a (x TEXT) STRICT;' })
  const file = path.join(dir, 'x.db')
  openStore(file, dir).close()

  writeFileSync(path.join(dir, '0002_b.sql'), 'CREATE TABLE b (x TEXT) STRICT; CREATE TABLE a (x TEXT);')
  t.throws(() => openStore(file, dir), /already exists/)
  writeFileSync(path.join(dir, '0002_b.sql'), 'CREATE TABLE b (x TEXT) STRICT;')
  const third = path.join(dir, '0003_c.sql')
  writeFileSync(third, 'CREATE TABLE b (x TEXT);')
  t.throws(() => openStore(file, dir), /already exists/, 'the second is taken back with the third')
  rmSync(third)
  const db = openStore(file, dir)
  t.strictSame(
    db.prepare('SELECT number, name FROM migrations').all(),
    [
      { number: 1, name: '0001_a.sql' },
      { number: 2, name: '0002_b.sql' }
    ],
    'the one that failed left nothing in the way'
  )
  t.equal(db.pragma('journal_mode', { simple: true }), 'wal')
  t.equal(db.pragma('synchronous', { simple: true }), 2)
  t.equal(db.pragma('foreign_keys', { simple: true }), 1)
  db.close()

  const at = (number: number) => path.join(dir, `${String(number).padStart(4, '0')}_x.sql`)
  for (let number = 3; number <= SCHEMA_VERSION + 1; number += 1) writeFileSync(at(number), 'SELECT 1;')
  openStore(file, dir).close()
  t.throws(() => openStore(file, MIGRATIONS), { name: 'SchemaError', message: /newer Hearth/ })
  appendFileSync(path.join(dir, '0001_a.sql'), ' -- edited')
  t.throws(() => openStore(file, dir), { name: 'SchemaError', message: /0001_a.sql was edited/ })
  cpSync(path.join(dir, '0002_b.sql'), at(SCHEMA_VERSION + 3))
  t.throws(() => openStore(file, dir), { name: 'SchemaError', message: /without gaps/ })
})

t.test('a folder has one control plane, and a lock that ends with it', async (t) => {
  const layout = makeDataDir(path.join(t.testdir(), 'data'))
  const unlock = lockDataDir(layout.lock)
  t.throws(() => lockDataDir(layout.lock), { name: 'SchemaError', message: /another control plane/ })
  unlock()
  lockDataDir(layout.lock)()
  t.equal(statSync(layout.dir).mode & 0o777, 0o700)
})

t.test('the master key is made once, kept 0600, and never replaced beside a database', async (t) => {
  const layout = makeDataDir(path.join(t.testdir(), 'data'))
  t.throws(() => readMasterKey(layout.dir, undefined), { message: /at its first start/ })
  const key = ensureKeyring(layout.dir, undefined)[0].key
  t.equal(key.length, 32)
  t.strictSame(ensureKeyring(layout.dir, undefined)[0].key, key)
  t.strictSame(readMasterKey(layout.dir, undefined), key)
  t.equal(statSync(path.join(layout.dir, 'master.key')).mode & 0o777, 0o600)
  t.strictSame(ensureKeyring(layout.dir, KEY.toString('base64'))[0].key, KEY, 'a configured one goes before')
  t.throws(() => readMasterKey(layout.dir, 'c2hvcnQ='), { message: /32 bytes/ })
  const orphan = makeDataDir(path.join(t.testdir(), 'orphan'))
  writeFileSync(orphan.database, 'x')
  t.throws(() => ensureKeyring(orphan.dir, undefined), { message: /put the key back/ })
})

t.test('readiness takes the write lock and writes nothing', async (t) => {
  const { db, layout } = open(t)
  t.ok(isWritable(db))
  const other = openStore(layout.database, MIGRATIONS)
  db.pragma('busy_timeout = 10')
  other.exec('BEGIN IMMEDIATE')
  t.notOk(isWritable(db))
  other.exec('ROLLBACK')
  t.ok(isWritable(db))
  other.close()
})

t.test('each Node loads the SQLite addon that fits it, and says what is missing', async (t) => {
  t.equal(sqlitePackage('20.20.2'), 'better-sqlite3')
  t.equal(sqlitePackage('22.0.0'), 'better-sqlite3-node22')
  t.equal(sqlitePackage('24.21.0'), 'better-sqlite3-node22')
  t.match(addonProblem({ code: 'ERR_DLOPEN_FAILED', message: '' }), /another Node/)
  t.match(addonProblem({ code: 'MODULE_NOT_FOUND', message: '' }), /not installed/)
  t.equal(addonProblem({ code: 'SQLITE_CANTOPEN', message: 'unable to open database file' }), undefined)
})

t.test('a package is in use while a layer version is it, and a tree while a function names it', async (t) => {
  const { db, functions } = open(t)
  const layers = createLayersRepository(db)
  const artifact = 'b'.repeat(64)
  const tree = 'c'.repeat(64)
  const added = {
    name: 'libs',
    description: '',
    license: undefined,
    runtimes: undefined,
    architectures: [],
    artifact,
    codeSha256: 'c2hh',
    codeSize: 1,
    unzippedSize: 2,
    createdAt: '2026-01-02T03:04:05.000Z'
  }
  t.strictSame(layers.publish(added), { ...added, version: 1, policy: undefined })
  t.strictSame(layers.find('libs', 1), { ...added, version: 1, policy: undefined })
  t.ok(layers.isReferenced(artifact))
  t.ok(layers.remove('libs', 1))
  t.notOk(layers.isReferenced(artifact))
  t.equal(layers.publish(added).version, 2, 'a number is never used again')

  const chosen = { versions: [{ arn: 'a', codeSize: 1 }], unzippedSize: 2, tree, extensions: true }
  functions.create(record('f', { layers: chosen }))
  t.strictSame(functions.find('f')?.layers, chosen)
  t.ok(functions.isReferenced(tree))
  t.ok(functions.isReferenced('a'.repeat(64)), 'and its code as before')
  functions.update('f', (current) => current && { ...current, layers: undefined })
  t.notOk(functions.isReferenced(tree))
  const plan = db
    .prepare<[], { detail: string }>(
      `EXPLAIN QUERY PLAN SELECT 1 FROM functions WHERE layers IS NOT NULL AND json_extract(layers, '$.tree') = 'x'`
    )
    .all()
  t.match(plan, [{ detail: /functions_by_layer_tree/ }], 'without a look at every function')
})

t.test('artifacts appear whole, crashes leave nothing, and code in use is not collected', async (t) => {
  const layout = makeDataDir(path.join(t.testdir(), 'data'))
  let clockMs = 0
  const artifacts = createArtifactStore(layout, () => clockMs)
  const sha = (digit: string): string => digit.repeat(64)
  const fill = async (digit: string) => {
    const stage = await artifacts.stage()
    writeFileSync(stage.packageFile, `package ${digit}`)
    mkdirSync(stage.codeDir)
    writeFileSync(path.join(stage.codeDir, 'index.mjs'), digit)
    return stage
  }
  const [first, second] = await Promise.all([fill('a'), fill('a')])
  await Promise.all([artifacts.publish(first, sha('a')), artifacts.publish(second, sha('a'))])
  t.ok(artifacts.has(sha('a')))
  t.strictSame(readdirSync(layout.tmp), [])
  t.equal(readFileSync(artifacts.packageFile(sha('a')), 'utf8'), 'package a')

  await fill('b')
  writeFileSync(path.join(layout.dir, '.tmp-0123'), 'half a file')
  t.equal(await createArtifactStore(layout).sweep(), 2, 'what a crash left')
  t.strictSame(readdirSync(layout.tmp), [])
  t.ok(artifacts.has(sha('a')), 'and nothing else')

  await artifacts.publish(await fill('c'), sha('c'))
  const release = artifacts.pin(sha('c'))
  const used = new Set([sha('a')])
  const collect = () => artifacts.collect((name) => used.has(name), 1_000)
  t.strictSame(await collect(), [])
  clockMs = 5_000
  t.strictSame(await collect(), [], 'pinned by a deploy under way')
  release()
  release()
  t.strictSame(await collect(), [], 'the grace time begins when it is first seen unused')
  clockMs = 5_900
  t.strictSame(await collect(), [])
  clockMs = 6_000
  t.strictSame(await collect(), [sha('c')])
  t.notOk(existsSync(artifacts.packageFile(sha('c'))))
  t.strictSame(readdirSync(layout.code), [sha('a')])
  used.clear()
  await collect()
  used.add(sha('a'))
  clockMs = 10_000
  t.strictSame(await collect(), [], 'used again meanwhile')
  used.clear()
  t.strictSame(await collect(), [], 'and the time begins anew')
})
