import { createHash, randomBytes, randomInt } from 'node:crypto'
import type { AccessKey } from '@hearth/shared'
import type { UserRecord } from '@hearth/store'

const ID_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** @param prefix - What it is the id of: AIDA a user, AROA a role, ANPA a policy. @see reference: IAM §5 */
export function makeUniqueId(prefix: 'AIDA' | 'AROA' | 'ANPA'): string {
  return prefix + randomLetters(17)
}

/**
 * A new key: 256 random bits in the token, 240 in the secret.
 *
 * @param expiresAt - ISO 8601, UTC; undefined: never.
 */
export function makeKey(
  accountId: string,
  user: Pick<UserRecord, 'name' | 'path' | 'userId'>,
  expiresAt?: string
): { readonly key: AccessKey; readonly token: string } {
  const token = `hearth_${randomBytes(32).toString('base64url')}`
  const accessKeyId = `AKIA${randomLetters(16)}`
  return {
    token,
    key: {
      accessKeyId,
      secretAccessKey: randomBytes(30).toString('base64'),
      tokenHash: createHash('sha256').update(token).digest('hex'),
      principal: {
        arn: `arn:aws:iam::${accountId}:user${user.path}${user.name}`,
        userId: user.userId,
        accountId,
        keyId: accessKeyId
      },
      userName: user.name,
      status: 'Active',
      expiresAt
    }
  }
}

function randomLetters(count: number): string {
  return Array.from({ length: count }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('')
}
