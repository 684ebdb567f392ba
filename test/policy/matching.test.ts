// Reference: IAM §1.1–1.3. One line a case: what the policy says, what is asked, whether it matches.
import t from 'tap'
import { ACCOUNT, ADA, decide, document, FN, SESSION, statement } from './table.ts'

type Context = Readonly<Record<string, string | readonly string[]>>

t.test('actions', async (t) => {
  const cases: readonly (readonly [string | string[], string, boolean])[] = [
    ['lambda:InvokeFunction', 'lambda:InvokeFunction', true],
    ['LAMBDA:invokefunction', 'lambda:InvokeFunction', true],
    ['lambda:InvokeFunction', 'lambda:InvokeFunctionUrl', false],
    ['lambda:Invoke*', 'lambda:InvokeFunctionUrl', true],
    ['lambda:*', 'lambda:GetFunction', true],
    ['lambda:*', 'iam:GetRole', false],
    ['*', 'iam:GetRole', true],
    ['lambda:*Function', 'lambda:GetFunction', true],
    ['lambda:*Function', 'lambda:ListFunctions', false],
    ['lambda:Get?unction', 'lambda:GetFunction', true],
    ['lambda:Get?unction', 'lambda:Getunction', false],
    ['lambda:G*F*n', 'lambda:GetFunction', true],
    ['lambda:G*X*n', 'lambda:GetFunction', false],
    [['iam:GetRole', 'lambda:GetFunction'], 'lambda:GetFunction', true],
    [['iam:GetRole', 'iam:PassRole'], 'lambda:GetFunction', false],
    ['lambda:InvokeFunction*', 'lambda:InvokeFunction', true]
  ]
  for (const [action, asked, matches] of cases) {
    const identity = [document(statement({ Action: action }))]
    t.equal(decide({ identity, action: asked }).allowed, matches, `Action ${String(action)}: ${asked}`)
    const not = [document({ Effect: 'Allow', NotAction: action, Resource: '*' })]
    t.equal(decide({ identity: not, action: asked }).allowed, !matches, `NotAction ${String(action)}: ${asked}`)
  }
})

t.test('resources', async (t) => {
  const base = `arn:aws:lambda:us-east-1:${ACCOUNT}:function`
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['*', FN, true],
    ['*', '*', true],
    [FN, FN, true],
    [FN, '*', false],
    [FN, `${FN}:1`, false],
    [`${FN}:*`, `${FN}:1`, true],
    [`${FN}:*`, FN, false],
    [`${FN}*`, `${FN}:1`, true],
    [`${FN}*`, FN, true],
    [`${FN}*`, `${base}:foo`, true],
    [`${base}:F`, FN, false],
    [`${base}:?`, FN, true],
    [`${base}:?`, `${base}:fg`, false],
    [`arn:aws:lambda:*:${ACCOUNT}:function:f`, FN, true],
    [`arn:aws:lambda:*:function:f`.replace('*', '*:*'), FN, true],
    [`arn:*:*:*:*:*`, FN, true],
    [`arn:aws:lambda:us-*:${ACCOUNT}:function:f`, FN, true],
    [`arn:aws:lambda:eu-*:${ACCOUNT}:function:f`, FN, false],
    [`arn:aws:lambda:*:*:*`, FN, true],
    [`arn:aws:*:us-east-1:${ACCOUNT}:function:f`, FN, true],
    [`arn:aws:lamb*${ACCOUNT}:x:y:function:f`, FN, false],
    [`arn:aws:s3:::b/*`, 'arn:aws:s3:::b/dir/key', true],
    [`arn:aws:s3:::b/*`, 'arn:aws:s3:::b', false],
    [`arn:aws:s3:::b/*/k`, 'arn:aws:s3:::b/a/b/k', true],
    [`arn:aws:s3:::b/*/k`, 'arn:aws:s3:::b/k', false]
  ]
  for (const [pattern, resource, matches] of cases) {
    const identity = [document(statement({ Resource: pattern }))]
    t.equal(decide({ identity, resource }).allowed, matches, `Resource ${pattern}: ${resource}`)
    const not = [document({ Effect: 'Allow', Action: '*', NotResource: pattern })]
    t.equal(decide({ identity: not, resource }).allowed, !matches, `NotResource ${pattern}: ${resource}`)
  }
})

