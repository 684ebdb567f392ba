import { createHash, createHmac } from 'node:crypto'
import {
  type AccessKey,
  canonicalRequest,
  contextKeys,
  createAuthenticator,
  createAuthorizer,
  type PrincipalSource,
  signingKey
} from '@hearth/shared'

/** What knowing a caller, and deciding whether it may, costs. */
export interface AccessResult {
  readonly name: string
  /** µs of CPU each, which what else the machine does changes little: the median of the rounds. */
  readonly us: number
}

const SCOPE = { region: 'us-east-1', accountId: '000000000000' }
const FN = 'arn:aws:lambda:us-east-1:000000000000:function:'
const PRINCIPAL = {
  arn: 'arn:aws:iam::000000000000:user/bench',
  userId: 'AIDABENCH',
  accountId: SCOPE.accountId,
  keyId: 'AKIABENCH'
}
/** Three statements, a condition in each; the last one allows. */
const DOCUMENT = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Deny',
      Action: 'lambda:*',
      Resource: '*',
      Condition: { NotIpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '192.0.2.0/24'] } }
    },
    {
      Effect: 'Allow',
      Action: ['lambda:Get*', 'lambda:List*'],
      Resource: '*',
      Condition: { StringEquals: { 'aws:PrincipalTag/team': 'red' } }
    },
    {
      Effect: 'Allow',
      Action: 'lambda:InvokeFunction',
      Resource: [`${FN}orders-*`, `${FN}bench-*`],
      Condition: { StringLike: { 'aws:UserAgent': '*bench*' }, Bool: { 'lambda:InvokedViaFunctionUrl': 'false' } }
    }
  ]
})
const FACTS = { requestId: 'r', sourceIp: '192.0.2.7', userAgent: 'a bench', secure: false }
const ROUNDS = 7

export function measureAccess(): readonly AccessResult[] {
  const source: PrincipalSource = {
    findUser: () => ({
      name: 'bench',
      path: '/',
      userId: 'AIDABENCH',
      tags: { team: 'blue' },
      policies: [{ name: 'p', document: DOCUMENT }],
      boundary: undefined
    }),
    findRole: () => undefined
  }
  const authorizer = createAuthorizer({ source, scope: SCOPE, now: Date.now })
  const keys = contextKeys({ 'lambda:InvokedViaFunctionUrl': 'false' })
  const allowed = { action: 'lambda:InvokeFunction', resource: `${FN}bench-1`, keys }
  const denied = { ...allowed, resource: `${FN}other` }
  const refuse = (): void => {
    try {
      authorizer.require(PRINCIPAL, denied, FACTS)
    } catch {
      return
    }
    throw new Error('it was allowed')
  }

  const token = 'hearth_bench'
  const secretAccessKey = 'bench-secret'
  const key: AccessKey = {
    accessKeyId: PRINCIPAL.keyId,
    secretAccessKey,
    tokenHash: sha256(token),
    principal: PRINCIPAL,
    userName: 'bench',
    status: 'Active',
    expiresAt: undefined
  }
  const at = new Date()
  const authenticator = createAuthenticator({ ...SCOPE, keys: [key], now: () => at })
  const bearer = request({ authorization: `Bearer ${token}` })
  const signed = sign(secretAccessKey, at)
  return [
    time('decision, policies known', 200_000, () => authorizer.require(PRINCIPAL, allowed, FACTS)),
    time('refusal with its sentence, policies known', 50_000, refuse),
    time('decision, policies read and compiled anew', 20_000, () => {
      authorizer.forget()
      authorizer.require(PRINCIPAL, allowed, FACTS)
    }),
    time('Bearer key', 200_000, () => void authenticator.authenticate(bearer)),
    time('signature, hash of 1 KiB included', 20_000, () => void authenticator.authenticate(signed))
  ]
}

function time(name: string, times: number, work: () => void): AccessResult {
  const rounds: number[] = []
  for (let round = 0; round <= ROUNDS; round += 1) {
    const before = process.cpuUsage()
    for (let i = 0; i < times; i += 1) work()
    // The first one is for the compiler.
    const { user, system } = process.cpuUsage(before)
    if (round > 0) rounds.push((user + system) / times)
  }
  return { name, us: rounds.sort((a, b) => a - b)[ROUNDS >> 1]! }
}

function request(headers: Record<string, string>) {
  const all = { host: '127.0.0.1:8080', ...headers }
  return {
    method: 'POST',
    rawUrl: '/2015-03-31/functions/bench-1/invocations',
    headers: all,
    rawHeaders: Object.entries(all).flat(),
    body: Buffer.alloc(1_024, 'a')
  }
}

function sign(secret: string, now: Date) {
  const at = `${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
  const day = at.slice(0, 8)
  const hash = sha256(Buffer.alloc(1_024, 'a'))
  const headers = { 'x-amz-date': at, 'x-amz-content-sha256': hash, 'content-type': 'application/json' }
  const names = ['content-type', 'host', 'x-amz-content-sha256', 'x-amz-date']
  const scope = `${day}/us-east-1/lambda/aws4_request`
  const text = `AWS4-HMAC-SHA256\n${at}\n${scope}\n${sha256(canonicalRequest(request(headers), names, hash))}`
  const signature = createHmac('sha256', signingKey(secret, day, 'us-east-1', 'lambda'))
    .update(text)
    .digest('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=${PRINCIPAL.keyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return request({ ...headers, authorization })
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
