// Reference: IAM §2. Who decides, in which order; and what holds whatever the policies say.
import {
  compilePolicy,
  contextKeys,
  denialMessage,
  evaluateTrust,
  type Policies,
  type PolicyRequest,
  parseCaller
} from '@hearth/shared'
import t from 'tap'
import {
  ACCOUNT,
  ADA,
  type Case,
  type Document,
  decide,
  document,
  FN,
  OTHER,
  SESSION,
  statement,
  told,
  WORKER
} from './table.ts'

const ALLOW = document(statement({}))
const DENY = document(statement({ Effect: 'Deny' }))
const NOTHING = document(statement({ Action: 'iam:GetRole' }))
const STRANGER = `arn:aws:iam::${OTHER}:user/eve`
const to = (Principal: unknown, members: Document = {}) => document(statement({ Principal, Resource: FN, ...members }))

t.test('the order of decisions', async (t) => {
  const cases: readonly (readonly [string, Case, string])[] = [
    ['nothing', {}, 'implicit deny by identity'],
    ['identity allows', { identity: [ALLOW] }, 'allowed by identity'],
    ['identity denies', { identity: [ALLOW, DENY] }, 'explicit deny by identity'],
    ['deny first', { identity: [DENY, ALLOW] }, 'explicit deny by identity'],
    ['other action', { identity: [NOTHING] }, 'implicit deny by identity'],
    ['resource names the user', { policy: to({ AWS: ADA }) }, 'allowed by resource'],
    ['resource names the account', { policy: to({ AWS: ACCOUNT }) }, 'implicit deny by identity'],
    ['… and identity allows', { policy: to({ AWS: ACCOUNT }), identity: [ALLOW] }, 'allowed by identity'],
    ['resource names all', { policy: to('*') }, 'allowed by resource'],
    [
      'resource denies',
      { policy: to({ AWS: ADA }, { Effect: 'Deny' }), identity: [ALLOW] },
      'explicit deny by resource'
    ],
    ['resource denies all', { policy: to('*', { Effect: 'Deny' }), identity: [ALLOW] }, 'explicit deny by resource'],
    ['boundary allows', { identity: [ALLOW], boundary: ALLOW }, 'allowed by identity'],
    ['boundary is silent', { identity: [ALLOW], boundary: NOTHING }, 'implicit deny by boundary'],
    ['boundary denies', { identity: [ALLOW], boundary: DENY }, 'explicit deny by boundary'],
    ['boundary alone grants nothing', { boundary: ALLOW }, 'implicit deny by identity'],
    ['user named by resource, boundary silent', { policy: to({ AWS: ADA }), boundary: NOTHING }, 'allowed by resource'],
    [
      'user named by resource, boundary denies',
      { policy: to({ AWS: ADA }), boundary: DENY },
      'explicit deny by boundary'
    ],
    ['star, boundary silent', { policy: to('*'), boundary: NOTHING }, 'implicit deny by boundary'],
    ['session by its role', { caller: SESSION, identity: [ALLOW] }, 'allowed by identity'],
    ['session narrowed', { caller: SESSION, identity: [ALLOW], session: [NOTHING] }, 'implicit deny by session'],
    ['session kept', { caller: SESSION, identity: [ALLOW], session: [NOTHING, ALLOW] }, 'allowed by identity'],
    ['session denied', { caller: SESSION, identity: [ALLOW], session: [DENY] }, 'explicit deny by session'],
    ['session policy grants nothing', { caller: SESSION, session: [ALLOW] }, 'implicit deny by identity'],
    ['no session policy', { caller: SESSION, identity: [ALLOW], session: [] }, 'allowed by identity'],
    ['resource names the role', { caller: SESSION, policy: to({ AWS: WORKER }) }, 'allowed by resource'],
    [
      '… session narrows',
      { caller: SESSION, policy: to({ AWS: WORKER }), session: [NOTHING] },
      'implicit deny by session'
    ],
    [
      '… boundary caps',
      { caller: SESSION, policy: to({ AWS: WORKER }), boundary: NOTHING },
      'implicit deny by boundary'
    ],
    [
      'resource names the session',
      { caller: SESSION, policy: to({ AWS: SESSION }), session: [NOTHING] },
      'allowed by resource'
    ],
    ['root', { caller: `arn:aws:iam::${ACCOUNT}:root` }, 'allowed by root'],
    [
      'root denied by resource',
      { caller: `arn:aws:iam::${ACCOUNT}:root`, policy: to('*', { Effect: 'Deny' }) },
      'explicit deny by resource'
    ],
    ['stranger, identity alone', { caller: STRANGER, identity: [ALLOW] }, 'implicit deny by resource'],
    ['stranger, resource alone', { caller: STRANGER, policy: to({ AWS: STRANGER }) }, 'implicit deny by identity'],
    ['stranger, both', { caller: STRANGER, policy: to({ AWS: STRANGER }), identity: [ALLOW] }, 'allowed by identity'],
    [
      'stranger, his account',
      { caller: STRANGER, policy: to({ AWS: OTHER }), identity: [ALLOW] },
      'allowed by identity'
    ],
    ['stranger, star', { caller: STRANGER, policy: to('*') }, 'implicit deny by identity'],
    ['stranger, star, both', { caller: STRANGER, policy: to('*'), identity: [ALLOW] }, 'allowed by identity'],
    [
      'stranger, capped',
      { caller: STRANGER, policy: to('*'), identity: [ALLOW], boundary: NOTHING },
      'implicit deny by boundary'
    ],
    [
      'root of another account',
      { caller: `arn:aws:iam::${OTHER}:root`, policy: to({ AWS: OTHER }) },
      'allowed by root'
    ],
    ['root of another account, unnamed', { caller: `arn:aws:iam::${OTHER}:root` }, 'implicit deny by resource'],
    ['service unnamed', { caller: 's3.amazonaws.com' }, 'implicit deny by resource'],
    [
      'service named',
      { caller: 's3.amazonaws.com', policy: to({ Service: 's3.amazonaws.com' }) },
      'allowed by resource'
    ],
    [
      'service, its own policies count nothing',
      { caller: 's3.amazonaws.com', identity: [ALLOW] },
      'implicit deny by resource'
    ],
    ['anonymous', { caller: 'anonymous' }, 'implicit deny by resource'],
    ['anonymous, star', { caller: 'anonymous', policy: to('*') }, 'allowed by resource'],
    ['anonymous, account', { caller: 'anonymous', policy: to({ AWS: ACCOUNT }) }, 'implicit deny by resource']
  ]
  for (const [name, given, expected] of cases) t.equal(told(decide(given)), expected, name)
})