t.test('variables', async (t) => {
  const keys = { 'aws:username': 'ada', 'aws:PrincipalTag/team': 'blue', 'aws:TagKeys': ['a', 'b'], 'x:star': '*' }
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['${aws:username}', 'ada', true],
    ['${AWS:UserName}', 'ada', true],
    ['${aws:username}', 'bob', false],
    ['${aws:PrincipalTag/team}-*', 'blue-f', true],
    ["${aws:nothing, 'none'}", 'none', true],
    ["${aws:username, 'none'}", 'ada', true],
    ['${aws:nothing}', '', false],
    ['${aws:nothing}*', 'anything', false],
    ['${aws:TagKeys}', 'a', false],
    ['${*}', '*', true],
    ['${*}', 'x', false],
    ['${?}', 'x', false],
    ['${$}{x}', '${x}', true],
    ['${x:star}', 'x', false],
    ['${x:star}', '*', true]
  ]
  for (const [tail, name, matches] of cases) {
    const Resource = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${tail}`
    const resource = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`
    const identity = [document(statement({ Resource }))]
    t.equal(decide({ identity, resource, context: keys }).allowed, matches, `${tail} is ${name}`)
  }
  const old = [{ Statement: [statement({ Resource: `${FN}-\${aws:username}` })] }]
  t.notOk(decide({ identity: old, resource: `${FN}-ada`, context: keys }).allowed, 'of 2008: literal')
  t.ok(decide({ identity: old, resource: `${FN}-\${aws:username}`, context: keys }).allowed)
})

