// Requests that were right once: each is changed somewhere, and it is known whether it may still be accepted.
import { createHash, createHmac } from 'node:crypto'
import { Agent, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { canonicalRequest, signingKey } from '@hearth/shared'

export interface FuzzTarget {
  readonly port: number
  /** May do all. */
  readonly admin: Credentials
  /** Has a key, and may do nothing. */
  readonly nobody: Credentials
  /** Zip of a function that there is: `fuzzed`. */
  readonly zip: Buffer
}

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly token: string
}

export interface FuzzResult {
  readonly requests: number
  readonly byStatus: Readonly<Record<string, number>>
  /** Each of 5xx, and each that was accepted although it must not be: how to say it again. */
  readonly wrong: readonly string[]
}

interface Draft {
  method: string
  path: string
  readonly query: [string, string][]
  readonly headers: [string, string][]
  body: Buffer
  /** Why it must not be accepted; undefined: it may be. */
  broken: string | undefined
}

type Random = (below: number) => number

/** The same numbers for the same seed. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

const JSON_TYPE: [string, string] = ['content-type', 'application/json']
const FORM_TYPE: [string, string] = ['content-type', 'application/x-www-form-urlencoded']
const POLICY = '{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":["s3:Get*"],"Resource":"*"}]}'
const TRUST =
  '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
const form = (members: Record<string, string>): Buffer => Buffer.from(new URLSearchParams(members).toString())
const iam = (Action: string, members: Record<string, string> = {}) =>
  form({ Action, Version: '2010-05-08', ...members })

/** What is changed: service, method, path, query, headers, body. All can be asked any number of times. */
function bases(
  zip: Buffer
): readonly (readonly [string, string, string, [string, string][], [string, string][], Buffer])[] {
  const none = Buffer.alloc(0)
  const fn = '/2015-03-31/functions'
  return [
    ['lambda', 'GET', fn, [['MaxItems', '5']], [], none],
    ['lambda', 'GET', `${fn}/fuzzed`, [], [], none],
    ['lambda', 'GET', `${fn}/fuzzed/policy`, [['Qualifier', '1']], [], none],
    ['lambda', 'POST', `${fn}/fuzzed/invocations`, [], [JSON_TYPE], Buffer.from('{"a":[1,2,{"b":"ü"}]}')],
    ['lambda', 'POST', '/v1/functions/fuzzed/invocations', [], [JSON_TYPE], Buffer.from('{"a":1}')],
    ['lambda', 'POST', '/fn/fuzzed/a/b', [['q', 'x y']], [['cookie', 'a=b']], Buffer.from('text')],
    ['lambda', 'PUT', `${fn}/fuzzed/configuration`, [], [JSON_TYPE], Buffer.from('{"Description":"d","Timeout":3}')],
    [
      'lambda',
      'PUT',
      '/v1/functions/fuzzed',
      [
        ['memory', '128'],
        ['env.A', 'b']
      ],
      [],
      zip
    ],
    ['lambda', 'PUT', '/v1/layers/fuzzed', [['license', 'MIT']], [], zip],
    ['lambda', 'GET', '/v1/functions', [['limit', '10']], [], none],
    [
      'lambda',
      'GET',
      '/v1/functions/fuzzed/logs',
      [
        ['since', '10m'],
        ['limit', '5']
      ],
      [],
      none
    ],
    ['lambda', 'GET', '/v1/invocations/00000000-0000-4000-8000-000000000000', [], [], none],
    ['lambda', 'PUT', '/v1/policies/fuzzed', [], [JSON_TYPE], Buffer.from(`{"document":${POLICY}}`)],
    ['lambda', 'PUT', '/v1/roles/fuzzed', [], [JSON_TYPE], Buffer.from(`{"policies":{"p":${POLICY}}}`)],
    [
      'lambda',
      'POST',
      '/v1/policies/simulate',
      [],
      [JSON_TYPE],
      Buffer.from(`{"policies":[${POLICY}],"action":"s3:GetObject","resource":"*"}`)
    ],
    ['lambda', 'GET', '/metrics', [], [], none],
    ['iam', 'POST', '/', [], [FORM_TYPE], iam('ListRoles', { MaxItems: '5' })],
    [
      'iam',
      'GET',
      '/',
      [
        ['Action', 'GetUser'],
        ['Version', '2010-05-08']
      ],
      [],
      none
    ],
    [
      'iam',
      'POST',
      '/',
      [],
      [FORM_TYPE],
      iam('PutRolePolicy', { RoleName: 'fuzzed', PolicyName: 'p', PolicyDocument: POLICY })
    ],
    ['iam', 'POST', '/', [], [FORM_TYPE], iam('UpdateAssumeRolePolicy', { RoleName: 'fuzzed', PolicyDocument: TRUST })],
    [
      'iam',
      'POST',
      '/',
      [],
      [FORM_TYPE],
      iam('TagRole', { RoleName: 'fuzzed', 'Tags.member.1.Key': 'k', 'Tags.member.1.Value': 'v' })
    ],
    [
      'iam',
      'POST',
      '/',
      [],
      [FORM_TYPE],
      iam('SimulateCustomPolicy', { 'PolicyInputList.member.1': POLICY, 'ActionNames.member.1': 's3:GetObject' })
    ],
    [
      'sts',
      'POST',
      '/',
      [],
      [FORM_TYPE],
      form({
        Action: 'AssumeRole',
        Version: '2011-06-15',
        RoleArn: 'arn:aws:iam::000000000000:role/fuzzed',
        RoleSessionName: 'abc'
      })
    ]
  ]
}

