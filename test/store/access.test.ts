// Users, roles, policies and keys in the store, and how other processes read them.
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parsePolicy } from '@hearth/shared'
import {
  createKeysRepository,
  createOwnedPoliciesRepository,
  createPoliciesRepository,
  createRolesRepository,
  createSecretBox,
  createUsersRepository,
  makeDataDir,
  openDirectory,
  openStore,
  type RoleRecord,
  type UserRecord
} from '@hearth/store'
import t, { type Test } from 'tap'

const MIGRATIONS = fileURLToPath(new URL('../../../migrations', import.meta.url))
const NOW = '2026-01-02T03:04:05.000Z'
const ADMINISTRATOR = 'arn:aws:iam::aws:policy/AdministratorAccess'
const ALLOW = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}'

const user = (name: string): UserRecord => ({
  name,
  path: '/team/',
  userId: `AIDA${name.toUpperCase()}`,
  tags: { team: 'a' },
  boundary: undefined,
  createdAt: NOW
})

const role = (name: string): RoleRecord => ({
  name,
  path: '/',
  roleId: `AROA${name.toUpperCase()}`,
  trust: '{ "Version": "2012-10-17" }',
  description: undefined,
  maxSessionS: 3_600,
  tags: {},
  boundary: undefined,
  sessionsFrom: NOW,
  createdAt: NOW,
  lastUsed: undefined
})

function open(t: Test) {
  const layout = makeDataDir(path.join(t.testdir(), 'data'))
  const box = createSecretBox(Buffer.alloc(32, 7))
  const db = openStore(layout.database, MIGRATIONS)
  const directory = openDirectory(layout.database, box)
  t.teardown(() => {
    directory.close()
    db.close()
  })
  return {
    db,
    directory,
    users: createUsersRepository(db),
    roles: createRolesRepository(db),
    policies: createPoliciesRepository(db),
    owned: createOwnedPoliciesRepository(db),
    keys: createKeysRepository(db, box)
  }
}

t.test('another process finds principals with all that decides about them', async (t) => {
  const { directory, users, roles, policies, owned } = open(t)
  users.create(user('ada'))
  roles.create(role('r'))
  policies.create(
    { name: 'own', path: '/', policyId: 'ANPA1', description: undefined, tags: {}, createdAt: NOW },
    '{"v":1}'
  )
  owned.putInline('AIDAADA', 'inline', ALLOW)
  owned.attach('AIDAADA', 'own')
  owned.attach('AIDAADA', ADMINISTRATOR)
  owned.attach('AIDAADA', 'arn:aws:iam::aws:policy/OfAnotherHearth')
  users.update('ada', { ...user('ada'), boundary: 'own' })

  const found = directory.findUser('ada')
  t.match(found, { name: 'ada', path: '/team/', userId: 'AIDAADA', tags: { team: 'a' } })
  t.strictSame(
    found?.policies.map(({ name }) => name),
    ['inline', ADMINISTRATOR, 'own'],
    'what this build does not know grants nothing'
  )
  t.strictSame(found?.boundary, { name: 'own', document: '{"v":1}' })
  policies.addVersion('own', '{"v":2}', false, NOW)
  t.equal(directory.findUser('ada')?.boundary?.document, '{"v":1}')
  policies.setDefault('own', 2, NOW)
  t.equal(directory.findUser('ada')?.boundary?.document, '{"v":2}')
  t.equal(directory.findUser('Ada'), undefined, 'names are exact')
  t.equal(users.findInAnyCase('ADA')?.name, 'ada')
  t.throws(() => users.create(user('Ada')), { code: 'SQLITE_CONSTRAINT_UNIQUE' }, 'and yet taken in any case')

  users.update('ada', { ...user('ada'), boundary: 'arn:aws:iam::aws:policy/Gone' })
  const boundary = parsePolicy(directory.findUser('ada')?.boundary?.document ?? '', 'identity', 'boundary')
  t.equal(boundary.statements[0]?.effect, 'Deny', 'a boundary that is not known lets nothing through')

  t.match(directory.findRole('r'), { roleId: 'AROAR', trust: role('r').trust, maxSessionS: 3_600, sessionsFrom: NOW })
  t.strictSame(directory.findRole('r')?.policies, [])
})

t.test('the next of a name inherits nothing', async (t) => {
  const { directory, users, roles, owned, policies } = open(t)
  users.create(user('ada'))
  roles.create(role('r'))
  policies.create(
    { name: 'own', path: '/', policyId: 'ANPA1', description: undefined, tags: {}, createdAt: NOW },
    ALLOW
  )
  for (const owner of ['AIDAADA', 'AROAR']) {
    owned.putInline(owner, 'inline', ALLOW)
    owned.attach(owner, 'own')
  }
  t.strictSame(policies.usesOf('own'), { attachments: 2, boundaries: 0 })
  t.strictSame(
    owned.ownersOf('own', 'attachment').map(({ kind, name }) => `${kind} ${name}`),
    ['user ada', 'role r']
  )
  t.ok(users.remove('ada'))
  t.ok(roles.remove('r'))
  t.notOk(roles.remove('r'))
  t.strictSame(policies.usesOf('own'), { attachments: 0, boundaries: 0 })
  users.create(user('ada'))
  roles.create(role('r'))
  t.strictSame(directory.findUser('ada')?.policies, [])
  t.strictSame(directory.findRole('r')?.policies, [])
})