t.test('condition operators', async (t) => {
  const k = 'aws:k'
  const yes = (Condition: object, context: Context) => [Condition, context, true] as const
  const no = (Condition: object, context: Context) => [Condition, context, false] as const
  const cases = [
    yes({ StringEquals: { [k]: 'a' } }, { [k]: 'a' }),
    yes({ StringEquals: { 'AWS:K': 'a' } }, { [k]: 'a' }),
    no({ StringEquals: { [k]: 'a' } }, { [k]: 'A' }),
    yes({ StringEquals: { [k]: ['x', 'a'] } }, { [k]: 'a' }),
    no({ StringEquals: { [k]: 'a*' } }, { [k]: 'ab' }),
    no({ StringEquals: { [k]: 'a' } }, {}),
    no({ StringEquals: { [k]: [] } }, { [k]: 'a' }),
    yes({ StringNotEquals: { [k]: 'a' } }, { [k]: 'b' }),
    no({ StringNotEquals: { [k]: ['b', 'a'] } }, { [k]: 'a' }),
    yes({ StringNotEquals: { [k]: 'a' } }, {}),
    yes({ StringEqualsIgnoreCase: { [k]: 'aB' } }, { [k]: 'Ab' }),
    no({ StringNotEqualsIgnoreCase: { [k]: 'aB' } }, { [k]: 'Ab' }),
    yes({ StringLike: { [k]: 'a*c?' } }, { [k]: 'abbcd' }),
    no({ StringLike: { [k]: 'A*' } }, { [k]: 'abc' }),
    yes({ StringNotLike: { [k]: 'a*' } }, { [k]: 'b' }),
    yes({ StringLike: { [k]: '${aws:username}/*' } }, { [k]: 'ada/x', 'aws:username': 'ada' }),
    yes({ StringLike: { [k]: 'a${*}' } }, { [k]: 'a*' }),
    no({ StringLike: { [k]: 'a${*}' } }, { [k]: 'ab' }),
    yes({ NumericEquals: { [k]: 10 } }, { [k]: '10.0' }),
    yes({ NumericNotEquals: { [k]: '10' } }, { [k]: '11' }),
    no({ NumericEquals: { [k]: '10' } }, { [k]: 'ten' }),
    yes({ NumericLessThan: { [k]: '10' } }, { [k]: '9' }),
    no({ NumericLessThan: { [k]: '10' } }, { [k]: '10' }),
    yes({ NumericLessThanEquals: { [k]: '10' } }, { [k]: '10' }),
    yes({ NumericGreaterThan: { [k]: '9' } }, { [k]: '10' }),
    no({ NumericGreaterThan: { [k]: '10' } }, { [k]: '9' }),
    yes({ NumericGreaterThanEquals: { [k]: '-1e2' } }, { [k]: '-100' }),
    yes({ DateLessThan: { [k]: '2030-01-01T00:00:00Z' } }, { [k]: '2029-12-31T23:59:59Z' }),
    yes({ DateGreaterThan: { [k]: '2029-12-31' } }, { [k]: '2030-01-01T00:00:00Z' }),
    yes({ DateEquals: { [k]: '1893456000' } }, { [k]: '2030-01-01T00:00:00Z' }),
    yes({ DateEquals: { [k]: '2030-01-01T01:00:00+01:00' } }, { [k]: '2030-01-01T00:00:00' }),
    yes({ DateNotEquals: { [k]: '2030-01-01T00:00:00Z' } }, { [k]: '2030-01-01T00:00:01Z' }),
    yes({ DateLessThanEquals: { [k]: '2030-01-01T00:00:00Z' } }, { [k]: '1893456000' }),
    yes({ DateGreaterThanEquals: { [k]: 1893456000 } }, { [k]: '1893456000' }),
    no({ DateGreaterThan: { [k]: '2029-12-31' } }, { [k]: 'soon' }),
    yes({ Bool: { [k]: 'true' } }, { [k]: 'true' }),
    yes({ Bool: { [k]: true } }, { [k]: 'True' }),
    no({ Bool: { [k]: 'true' } }, { [k]: 'false' }),
    no({ Bool: { [k]: 'false' } }, {}),
    yes({ BinaryEquals: { [k]: 'QmluYXJ5' } }, { [k]: 'QmluYXJ5' }),
    no({ BinaryEquals: { [k]: 'QmluYXJ5' } }, { [k]: 'qmluyxj5' }),
    yes({ IpAddress: { [k]: '203.0.113.0/24' } }, { [k]: '203.0.113.77' }),
    no({ IpAddress: { [k]: '203.0.113.0/24' } }, { [k]: '203.0.114.1' }),
    yes({ IpAddress: { [k]: '203.0.113.9' } }, { [k]: '203.0.113.9' }),
    no({ IpAddress: { [k]: '203.0.113.9' } }, { [k]: '203.0.113.8' }),
    yes({ IpAddress: { [k]: '203.0.113.9' } }, { [k]: '::ffff:203.0.113.9' }),
    yes({ IpAddress: { [k]: '2001:db8::/32' } }, { [k]: '2001:DB8:1::1' }),
    no({ IpAddress: { [k]: '2001:db8::/32' } }, { [k]: '2001:db9::1' }),
    yes({ IpAddress: { [k]: '2001:db8::1:0:0:7' } }, { [k]: '2001:db8:0:0:1::7' }),
    yes({ IpAddress: { [k]: '2001:db8::/33' } }, { [k]: '2001:db8:7fff::1' }),
    no({ IpAddress: { [k]: '2001:db8::/33' } }, { [k]: '2001:db8:8000::1' }),
    yes({ IpAddress: { [k]: '64:ff9b::192.0.2.0/120' } }, { [k]: '64:ff9b::c000:2ff' }),
    yes({ IpAddress: { [k]: '0.0.0.0/0' } }, { [k]: '255.1.2.3' }),
    yes({ IpAddress: { [k]: '192.168.128.0/17' } }, { [k]: '192.168.255.1' }),
    no({ IpAddress: { [k]: '192.168.128.0/17' } }, { [k]: '192.168.127.255' }),
    yes({ IpAddress: { [k]: '::1' } }, { [k]: '::1' }),
    no({ IpAddress: { [k]: '::1' } }, { [k]: '::' }),
    no({ IpAddress: { [k]: 'fe80::/10' } }, { [k]: 'fe80::1%eth0' }),
    no({ IpAddress: { [k]: '::/0' } }, { [k]: '10.0.0.1' }),
    no({ IpAddress: { [k]: '10.0.0.0/8' } }, { [k]: 'nobody' }),
    yes({ NotIpAddress: { [k]: '203.0.113.0/24' } }, { [k]: '10.0.0.1' }),
    no({ NotIpAddress: { [k]: '203.0.113.0/24' } }, { [k]: '203.0.113.1' }),
    yes({ ArnEquals: { [k]: 'arn:aws:s3:::b*' } }, { [k]: 'arn:aws:s3:::bucket' }),
    yes({ ArnLike: { [k]: 'arn:aws:sns:*:1:t' } }, { [k]: 'arn:aws:sns:eu-west-1:1:t' }),
    no({ ArnLike: { [k]: 'arn:aws:s:*:1111:x/*' } }, { [k]: 'arn:aws:s:a:b:1111:x/y' }),
    yes({ StringLike: { [k]: 'arn:aws:s:*:1111:x/*' } }, { [k]: 'arn:aws:s:a:b:1111:x/y' }),
    no({ ArnLike: { [k]: 'not-an-arn*' } }, { [k]: 'not-an-arn-either' }),
    yes({ ArnNotEquals: { [k]: 'arn:aws:s3:::b' } }, { [k]: 'arn:aws:s3:::c' }),
    no({ ArnNotLike: { [k]: 'arn:aws:s3:::*' } }, { [k]: 'arn:aws:s3:::c' }),
    yes({ Null: { [k]: 'true' } }, {}),
    no({ Null: { [k]: 'true' } }, { [k]: 'a' }),
    yes({ Null: { [k]: false } }, { [k]: 'a' }),
    no({ Null: { [k]: 'false' } }, { [k]: '' }),
    no({ Null: { [k]: 'false' } }, { [k]: [] }),
    yes({ StringEqualsIfExists: { [k]: 'a' } }, {}),
    yes({ StringEqualsIfExists: { [k]: 'a' } }, { [k]: 'a' }),
    no({ StringEqualsIfExists: { [k]: 'a' } }, { [k]: 'b' }),
    yes({ BoolIfExists: { [k]: 'true' } }, {}),
    yes({ 'ForAllValues:StringEquals': { [k]: ['a', 'b', 'c'] } }, { [k]: ['a', 'b'] }),
    no({ 'ForAllValues:StringEquals': { [k]: ['a'] } }, { [k]: ['a', 'b'] }),
    yes({ 'ForAllValues:StringEquals': { [k]: ['a'] } }, {}),
    yes({ 'ForAllValues:StringNotEquals': { [k]: ['x'] } }, { [k]: ['a', 'b'] }),
    no({ 'ForAllValues:StringNotEquals': { [k]: ['a'] } }, { [k]: ['a', 'b'] }),
    yes({ 'ForAnyValue:StringEquals': { [k]: ['b'] } }, { [k]: ['a', 'b'] }),
    no({ 'ForAnyValue:StringEquals': { [k]: ['c'] } }, { [k]: ['a', 'b'] }),
    no({ 'ForAnyValue:StringEquals': { [k]: ['a'] } }, {}),
    yes({ 'ForAnyValue:StringNotEquals': { [k]: ['a'] } }, { [k]: ['a', 'b'] }),
    no({ 'ForAnyValue:StringNotEquals': { [k]: ['a', 'b'] } }, { [k]: ['a', 'b'] }),
    no({ 'ForAnyValue:StringNotEquals': { [k]: ['a'] } }, {}),
    yes({ 'ForAnyValue:StringEqualsIfExists': { [k]: ['a'] } }, {}),
    yes({ 'ForAllValues:StringLike': { [k]: 'team-*' } }, { [k]: ['team-a', 'team-b'] }),
    yes({ StringEquals: { [k]: 'a', 'aws:l': 'b' } }, { [k]: 'a', 'aws:l': 'b' }),
    no({ StringEquals: { [k]: 'a', 'aws:l': 'b' } }, { [k]: 'a', 'aws:l': 'c' }),
    no({ StringEquals: { [k]: 'a' }, Bool: { 'aws:l': 'true' } }, { [k]: 'a', 'aws:l': 'false' }),
    yes({}, {})
  ]
  for (const [Condition, context, matches] of cases) {
    const identity = [document(statement({ Condition }))]
    const name = `${JSON.stringify(Condition)} with ${JSON.stringify(context)}`
    t.equal(decide({ identity, context }).allowed, matches, name)
    const deny = [document(statement({})), document(statement({ Effect: 'Deny', Condition }))]
    t.equal(decide({ identity: deny, context }).allowed, !matches, `deny: ${name}`)
  }
})

