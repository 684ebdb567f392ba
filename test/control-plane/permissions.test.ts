// Resource policies of functions, through the AWS API and /v1.
import { parsePolicy } from '@hearth/shared'
import t from 'tap'
import { ACCOUNT, ARN, ROLE, SOURCE, startControlPlane, zipOf } from './support.ts'

const FN = `${ARN}:function:f`

async function startWithFunction(t: Parameters<typeof startControlPlane>[0]) {
  const plane = await startControlPlane(t)
  const ZipFile = (await zipOf({ 'index.mjs': SOURCE })).toString('base64')
  const created = await plane.aws('POST', '/functions', {
    FunctionName: 'f',
    Runtime: 'nodejs20.x',
    Role: ROLE,
    Handler: 'index.handler',
    Code: { ZipFile },
    Publish: true
  })
  t.equal(created.statusCode, 201, created.body)
  const alias = await plane.aws('POST', '/functions/f/aliases', { Name: 'live', FunctionVersion: '1' })
  t.equal(alias.statusCode, 201, alias.body)
  const add = (members: object, query = '') =>
    plane.aws('POST', `/functions/f/policy${query}`, {
      StatementId: 's',
      Action: 'lambda:InvokeFunction',
      Principal: 's3.amazonaws.com',
      ...members
    })
  return { ...plane, add }
}

