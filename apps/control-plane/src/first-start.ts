import {
  type DataLayout,
  type KeysRepository,
  type OwnedPoliciesRepository,
  type UsersRepository,
  writeFileDurably
} from '@hearth/store'
import { makeKey } from './access/new-key.ts'

export interface FirstStartOptions {
  readonly accountId: string
  readonly region: string
  readonly now: () => Date
}

export interface FirstStartRepositories {
  readonly keys: KeysRepository
  readonly users: UsersRepository
  readonly owned: OwnedPoliciesRepository
}

/**
 * Makes the administrator and a key for it if the server has no key at all: data/token for curl and data/credentials for
 * AWS clients. The files come before the row, so that a crash in between leaves no key that nobody knows.
 *
 * @returns whether a key was made
 */
export function ensureAdministrator(
  { keys, users, owned }: FirstStartRepositories,
  layout: DataLayout,
  options: FirstStartOptions
): boolean {
  if (keys.list().length > 0) return false
  const admin = users.find(ADMINISTRATOR.name) ?? { ...ADMINISTRATOR, createdAt: options.now().toISOString() }
  const { key, token } = makeKey(options.accountId, admin)
  writeFileDurably(layout.token, `${token}\n`, 0o600)
  writeFileDurably(
    layout.credentials,
    `[default]\naws_access_key_id = ${key.accessKeyId}\naws_secret_access_key = ${key.secretAccessKey}\nregion = ${options.region}\n`,
    0o600
  )
  if (users.find(admin.name) === undefined) users.create(admin)
  owned.attach(admin.userId, 'arn:aws:iam::aws:policy/AdministratorAccess')
  keys.create(key)
  return true
}

const ADMINISTRATOR = { name: 'admin', path: '/', userId: 'AIDAHEARTHADMIN', tags: {}, boundary: undefined }