t.test('principals', async (t) => {
  const s3 = 's3.amazonaws.com'
  const other = 'arn:aws:iam::444455556666:user/ada'
  const cases: readonly (readonly [unknown, string, boolean])[] = [
    ['*', 'anonymous', true],
    [{ AWS: '*' }, 'anonymous', true],
    ['*', ADA, true],
    ['*', s3, true],
    [{ AWS: '*' }, s3, false],
    [{ Service: s3 }, s3, true],
    [{ Service: ['sns.amazonaws.com', s3] }, s3, true],
    [{ Service: 'sns.amazonaws.com' }, s3, false],
    [{ Service: s3 }, ADA, false],
    [{ AWS: ADA }, ADA, true],
    [{ AWS: [other, ADA] }, ADA, true],
    [{ AWS: other }, ADA, false],
    [{ AWS: SESSION }, SESSION, true],
    [{ AWS: `arn:aws:iam::${ACCOUNT}:role/worker` }, SESSION, true],
    [{ AWS: `arn:aws:iam::${ACCOUNT}:role/other` }, SESSION, false],
    [{ AWS: `${SESSION}2` }, SESSION, false],
    [{ AWS: ACCOUNT }, ADA, false],
    [{ AWS: `arn:aws:iam::${ACCOUNT}:root` }, ADA, false],
    [{ AWS: ACCOUNT }, 'anonymous', false],
    [{ AWS: 'AIDAJQABLZS4A3QDU576Q' }, ADA, false],
    [{ Federated: 'cognito-identity.amazonaws.com' }, ADA, false]
  ]
  for (const [Principal, caller, matches] of cases) {
    const policy = document(statement({ Principal, Resource: FN }))
    t.equal(decide({ policy, caller }).allowed, matches, `${JSON.stringify(Principal)}: ${caller}`)
  }
  const not = { Effect: 'Deny', NotPrincipal: { AWS: ADA }, Action: '*', Resource: '*' }
  const open = document(statement({ Principal: '*' }), not)
  t.ok(decide({ policy: open }).allowed, 'whom NotPrincipal names is spared')
  t.notOk(decide({ policy: open, caller: SESSION }).allowed, 'others are not')
})

t.test('a pattern made to run for hours takes no time', async (t) => {
  const name = 'a'.repeat(140)
  const Resource = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${'a*'.repeat(60)}b`
  const startedAt = performance.now()
  const resource = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`
  t.notOk(decide({ identity: [document(statement({ Resource }))], resource }).allowed)
  t.ok(performance.now() - startedAt < 1_000)
})