t.test('statements are made as AWS makes them', async (t) => {
  const { add, aws } = await startWithFunction(t)
  const cases: readonly (readonly [string, object, object])[] = [
    ['service', {}, { Principal: { Service: 's3.amazonaws.com' } }],
    [
      'regional',
      { Principal: 'logs.us-east-1.amazonaws.com' },
      { Principal: { Service: 'logs.us-east-1.amazonaws.com' } }
    ],
    ['alexa', { Principal: 'alexa-appkit.amazon.com' }, { Principal: { Service: 'alexa-appkit.amazon.com' } }],
    ['account', { Principal: ACCOUNT }, { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } }],
    ['arn', { Principal: `arn:aws:iam::${ACCOUNT}:role/r` }, { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/r` } }],
    ['everybody', { Principal: '*', Action: 'lambda:*' }, { Principal: '*', Action: 'lambda:*' }],
    [
      'source',
      { SourceArn: 'arn:aws:s3:::b', SourceAccount: ACCOUNT },
      { Condition: { StringEquals: { 'AWS:SourceAccount': ACCOUNT }, ArnLike: { 'AWS:SourceArn': 'arn:aws:s3:::b' } } }
    ],
    [
      'url',
      { Principal: '*', Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'NONE' },
      { Condition: { StringEquals: { 'lambda:FunctionUrlAuthType': 'NONE' } } }
    ],
    ['via', { InvokedViaFunctionUrl: true }, { Condition: { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } } }],
    [
      'org',
      { PrincipalOrgID: 'o-abcdefghij' },
      { Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-abcdefghij' } } }
    ],
    ['token', { EventSourceToken: 't.1' }, { Condition: { StringEquals: { 'lambda:EventSourceToken': 't.1' } } }]
  ]
  for (const [StatementId, members, expected] of cases) {
    const answer = await add({ StatementId, ...members })
    t.equal(answer.statusCode, 201, `${StatementId}: ${answer.body}`)
    const statement = JSON.parse(answer.json<{ Statement: string }>().Statement) as object
    t.match(statement, { Sid: StatementId, Effect: 'Allow', Resource: FN, ...expected }, StatementId)
  }
  const policy = (await aws('GET', '/functions/f/policy')).json<{ Policy: string; RevisionId: string }>()
  t.match(JSON.parse(policy.Policy), { Version: '2012-10-17', Id: 'default' })
  t.equal(parsePolicy(policy.Policy, 'resource', 'f').statements.length, cases.length, 'and can be decided by')
})

t.test('function, version and alias have a policy each, which goes when they go', async (t) => {
  const { add, aws, get } = await startWithFunction(t)
  const resourceOf = async (query: string) => {
    const { Policy } = (await aws('GET', `/functions/f/policy${query}`)).json<{ Policy: string }>()
    return (JSON.parse(Policy) as { Statement: { Resource: string }[] }).Statement.map(({ Resource }) => Resource)
  }
  for (const query of ['', '?Qualifier=1', '?Qualifier=live']) t.equal((await add({}, query)).statusCode, 201, query)
  t.strictSame(await resourceOf(''), [FN])
  t.strictSame(await resourceOf('?Qualifier=1'), [`${FN}:1`])
  t.strictSame(await resourceOf('?Qualifier=live'), [`${FN}:live`])

  t.equal((await aws('DELETE', '/functions/f/aliases/live')).statusCode, 204)
  t.equal((await aws('GET', '/functions/f/policy?Qualifier=live')).statusCode, 404)
  await aws('POST', '/functions/f/aliases', { Name: 'live', FunctionVersion: '1' })
  t.equal((await aws('GET', '/functions/f/policy?Qualifier=live')).statusCode, 404, 'nor has the next of the name')

  t.equal((await aws('DELETE', '/functions/f/policy/s')).statusCode, 204)
  t.equal((await aws('GET', '/functions/f/policy')).statusCode, 404, 'the last statement was the policy')
  t.strictSame((await get('/v1/functions/f/permissions')).json(), { items: [], revisionId: null })

  await add({})
  t.equal((await aws('DELETE', '/functions/f')).statusCode, 204)
  const again = await startWithFunction(t)
  t.equal((await again.aws('GET', '/functions/f/policy')).statusCode, 404)
  t.equal((await aws('GET', '/functions/f/policy?Qualifier=1')).statusCode, 404)
})

t.test('the same through /v1', async (t) => {
  const { inject, get, aws } = await startWithFunction(t)
  const added = await inject({
    method: 'POST',
    url: '/v1/functions/f/permissions?qualifier=live',
    payload: { statementId: 'bucket', principal: 's3.amazonaws.com', sourceArn: 'arn:aws:s3:::b' }
  })
  t.equal(added.statusCode, 201, added.body)
  const { statement, revisionId } = added.json<{ statement: object; revisionId: string }>()
  t.match(statement, { Sid: 'bucket', Action: 'lambda:InvokeFunction', Resource: `${FN}:live` })
  t.strictSame((await get('/v1/functions/f/permissions?qualifier=live')).json(), { items: [statement], revisionId })
  t.equal(
    (await aws('GET', '/functions/f/policy?Qualifier=live')).json<{ RevisionId: string }>().RevisionId,
    revisionId
  )
  const remove = () => inject({ method: 'DELETE', url: '/v1/functions/f/permissions/bucket?qualifier=live' })
  t.equal((await remove()).statusCode, 204)
  t.equal((await remove()).statusCode, 404)
  t.equal((await get('/v1/functions/absent/permissions')).statusCode, 404)
})

t.test('bad input', async (t) => {
  const { add, aws } = await startWithFunction(t)
  await add({})
  const { RevisionId } = (await aws('GET', '/functions/f/policy')).json<{ RevisionId: string }>()
  const cases: readonly (readonly [string, ReturnType<typeof aws>, number, RegExp])[] = [
    ['the same id', add({}), 409, /The statement id \(s\) provided already exists\. Please provide a new statement id/],
    ['$LATEST', add({}, '?Qualifier=$LATEST'), 400, /We currently do not support adding policies for \$LATEST\./],
    [
      'no principal',
      add({ StatementId: 'x', Principal: 'arn:aws:iam::1:user/u' }),
      400,
      /The provided principal was invalid/
    ],
    ...['foo', 'S3.amazonaws.com', 'evil.example', 'amazonaws.com', 'x.amazonaws.com.example', '12345678901'].map(
      (Principal): (typeof cases)[number] => [
        Principal,
        add({ StatementId: 'x', Principal }),
        400,
        /The provided principal was invalid\. Please check the principal and try again\./
      ]
    ),
    [
      'blank principal',
      add({ StatementId: 'x', Principal: 'a b' }),
      400,
      /at 'principal' failed to satisfy constraint/
    ],
    ['action', add({ StatementId: 'x', Action: 's3:GetObject' }), 400, /at 'action' failed to satisfy constraint/],
    ['id', add({ StatementId: 'a b' }), 400, /at 'statementId' failed to satisfy constraint/],
    ['account', add({ StatementId: 'x', SourceAccount: '1' }), 400, /at 'sourceAccount' failed/],
    ['missing version', add({ StatementId: 'x' }, '?Qualifier=7'), 404, /Function not found: .*:function:f:7/],
    ['missing alias', add({ StatementId: 'x' }, '?Qualifier=no'), 404, /Cannot find alias arn: .*:function:f:no/],
    ['stale revision', add({ StatementId: 'x', RevisionId: 'old' }), 412, /Call the GetPolicy API to retrieve/],
    ['unknown statement', aws('DELETE', '/functions/f/policy/y'), 404, /Statement y is not found in resource policy\./],
    ['stale removal', aws('DELETE', '/functions/f/policy/s?RevisionId=old'), 412, /Call the GetPolicy API/],
    ['no policy', aws('DELETE', '/functions/f/policy/s?Qualifier=live'), 404, /No policy is associated with the given/],
    ['no function', aws('DELETE', '/functions/absent/policy/s'), 404, /No policy found for: .*:function:absent/],
    ['policy of nothing', aws('GET', '/functions/absent/policy'), 404, /The resource you requested does not exist\./]
  ]
  for (const [name, pending, status, message] of cases) {
    const answer = await pending
    t.equal(answer.statusCode, status, name)
    const body = answer.json<{ message?: string; Message?: string }>()
    t.match(body.message ?? body.Message ?? '', message, name)
  }
  const after = (await aws('GET', '/functions/f/policy')).json<{ Policy: string; RevisionId: string }>()
  t.equal(after.RevisionId, RevisionId, 'nothing has changed')

  let last = 201
  for (let i = 0; last === 201; i++) {
    const answer = await add({ StatementId: `${i}-${'x'.repeat(90)}`, SourceArn: `arn:aws:s3:::${'b'.repeat(1_000)}` })
    last = answer.statusCode
    if (last !== 201) t.match(answer.body, /The final policy size \(\d+\) is bigger than the limit \(20480\)/)
  }
  t.equal(last, 400)
  t.equal(
    (
      await add({
        StatementId: 'right',
        RevisionId: (await aws('GET', '/functions/f/policy')).json<{ RevisionId: string }>().RevisionId
      })
    ).statusCode,
    201
  )
})