const NASTY = [
  '',
  ' ',
  '%',
  '%00',
  '%ff',
  '%2e%2e',
  '..',
  '.',
  '//',
  '\u00e4',
  '*',
  '?',
  '#',
  "'",
  '"',
  '<x>',
  '{}',
  '[',
  '\\',
  'null',
  '-1',
  '0',
  '1e309',
  '9999999999999999999',
  'true',
  '__proto__',
  'constructor',
  '$LATEST',
  '${aws:username}',
  'arn:aws:lambda:us-east-1:000000000000:function:fuzzed:1',
  'arn:aws:iam::000000000000:root',
  'a'.repeat(300),
  ';',
  ','
] as const

/** Sends so many changed requests, and looks at what comes back. */
export async function fuzz(target: FuzzTarget, seed: number, count: number, clients: number): Promise<FuzzResult> {
  const all = bases(target.zip)
  const byStatus: Record<string, number> = {}
  const wrong: string[] = []
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  let next = 0
  const work = async (): Promise<void> => {
    while (next < count) {
      const number = next
      next += 1
      // By its own number: one that went wrong can be made again alone.
      const random = randomFrom(seed * 1_000_003 + number)
      const { draft, raw } = make(target, all, random)
      const status = raw ? await sendRaw(target.port, draft, random) : await send(target.port, agent, draft)
      byStatus[status] = (byStatus[status] ?? 0) + 1
      const isAccepted = status >= 200 && status < 400
      if ((status >= 500 && status !== 501) || status === 0 || (isAccepted && draft.broken !== undefined)) {
        const { method, path, query, headers, body } = draft
        const shown = JSON.stringify({ method, path, query, headers, body: body.toString('latin1').slice(0, 300) })
        wrong.push(`#${number} ${status} (${draft.broken ?? 'may be accepted'}) ${shown}`)
      }
    }
  }
  await Promise.all(Array.from({ length: clients }, work))
  agent.destroy()
  return { requests: count, byStatus, wrong }
}

function make(target: FuzzTarget, all: ReturnType<typeof bases>, random: Random): { draft: Draft; raw: boolean } {
  const [service, method, path, query, headers, body] = all[random(all.length)]!
  const draft: Draft = {
    method,
    path,
    query: query.map(([name, value]) => [name, value]),
    headers: [['host', `127.0.0.1:${target.port}`], ...headers.map(([name, value]): [string, string] => [name, value])],
    body: Buffer.from(body),
    broken: undefined
  }
  const way = random(4)
  // Nobody may change nothing, however right the request is.
  const isNobody = random(6) === 0
  const who = isNobody ? target.nobody : target.admin
  if (isNobody) draft.broken = 'by one who may do nothing'
  if (random(2) === 0) changeContent(draft, random)
  if (way === 0) draft.headers.push(['authorization', `Bearer ${who.token}`])
  else if (way === 1) presign(draft, who, service)
  else signHeader(draft, who, service, way === 2)
  const meant = JSON.stringify(draft)
  if (random(10) < 7) for (let i = random(2); i >= 0; i -= 1) changeSigned(draft, way, random)
  // Two changes may be none.
  if (JSON.stringify(draft) !== meant) draft.broken ??= way === 0 ? 'another token' : 'other than it was signed'
  if (random(3) === 0) changeLook(draft, random)
  return { draft, raw: random(8) === 0 }
}

