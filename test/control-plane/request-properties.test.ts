import t from 'tap'
import { type Member, MODEL, type ModelOperation, type Shape } from '../helpers/lambda-model.ts'
import { ACCOUNT, ARN, REGION, ROLE, SOURCE, startControlPlane, zipOf } from './support.ts'

const REQUESTS = 20_000
const seed = Number(process.env['HEARTH_TEST_SEED'] ?? Date.now() % 2 ** 31)
t.setTimeout(110_000)

/** Numbers from a seed: mulberry32. */
function createRandom(state: number) {
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    chance: (share: number) => next() < share,
    below: (limit: number) => Math.floor(next() * limit),
    of: <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)]!
  }
}
type Random = ReturnType<typeof createRandom>

/** What members of these names take, so that requests get past the first check. */
const LIKELY: Readonly<Record<string, readonly unknown[]>> = {
  FunctionName: [
    'there',
    'other',
    'absent',
    `${ARN}:function:there`,
    'there:1',
    'there:$LATEST',
    `${ACCOUNT}:function:there`
  ],
  Resource: [`${ARN}:function:there`, `${ARN}:function:absent`, `${ARN}:code-signing-config:csc-aaaaaaaaaaaaaaaaa`],
  Qualifier: ['$LATEST', '1', 'prod'],
  Role: [ROLE],
  Runtime: ['nodejs20.x', 'nodejs18.x', 'python3.11', 'provided'],
  Handler: ['index.handler'],
  Timeout: [1, 3, 900],
  MemorySize: [128, 1_024],
  Mode: ['Active', 'PassThrough'],
  LogFormat: ['JSON', 'Text'],
  ApplicationLogLevel: ['INFO', 'TRACE'],
  ApplyOn: ['None', 'PublishedVersions'],
  Architectures: [['x86_64'], ['arm64']],
  PackageType: ['Zip', 'Image'],
  Tags: [{ a: '1' }],
  TagKeys: [['a']],
  RecursiveLoop: ['Allow', 'Terminate'],
  UpdateRuntimeOn: ['Auto', 'FunctionUpdate', 'Manual'],
  AllowedPublishers: [{ SigningProfileVersionArns: [`arn:aws:signer:${REGION}:${ACCOUNT}:/signing-profiles/p/1`] }],
  UntrustedArtifactOnDeployment: ['Warn', 'Enforce'],
  CodeSigningConfigArn: [`${ARN}:code-signing-config:csc-aaaaaaaaaaaaaaaaa`],
  FunctionVersion: ['ALL', '1', '$LATEST'],
  MaxItems: [1, 50, 10_000]
}