t.test('a service is bound to its source', async (t) => {
  const policy = to(
    { Service: 's3.amazonaws.com' },
    { Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:s3:::mine' }, StringEquals: { 'aws:SourceAccount': ACCOUNT } } }
  )
  const ask = (SourceArn: string, SourceAccount: string) =>
    decide({
      caller: 's3.amazonaws.com',
      policy,
      context: { 'aws:SourceArn': SourceArn, 'aws:SourceAccount': SourceAccount }
    }).allowed
  t.ok(ask('arn:aws:s3:::mine', ACCOUNT))
  t.notOk(ask('arn:aws:s3:::theirs', ACCOUNT))
  t.notOk(ask('arn:aws:s3:::mine', OTHER), 'a bucket that changed hands')
})

t.test('trust policies', async (t) => {
  const trust = (Principal: unknown, members: Document = {}) =>
    compilePolicy(document({ Effect: 'Allow', Principal, Action: 'sts:AssumeRole', ...members }), 'trust', 'trust')
  const assume = compilePolicy(document(statement({ Action: 'sts:AssumeRole' })), 'identity', 'p')
  const request = (caller: string): PolicyRequest => ({
    caller: parseCaller(caller)!,
    action: 'sts:AssumeRole',
    resource: WORKER,
    resourceAccount: ACCOUNT,
    keys: contextKeys({ 'sts:ExternalId': 'x' })
  })
  const lambda = 'lambda.amazonaws.com'
  const none: Omit<Policies, 'resource'> = { identity: [] }
  t.ok(evaluateTrust(trust({ Service: lambda }), none, request(lambda)).allowed)
  t.notOk(evaluateTrust(trust({ Service: 's3.amazonaws.com' }), none, request(lambda)).allowed)
  t.ok(evaluateTrust(trust({ AWS: ADA }), none, request(ADA)).allowed, 'named itself: enough')
  t.notOk(evaluateTrust(trust({ AWS: ACCOUNT }), none, request(ADA)).allowed, 'the account: its policies decide')
  t.ok(evaluateTrust(trust({ AWS: ACCOUNT }), { identity: [assume] }, request(ADA)).allowed)
  t.notOk(evaluateTrust(trust({ Service: lambda }), { identity: [assume] }, request(ADA)).allowed, 'trust must allow')
  const root = request(`arn:aws:iam::${ACCOUNT}:root`)
  t.notOk(evaluateTrust(trust({ Service: lambda }), none, root).allowed, 'root too')
  const externalId = { Condition: { StringEquals: { 'sts:ExternalId': 'y' } } }
  t.notOk(evaluateTrust(trust({ AWS: ADA }, externalId), none, request(ADA)).allowed)
})

t.test('refusals say who, what, on what and why', async (t) => {
  const message = (given: Case) => {
    const decision = decide(given)
    if (decision.allowed) throw new Error('allowed')
    return denialMessage(decision, {
      caller: parseCaller(given.caller ?? ADA)!,
      action: 'lambda:InvokeFunction',
      resource: given.resource ?? FN,
      resourceAccount: ACCOUNT,
      keys: contextKeys({})
    })
  }
  const start = `User: ${ADA} is not authorized to perform: lambda:InvokeFunction on resource: ${FN} `
  t.equal(message({}), `${start}because no identity-based policy allows the lambda:InvokeFunction action`)
  t.equal(message({ identity: [DENY] }), `${start}with an explicit deny in an identity-based policy`)
  t.equal(message({ policy: to('*', { Effect: 'Deny' }) }), `${start}with an explicit deny in a resource-based policy`)
  t.equal(
    message({ identity: [ALLOW], boundary: NOTHING }),
    `${start}because no permissions boundary allows the lambda:InvokeFunction action`
  )
  t.match(message({ resource: '*' }), /perform: lambda:InvokeFunction because/, 'no resource, none named')
})

t.test('whatever the policies', async (t) => {
  // Deterministic: the same 3,000 cases on every run.
  let seed = 20_261_127
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
    return (seed >>> 8) % n
  }
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!
  const anyStatement = (resource: boolean): Document => ({
    Effect: pick(['Allow', 'Allow', 'Allow', 'Allow', 'Deny']),
    [pick(['Action', 'Action', 'NotAction'])]: pick(['*', 'lambda:*', 'lambda:Invoke*', 'iam:*']),
    [pick(['Resource', 'Resource', 'NotResource'])]: pick(['*', FN, `${FN}*`, 'arn:aws:iam::*:*']),
    ...(resource
      ? { Principal: pick(['*', { AWS: ADA }, { AWS: ACCOUNT }, { AWS: WORKER }, { Service: 's3.amazonaws.com' }]) }
      : {}),
    ...(random(3) === 0
      ? { Condition: { [pick(['StringEquals', 'StringNotEquals'])]: { 'aws:k': pick(['a', 'b']) } } }
      : {})
  })
  const anyDocument = (resource: boolean) =>
    document(...Array.from({ length: 1 + random(4) }, () => anyStatement(resource)))
  const anyCase = (): Case => ({
    caller: pick([ADA, SESSION, STRANGER, 'anonymous', 's3.amazonaws.com']),
    action: pick(['lambda:InvokeFunction', 'lambda:GetFunction', 'iam:GetRole']),
    resource: pick([FN, `${FN}:1`]),
    context: pick([{}, { 'aws:k': 'a' }, { 'aws:k': 'b' }]),
    identity: Array.from({ length: random(3) }, () => anyDocument(false)),
    ...(random(3) === 0 ? { boundary: anyDocument(false) } : {}),
    ...(random(3) === 0 ? { session: [anyDocument(false)] } : {}),
    ...(random(2) === 0 ? { policy: anyDocument(true) } : {})
  })
  const reversed = (given: Document): Document => ({
    ...given,
    Statement: [...(given['Statement'] as Document[])].reverse()
  })
  const broken = { deny: 0, added: 0, order: 0, cap: 0 }
  let allowed = 0
  for (let i = 0; i < 3_000; i++) {
    const given = anyCase()
    const decision = decide(given)
    if (decision.allowed) allowed++
    const everything = document({ Effect: 'Deny', Action: '*', Resource: '*' })
    if (decide({ ...given, identity: [...given.identity!, everything] }).allowed && isPerson(given.caller!))
      broken.deny++
    const more = document({ Effect: 'Allow', Action: '*', Resource: '*' })
    if (decision.allowed && !decide({ ...given, identity: [...given.identity!, more] }).allowed) broken.added++
    const turned = decide({
      ...given,
      identity: given.identity!.map(reversed).reverse(),
      ...(given.policy === undefined ? {} : { policy: reversed(given.policy) })
    })
    if (told(turned) !== told(decision)) broken.order++
    if (!decision.allowed && decide({ ...given, boundary: given.boundary ?? anyDocument(false) }).allowed) broken.cap++
  }
  t.equal(broken.deny, 0, 'an explicit deny wins')
  t.equal(broken.added, 0, 'an added allow takes nothing away')
  t.equal(broken.order, 0, 'the order of statements and policies is irrelevant')
  t.equal(broken.cap, 0, 'a boundary adds nothing')
  t.ok(allowed > 300 && allowed < 2_700, `the cases are of both kinds (${allowed} allowed)`)
})

/** Services and strangers without a name have no policies of their own. */
function isPerson(caller: string): boolean {
  return caller.startsWith('arn:')
}
