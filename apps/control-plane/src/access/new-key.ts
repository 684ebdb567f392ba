import { createHash, randomBytes } from 'node:crypto'
import { type AccessKey, newKeyId, newSecretKey } from '@hearth/shared'
import type { UserRecord } from '@hearth/store'

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
  const accessKeyId = newKeyId('AKIA')
  return {
    token,
    key: {
      accessKeyId,
      secretAccessKey: newSecretKey(),
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