t.test('every change of a principal is seen, and no mere use is', async (t) => {
  const { directory, users, roles, owned, policies, keys } = open(t)
  let { seq } = directory.changesSince(0)
  const seen = (what: string, expected: boolean, step: () => unknown) => {
    step()
    const changes = directory.changesSince(seq)
    t.equal(changes.keys, expected, what)
    seq = changes.seq
  }
  const principal = { arn: '', userId: 'AIDAADA', accountId: '000000000000', keyId: 'AKIA1' }
  const tokenHash = createHash('sha256').update('t').digest('hex')
  seen('user', true, () => users.create(user('ada')))
  seen('tags', true, () => users.update('ada', { ...user('ada'), tags: {} }))
  seen('role', true, () => roles.create(role('r')))
  seen('trust', true, () => roles.update({ ...role('r'), trust: '{}' }))
  seen('inline', true, () => owned.putInline('AROAR', 'p', ALLOW))
  seen('inline again', true, () => owned.putInline('AROAR', 'p', '{}'))
  seen('inline gone', true, () => owned.removeInline('AROAR', 'p'))
  seen('policy', true, () =>
    policies.create({ name: 'own', path: '/', policyId: 'P', description: undefined, tags: {}, createdAt: NOW }, ALLOW)
  )
  seen('version', true, () => policies.addVersion('own', '{}', true, NOW))
  seen('attached', true, () => owned.attach('AROAR', 'own'))
  seen('attached twice', false, () => owned.attach('AROAR', 'own'))
  seen('detached', true, () => owned.detach('AROAR', 'own'))
  seen('key', true, () =>
    keys.create({
      accessKeyId: 'AKIA1',
      secretAccessKey: 's',
      tokenHash,
      principal,
      userName: 'ada',
      status: 'Active',
      expiresAt: NOW
    })
  )
  seen('use of a key', false, () => keys.touch('AKIA1', { at: NOW, service: 'lambda', region: 'us-east-1' }))
  seen('use of a role', false, () => roles.touch('r', NOW, 'us-east-1'))
  t.match(keys.find('AKIA1'), { lastUsed: { at: NOW, service: 'lambda', region: 'us-east-1' }, expiresAt: NOW })
  t.match(roles.find('r'), { lastUsed: { at: NOW, region: 'us-east-1' } })

  t.throws(() => users.remove('ada'), { code: 'SQLITE_CONSTRAINT_FOREIGNKEY' }, 'a user that has keys stays')
  seen('renamed', true, () => users.update('ada', { ...user('ada'), name: 'eve' }))
  t.match(directory.listKeys(), [
    {
      userName: 'eve',
      principal: { arn: 'arn:aws:iam::000000000000:user/team/eve', userId: 'AIDAADA' },
      expiresAt: NOW
    }
  ])
  seen('key gone', true, () => keys.remove('AKIA1'))
})

t.test('keys of before belong to the administrator, who may do everything', async (t) => {
  const dir = t.testdir()
  const before = path.join(dir, 'before')
  mkdirSync(before)
  for (const file of readdirSync(MIGRATIONS)) {
    if (/^000[1-7]_/.test(file)) copyFileSync(path.join(MIGRATIONS, file), path.join(before, file))
  }
  const box = createSecretBox(Buffer.alloc(32, 7))
  const file = path.join(dir, 'hearth.db')
  const old = openStore(file, before)
  const arn = 'arn:aws:iam::000000000000:user/admin'
  const hash = 'a'.repeat(64)
  old
    .prepare('INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
    .run('AKIA1', box.seal('s', 'keys/AKIA1/secret'), hash, arn, 'AIDAHEARTHADMIN', '000000000000', 'Active', NOW)
  old.close()

  const db = openStore(file, MIGRATIONS)
  t.strictSame(createKeysRepository(db, box).list(), [
    {
      accessKeyId: 'AKIA1',
      secretAccessKey: 's',
      tokenHash: hash,
      principal: { arn, userId: 'AIDAHEARTHADMIN', accountId: '000000000000', keyId: 'AKIA1' },
      userName: 'admin',
      status: 'Active',
      expiresAt: undefined
    }
  ])
  const directory = openDirectory(file, box)
  t.match(directory.findUser('admin'), { policies: [{ name: ADMINISTRATOR }], boundary: undefined })
  t.ok(directory.changesSince(0).keys)
  directory.close()
  db.close()
})