const HUGE = 'x'.repeat(20_000)
const TEXTS: readonly string[] = [
  '',
  ' ',
  'a',
  '\0',
  '..',
  '../../etc/passwd',
  '%00',
  '%zz',
  "'; DROP TABLE functions; --",
  '💥🧨',
  'Ünï\u202Ecödé',
  '\ud800',
  '${jndi:ldap://x}',
  '{{7*7}}',
  'a\r\nx-injected: 1',
  '__proto__',
  'constructor',
  HUGE
]
const NUMBERS: readonly unknown[] = [0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e308, '1', '1e3', 'NaN', ' 5']
const OTHERS: readonly unknown[] = [null, true, false, [], {}, [[]], [null], { a: null }, { '': '' }]
/** As text, because JSON.stringify makes null of them or cannot write them. */
const RAW_JSON: readonly string[] = [
  'NaN',
  'Infinity',
  '1e999',
  '-0',
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":1}}',
  `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
  `${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`,
  '"\\ud800"',
  '{"a":1,"a":2}'
]

function valueOf(random: Random, name: string, shape: Shape, depth = 0): unknown {
  const likely = LIKELY[name]
  if (likely !== undefined && random.chance(0.8)) return random.of(likely)
  switch (shape.kind) {
    case 'string':
    case 'document':
      return random.of(['a', 'x1', ROLE, ARN, 'None', ...TEXTS])
    case 'blob':
      return random.of(['', 'eA==', 'not base64!', HUGE])
    case 'number':
    case 'timestamp':
      return random.of([1, 2, 60, 128, 512, ...NUMBERS])
    case 'boolean':
      return random.chance(0.5)
    case 'list':
      return Array.from({ length: random.below(4) }, () => valueOf(random, name, shape.item, depth + 1))
    case 'map':
      return Object.fromEntries(
        Array.from({ length: random.below(4) }, () => [
          random.of(['AB', 'k', ...TEXTS]),
          valueOf(random, '', shape.value)
        ])
      )
    case 'structure':
      return Object.fromEntries(
        shape.members
          .filter((member) => depth < 4 && (member.required || random.chance(0.5)))
          .map((member) => [member.name, valueOf(random, member.name, member.shape, depth + 1)])
      )
  }
}

/** Sound, as far as we know, or broken in one of the ways that clients are. */
function mutated(random: Random, { name, shape }: Member, share: number): unknown {
  if (!random.chance(share)) return valueOf(random, name, shape)
  return random.of<() => unknown>([
    () => random.of(TEXTS),
    () => random.of(NUMBERS),
    () => random.of(OTHERS),
    () => Array.from({ length: 300 }, () => 'x'),
    () => Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`k${index}`, index])),
    () => [valueOf(random, name, shape)],
    () => ({ [name]: valueOf(random, name, shape) })
  ])()
}

/** Half a surrogate pair cannot be in a URL: it becomes a replacement character. */
const segment = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return encodeURIComponent(Buffer.from(text.slice(0, 1_500)).toString())
}

function requestOf(random: Random, { method, path, input }: ModelOperation, zip: string) {
  // Most requests are nearly right, so that they get past the first check.
  const share = random.of([0, 0.05, 0.1, 0.5])
  const sent = input.filter((member) => (member.required ? random.chance(0.95) : random.chance(0.35)))
  const at = (place: Member['place']) => sent.filter((member) => member.place === place)
  const url = path.replaceAll(/\{(\w+)\}/g, (_text, name: string) => {
    const member = input.find((candidate) => candidate.name === name)!
    const value = random.chance(0.9) ? valueOf(random, name, member.shape) : mutated(random, member, share)
    return segment(value) || 'x'
  })
  const query = at('query').flatMap((member) => {
    const value = mutated(random, member, share)
    return (Array.isArray(value) ? value.slice(0, 5) : [value]).map((item) => `${member.wireName}=${segment(item)}`)
  })
  const headers = Object.fromEntries(
    at('header').map(({ wireName }) => [wireName.toLowerCase(), random.of(['a', 'None', '{}'])])
  )
  const body: Record<string, unknown> = {}
  for (const member of at('body')) body[member.name] = mutated(random, member, share)
  // A package that is one, so that what comes after it is reached as well.
  if (random.chance(0.2)) {
    if ('Code' in body) body['Code'] = { ZipFile: zip }
    if ('ZipFile' in body) body['ZipFile'] = zip
  }
  let text = JSON.stringify(body)
  if (random.chance(0.05)) {
    const raw = random.of(RAW_JSON)
    text = random.chance(0.5) ? raw : text.replace(/:("[^"]*"|\d+|true|false|null)/, () => `:${raw}`)
  }
  return {
    method,
    url: url + (query.length === 0 ? '' : `${url.includes('?') ? '&' : '?'}${query.join('&')}`),
    headers,
    ...(method === 'GET' || (method === 'DELETE' && random.chance(0.9)) ? {} : { payload: text })
  }
}

t.test(`no request that can be made of the model's shapes is our failure (HEARTH_TEST_SEED=${seed})`, async (t) => {
  const { inject, put, aws } = await startControlPlane(t)
  const random = createRandom(seed)
  const zip = (await zipOf({ 'index.mjs': SOURCE })).toString('base64')
  await put('there', SOURCE)
  await put('other', SOURCE)
  const operations = MODEL.filter(({ name }) => name !== 'Invoke')
  const statuses = new Map<number, number>()
  const bad: unknown[] = []
  const unserved = new Set<ModelOperation>()
  const pick = (): ModelOperation => {
    const operation = random.of(operations)
    // Those that say the same to everything need not be asked as often.
    return unserved.has(operation) && random.chance(0.9) ? pick() : operation
  }
  const check = async (operation: ModelOperation): Promise<void> => {
    const request = requestOf(random, operation, zip)
    const res = await inject(request)
    statuses.set(res.statusCode, (statuses.get(res.statusCode) ?? 0) + 1)
    const type = String(res.headers['x-amzn-errortype'])
    const problem = problemOf(res.statusCode, type, res.body)
    if (res.statusCode === 501) unserved.add(operation)
    if (problem !== undefined && bad.length < 5) {
      bad.push({
        problem,
        operation: operation.name,
        url: request.url.slice(0, 300),
        payload: request.payload?.slice(0, 500),
        body: res.body.slice(0, 500)
      })
    }
  }
  for (let sent = 0; sent < REQUESTS; sent += 16) {
    await Promise.all(Array.from({ length: 16 }, () => check(pick())))
    // What a run deletes, the next requests want to find.
    if (sent % 800 === 0) await Promise.all([put('there', SOURCE), put('other', SOURCE)])
  }
  t.strictSame(bad, [], `seed ${seed}`)
  t.equal((await aws('GET', '/functions')).statusCode, 200, 'and the server is well')
  t.comment(
    `seed ${seed}: ${[...statuses]
      .sort()
      .map(([status, count]) => `${status}: ${count}`)
      .join(', ')}`
  )
  t.equal(
    [...statuses.values()].reduce((sum, count) => sum + count),
    REQUESTS
  )
  for (const status of [200, 201, 204, 400, 404, 501]) {
    t.ok((statuses.get(status) ?? 0) > 20, `requests get as far as status ${status}`)
  }
})

/** @returns what is wrong with an answer, or undefined */
function problemOf(status: number, type: string, body: string): string | undefined {
  if (status === 501) return type === 'NotImplementedException' ? undefined : '501 of something else'
  if (status >= 500) return 'a failure of the server'
  if (status === 204) return body === '' ? undefined : '204 with a body'
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return 'not JSON'
  }
  if (status < 400) return undefined
  const { message, Message } = parsed as { message?: unknown; Message?: unknown }
  if (typeof (message ?? Message) !== 'string') return 'an error without a message'
  return /^[A-Za-z]+(Exception)$/.test(type) ? undefined : `an error of type ${type}`
}
