// POST /v1/policies/simulate: a decision, statement by statement.
import t from 'tap'
import { ARN, startControlPlane } from './support.ts'

const ADA = 'arn:aws:iam::000000000000:user/ada'
const FN = `${ARN}:function:f`
const allow = { Sid: 'invoke', Effect: 'Allow', Action: 'lambda:Invoke*', Resource: `${FN}*` }
const deny = {
  Effect: 'Deny',
  Action: '*',
  Resource: '*',
  Condition: { NotIpAddress: { 'aws:SourceIp': '192.0.2.0/24' } }
}

interface Explained {
  readonly decision: string
  readonly statement: { readonly index: number } | null
  readonly message: string | null
}

t.test('a decision is explained', async (t) => {
  const { inject } = await startControlPlane(t)
  const simulate = async (members: object) =>
    await inject({
      method: 'POST',
      url: '/v1/policies/simulate',
      payload: { caller: ADA, action: 'lambda:InvokeFunction', resource: FN, ...members }
    })
  const explain = async (members: object) => (await simulate(members)).json<Explained>()
  const identityPolicies = [{ Version: '2012-10-17', Statement: [allow, deny] }]

  const inside = await simulate({ identityPolicies, context: { 'aws:SourceIp': '192.0.2.7' } })
  t.equal(inside.statusCode, 200, inside.body)
  t.strictSame(inside.json(), {
    decision: 'allowed',
    by: 'identity',
    statement: { policy: 'identityPolicies[0]', index: 0, sid: 'invoke' },
    message: null,
    statements: [
      { policy: 'identityPolicies[0]', index: 0, sid: 'invoke', effect: 'Allow', matches: true, because: null },
      {
        policy: 'identityPolicies[0]',
        index: 1,
        sid: null,
        effect: 'Deny',
        matches: false,
        because: 'condition NotIpAddress aws:SourceIp'
      }
    ]
  })

  const outside = await explain({ identityPolicies, context: { 'aws:SourceIp': '198.51.100.1' } })
  t.equal(outside.decision, 'explicitDeny')
  t.equal(outside.statement?.index, 1)
  t.equal(
    outside.message,
    `User: ${ADA} is not authorized to perform: lambda:InvokeFunction on resource: ${FN} with an explicit deny in an identity-based policy`
  )

  const bare = await explain({})
  t.match(bare, { decision: 'implicitDeny', by: 'identity', statement: null, statements: [] })

  const text = JSON.stringify({ Statement: { ...allow, Sid: 'x', Principal: { Service: 's3.amazonaws.com' } } })
  const service = await explain({ caller: 's3.amazonaws.com', resourcePolicy: text })
  t.match(service, { decision: 'allowed', by: 'resource', statement: { policy: 'resourcePolicy', sid: 'x' } })
})

t.test('mistakes are told with their place', async (t) => {
  const { inject } = await startControlPlane(t)
  const base = { caller: ADA, action: 'lambda:InvokeFunction', resource: FN }
  const cases: readonly (readonly [string, object, RegExp, string?])[] = [
    ['caller', { ...base, caller: 'ada' }, /'ada' is no caller/, 'body.caller'],
    ['action', { ...base, action: 'Invoke' }, /./, 'body.action'],
    ['unknown member', { ...base, extra: 1 }, /./],
    [
      'statement',
      { ...base, identityPolicies: [{ Statement: [{ ...allow, Effect: 'allow' }] }] },
      /identityPolicies\[0\]: Statement\[0\]\.Effect: Effect must be Allow or Deny/,
      'body.identityPolicies[0].Statement[0].Effect'
    ],
    ['text', { ...base, boundary: '{"Statement":[\n}' }, /boundary: Line 2, column 1: no valid JSON/],
    ['nested without end', { ...base, boundary: `${'['.repeat(60_000)}${']'.repeat(60_000)}` }, /no valid JSON/],
    ['too many', { ...base, identityPolicies: Array.from({ length: 21 }, () => ({})) }, /./]
  ]
  for (const [name, payload, detail, path] of cases) {
    const answer = await inject({ method: 'POST', url: '/v1/policies/simulate', payload })
    t.equal(answer.statusCode, 400, name)
    t.match(answer.json().detail, detail, name)
    if (path !== undefined) t.equal(answer.json().errors[0].path, path, name)
  }
})