/** Before it is signed: what the sender means. */
function changeContent(draft: Draft, random: Random): void {
  const nasty = (): string => NASTY[random(NASTY.length)]!
  const kind = random(7)
  if (kind === 0 && draft.query.length > 0) draft.query[random(draft.query.length)]![1] = nasty()
  else if (kind === 1) draft.query.push([nasty(), nasty()])
  else if (kind === 2 && !draft.path.startsWith('/fn/')) {
    const parts = draft.path.split('/')
    // Not the first part: elsewhere are pages that are open.
    if (parts.length > 2)
      parts[2 + random(parts.length - 2)] = encodeURIComponent(nasty()) + nasty().replaceAll(/[^ -~]|[ #?"<>\\{}]/g, '')
    draft.path = parts.join('/')
  } else if (kind === 3)
    draft.headers.push([
      `x-amz-${['log-type', 'invocation-type', 'client-context', 'target'][random(4)]}`,
      header(nasty())
    ])
  else if (kind === 4)
    draft.headers.push([
      ['if-match', 'idempotency-key', 'prefer', 'content-encoding', 'expect', 'x-forwarded-for'][random(5)]!,
      header(nasty())
    ])
  else mangle(draft, random)
}

function mangle(draft: Draft, random: Random): void {
  const { body } = draft
  if (body.length === 0) {
    if (draft.method !== 'GET') draft.body = Buffer.from(NASTY[random(NASTY.length)]!)
    return
  }
  for (let i = random(4); i >= 0; i -= 1) {
    const at = random(draft.body.length || 1)
    const kind = random(5)
    const piece = Buffer.from(NASTY[random(NASTY.length)]!)
    if (kind === 0) draft.body[at] = random(256)
    else if (kind === 1) draft.body = draft.body.subarray(0, at)
    else if (kind === 2) draft.body = Buffer.concat([draft.body.subarray(0, at), piece, draft.body.subarray(at)])
    else if (kind === 3) draft.body = Buffer.concat([draft.body, draft.body.subarray(at)])
    else
      draft.body = Buffer.from(
        draft.body.toString('latin1').replace(/"[^"]*"|=[^&]*/, () => JSON.stringify(piece.toString())),
        'latin1'
      )
  }
}

/** After it is signed: what no sender said. */
function changeSigned(draft: Draft, way: number, random: Random): void {
  const at = draft.headers.findIndex(([name]) => name === 'authorization')
  const flip = (text: string): string => {
    const i = random(text.length)
    return text.slice(0, i) + (text[i] === 'a' ? 'b' : 'a') + text.slice(i + 1)
  }
  if (way === 0) {
    const [, value] = draft.headers[at]!
    const token = value.slice(7)
    const others = [
      `Bearer ${flip(token)}`,
      `Bearer ${token.slice(0, -1)}`,
      `Bearer ${token}a`,
      `Basic ${token}`,
      token,
      `Bearer${token}`,
      'Bearer ',
      `Bearer ${createHash('sha256').update(token).digest('hex')}`
    ]
    draft.headers[at]![1] = others[random(others.length)]!
    return
  }
  const edit = (change: (credential: string) => string): void => {
    if (way !== 1) {
      draft.headers[at]![1] = change(draft.headers[at]![1])
      return
    }
    const names = [
      'X-Amz-Signature',
      'X-Amz-Credential',
      'X-Amz-Date',
      'X-Amz-Expires',
      'X-Amz-Algorithm',
      'X-Amz-SignedHeaders'
    ]
    const found = draft.query.find(([name]) => name === names[random(names.length)])
    if (found !== undefined) found[1] = change(found[1])
  }
  const kind = random(8)
  if (kind === 0) edit(flip)
  else if (kind === 1) edit((text) => text.replace(/[0-9a-f]{6}$/, ''))
  else if (kind === 2)
    edit((text) => text.replace(/\/(us-east-1)\/(\w+)\//, random(2) === 0 ? '/eu-west-1/$2/' : '/us-east-1/s3/'))
  else if (kind === 3 && draft.method !== 'GET') draft.body = Buffer.concat([draft.body, Buffer.from('x')])
  else if (kind === 4) draft.query.push(['extra', String(random(9))])
  else if (kind === 5) draft.method = draft.method === 'GET' ? 'DELETE' : 'GET'
  else if (kind === 6) draft.headers.find(([name]) => name === 'host')![1] = 'example.com'
  else draft.path = `${draft.path}${draft.path.endsWith('/') ? '' : '/'}x`
}

/** What changes nothing of what is meant, or adds what nobody has to heed. */
function changeLook(draft: Draft, random: Random): void {
  const kind = random(4)
  if (kind === 0)
    draft.headers.forEach((pair) => (pair[0] = pair[0].replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())))
  else if (kind === 1) draft.headers.reverse()
  else if (kind === 2) draft.headers.push(['x-note', header(NASTY[random(NASTY.length)]!)])
  else draft.query.reverse()
}

function header(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '')
}

function urlOf({ path, query }: Pick<Draft, 'path' | 'query'>): string {
  if (query.length === 0) return path
  return `${path}?${query.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')}`
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')

function timestamp(): string {
  return `${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

function signatureOf(
  draft: Draft,
  { secretAccessKey }: Credentials,
  at: string,
  service: string,
  names: string[],
  hash: string
) {
  const headers: Record<string, string> = {}
  for (const [name, value] of draft.headers)
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`
  const request = { method: draft.method, rawUrl: urlOf(draft), headers, body: undefined }
  const text = `AWS4-HMAC-SHA256\n${at}\n${at.slice(0, 8)}/us-east-1/${service}/aws4_request\n${sha256(canonicalRequest(request, names, hash))}`
  return createHmac('sha256', signingKey(secretAccessKey, at.slice(0, 8), 'us-east-1', service))
    .update(text)
    .digest('hex')
}

function signHeader(draft: Draft, who: Credentials, service: string, withHash: boolean): void {
  const at = timestamp()
  draft.headers.push(['x-amz-date', at])
  if (withHash) draft.headers.push(['x-amz-content-sha256', sha256(draft.body)])
  const names = [...new Set(draft.headers.map(([name]) => name))].filter((name) => name !== 'expect').sort()
  const signature = signatureOf(draft, who, at, service, names, sha256(draft.body))
  const scope = `${who.accessKeyId}/${at.slice(0, 8)}/us-east-1/${service}/aws4_request`
  draft.headers.push([
    'authorization',
    `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  ])
}

function presign(draft: Draft, who: Credentials, service: string): void {
  const at = timestamp()
  const scope = `${who.accessKeyId}/${at.slice(0, 8)}/us-east-1/${service}/aws4_request`
  draft.query.push(['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'], ['X-Amz-Credential', scope], ['X-Amz-Date', at])
  draft.query.push(['X-Amz-Expires', '300'], ['X-Amz-SignedHeaders', 'host'])
  draft.query.push(['X-Amz-Signature', signatureOf(draft, who, at, service, ['host'], sha256(draft.body))])
}

/** @returns the status; 0: there was none */
function send(port: number, agent: Agent, draft: Draft): Promise<number> {
  return new Promise((resolve) => {
    const headers = [...draft.headers, ['content-length', String(draft.body.length)]]
      .filter(([name]) => name !== 'expect')
      .flat() as never
    const sent = httpRequest(
      { host: '127.0.0.1', port, agent, method: draft.method, path: urlOf(draft), headers },
      (answer) => {
        answer.resume()
        answer.on('close', () => resolve(answer.statusCode ?? 0))
      }
    )
    // An answer before all of the body was taken closes the connection under the rest of it.
    sent.on('error', () => resolve(sent.reusedSocket ? 400 : 0))
    sent.end(draft.body)
  })
}

/** Byte by byte, with what no client library writes. @returns the status; 400 where the server hangs up on it */
function sendRaw(port: number, draft: Draft, random: Random): Promise<number> {
  const kind = random(7)
  const blank = kind === 0 ? ' \t ' : ' '
  const lines = draft.headers.map(([name, value]) => `${name}:${blank}${value}`)
  let target = urlOf(draft)
  if (kind === 1) lines.push(...lines.filter(() => random(3) === 0))
  if (kind === 2) lines.push(`authorization: ${NASTY[random(NASTY.length)]}`, `host: ${NASTY[random(NASTY.length)]}`)
  if (kind === 3) lines.push(' folded: line')
  if (kind === 4) target = NASTY[random(NASTY.length)]! + target
  if (kind === 5) lines.push(`x-\u0001: a`, 'x-long: '.padEnd(20_000, 'a'))
  lines.push(kind === 6 ? 'transfer-encoding: chunked' : `content-length: ${draft.body.length}`, 'connection: close')
  const head = Buffer.from(`${draft.method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'utf8')
  const body =
    kind === 6
      ? Buffer.concat([Buffer.from(`${draft.body.length.toString(16)}\r\n`), draft.body, Buffer.from('\r\n0\r\n\r\n')])
      : draft.body
  return new Promise((resolve) => {
    let text = ''
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(Buffer.concat([head, body])))
    socket.setTimeout(20_000, () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      if (text.length < 100) text += chunk.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (?:100[^]*?HTTP\/1\.1 )?(\d{3})/.exec(text)?.[1] ?? 400)))
  })
}
