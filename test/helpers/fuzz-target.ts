import type { FuzzTarget } from './fuzz.ts'
import type { Hearth } from './hearth.ts'
import { zipOf } from './zip.ts'

/** Makes what the changed requests are about: a function, a role, and a user who may do nothing. */
export async function prepareFuzz(hearth: Hearth): Promise<FuzzTarget> {
  const zip = await zipOf({ 'index.mjs': 'export const handler = async () => ({ ok: true })\n' })
  const call = async (method: string, path: string, body: string | Uint8Array<ArrayBuffer>): Promise<unknown> => {
    const answer = await hearth.request(path, { method, body })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${text}`)
    return JSON.parse(text) as unknown
  }
  await call('PUT', '/v1/functions/fuzzed', new Uint8Array(zip))
  const admin = 'arn:aws:iam::000000000000:user/admin'
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: admin }, Action: 'sts:AssumeRole' }]
  }
  await call('PUT', '/v1/roles/fuzzed', JSON.stringify({ trust }))
  await call('PUT', '/v1/users/nobody', '{}')
  const key = (await call('POST', '/v1/keys', '{"user":"nobody","label":"fuzz"}')) as Record<string, string>
  const { accessKeyId, secretAccessKey, token } = hearth
  const nobody = {
    accessKeyId: key['accessKeyId'] ?? '',
    secretAccessKey: key['secretAccessKey'] ?? '',
    token: key['token'] ?? ''
  }
  return { port: hearth.ports.gateway, admin: { accessKeyId, secretAccessKey, token }, nobody, zip }
}
