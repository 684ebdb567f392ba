import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import {
  createParametersRepository,
  createResealer,
  createSecretBox,
  createSecretsRepository,
  createServerSecrets,
  keyIdOf,
  openStore,
  readKeyring,
  runMasterKeyCommand,
  SEALED_COLUMNS,
  SecretBoxError,
  writeKeyring
} from '@hearth/store'
import t, { type Test } from 'tap'
import { ROOT } from '../helpers/hearth.ts'

const SECRET = {
  name: 'db',
  suffix: 'AbCdEf',
  description: '',
  tags: {},
  createdAt: 1,
  changedAt: 1,
  accessedAt: undefined,
  deletedAt: undefined,
  purgeAt: undefined
}

function open(t: Test, key = randomBytes(32)) {
  const file = path.join(t.testdir(), 'hearth.db')
  const box = createSecretBox(key)
  const db = openStore(file, path.join(ROOT, 'migrations'))
  t.teardown(() => db.close())
  return {
    file,
    box,
    db,
    key,
    secrets: createSecretsRepository(db, box),
    parameters: createParametersRepository(db, box)
  }
}

const version = (versionId: string, stages: string[] = []) =>
  ({ versionId, kind: 'string', stages, createdAt: 1, accessedAt: undefined }) as const

function fill({ secrets, parameters }: ReturnType<typeof open>, count: number): void {
  secrets.create(SECRET)
  for (let i = 0; i < count; i++) {
    secrets.addVersion(SECRET, version(`v${i}`), { kind: 'string', text: `plain-secret-${i}` })
    parameters.add(
      {
        name: '/p',
        version: i + 1,
        type: 'SecureString',
        description: undefined,
        tier: 'Standard',
        labels: [],
        modifiedAt: 1,
        modifiedBy: 'arn'
      },
      `plain-parameter-${i}`
    )
  }
}

t.test('a value opens in its own row alone, and no row has it in clear', async (t) => {
  const store = open(t)
  fill(store, 2)
  const { db, secrets, parameters, file } = store
  t.strictSame(secrets.value(SECRET, 'v1'), { kind: 'string', text: 'plain-secret-1' })
  t.equal(parameters.value({ name: '/p', version: 2 }), 'plain-parameter-1')
  db.exec(
    `UPDATE secret_versions SET value = (SELECT value FROM secret_versions WHERE version_id = 'v0') WHERE version_id = 'v1'`
  )
  t.throws(() => secrets.value(SECRET, 'v1'), SecretBoxError, 'that of another version')
  db.exec(`UPDATE secret_versions SET kind = 'binary' WHERE version_id = 'v0'`)
  t.throws(() => secrets.value(SECRET, 'v0'), SecretBoxError, 'text taken for bytes')
  db.exec('UPDATE parameter_versions SET value = (SELECT value FROM parameter_versions WHERE version = 1)')
  t.throws(() => parameters.value({ name: '/p', version: 2 }), SecretBoxError)
  db.pragma('wal_checkpoint(TRUNCATE)')
  t.notMatch(readFileSync(file, 'latin1'), /plain-/)
})

t.test('every column that holds bytes is known to be sealed', async (t) => {
  const { db } = open(t)
  const found = db
    .prepare<[], { table: string; column: string }>(
      `SELECT t.name AS "table", c.name AS "column" FROM sqlite_schema t, pragma_table_info(t.name) c
       WHERE t.type = 'table' AND c.type = 'BLOB' ORDER BY 1, 2`
    )
    .all()
  const known = SEALED_COLUMNS.map(({ table, column }) => ({ table: table.split(' ')[0], column }))
  t.strictSame(
    found,
    known.sort((a, b) => (`${a.table}.${a.column}` < `${b.table}.${b.column}` ? -1 : 1))
  )
})

t.test('a rotation that stops in the middle goes on where it was', async (t) => {
  const store = open(t)
  fill(store, 10)
  const { db, key } = store
  const [oldId, next] = [keyIdOf(key).toString('hex'), randomBytes(32)]
  const nextId = keyIdOf(next).toString('hex')
  createServerSecrets(db, store.box).ensure('x', 'shared')
  const rotated = () => createSecretBox([next, key])
  t.equal(createResealer(db, rotated()).step(7), 7)
  t.strictSame(Object.fromEntries(createResealer(db, rotated()).counts()), { [oldId]: 14, [nextId]: 7 })

  // As another process would find it: both keys open what they sealed.
  const box = rotated()
  const secrets = createSecretsRepository(db, box)
  for (let i = 0; i < 10; i++) t.equal(secrets.value(SECRET, `v${i}`)?.text, `plain-secret-${i}`)
  const resealer = createResealer(db, box)
  let steps = 0
  while (resealer.step(5) > 0) steps++
  t.equal(steps, 3)
  t.strictSame(Object.fromEntries(resealer.counts()), { [nextId]: 21 })
  const alone = createSecretBox(next)
  t.equal(createSecretsRepository(db, alone).value(SECRET, 'v3')?.text, 'plain-secret-3', 'the old key is not needed')
  t.equal(createServerSecrets(db, alone).find('x'), 'shared')
  t.throws(() => store.secrets.value(SECRET, 'v3'), { message: /put the old master key back/ }, 'and opens nothing')
})

t.test('what cannot be opened is left, and does not stop the rest', async (t) => {
  const store = open(t)
  fill(store, 3)
  store.db.exec(`UPDATE secret_versions SET value = zeroblob(60) WHERE version_id = 'v1'`)
  const next = randomBytes(32)
  const resealer = createResealer(store.db, createSecretBox([next, store.key]))
  t.equal(resealer.step(2), 2)
  t.equal(resealer.step(100), 3)
  t.equal(resealer.step(100), 0)
  t.equal(resealer.unreadable, 1)
})

t.test('a file of several keys: the first seals', async (t) => {
  const dir = t.testdir()
  const [one, two] = [randomBytes(32), randomBytes(32)]
  writeKeyring(dir, [
    { key: two, retiredAt: undefined },
    { key: one, retiredAt: '2026-01-01T00:00:00.000Z' }
  ])
  t.strictSame(readKeyring(dir, undefined), [
    { key: two, retiredAt: undefined },
    { key: one, retiredAt: '2026-01-01T00:00:00.000Z' }
  ])
  t.equal(readKeyring(dir, [two, one].map((key) => key.toString('base64')).join(',')).length, 2)
  for (const text of ['', 'c2hvcnQ=', `${one.toString('base64')} never`]) {
    t.throws(() => readKeyring(dir, text), { message: /HEARTH_MASTER_KEY: base64 of 32 bytes/ })
  }
})

t.test('a key from a command', async (t) => {
  const file = path.join(t.testdir(), 'key')
  const key = randomBytes(32).toString('base64')
  writeFileSync(file, `${key}\n`)
  t.equal(runMasterKeyCommand(`cat ${file}`, process.env), key)
  const env = { PATH: process.env['PATH'], HEARTH_S3_SECRET_ACCESS_KEY: 'of-s3' }
  t.equal(runMasterKeyCommand('echo "[$HEARTH_S3_SECRET_ACCESS_KEY]"', env), '[]', 'it gets none of the settings')
  const refusals: [command: string, why: RegExp][] = [
    [`cat ${file}; exit 3`, /ended with status 3/],
    ['true', /wrote nothing/],
    ['kill -9 $$', /was ended by SIGKILL/],
    ['exec sleep 30', /did not end within 0.1 s/],
    ['yes', /wrote more than 65536 bytes|did not end/]
  ]
  for (const [command, why] of refusals) {
    const run = () => runMasterKeyCommand(command, process.env, command.includes('sleep') ? 100 : undefined)
    t.throws(run, { message: why }, command)
    try {
      run()
    } catch (err) {
      t.notMatch((err as Error).message, key)
    }
  }
})
