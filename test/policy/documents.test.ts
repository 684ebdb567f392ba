// What is no policy, and where it says so.
import { HearthError, type PolicyKind, parsePolicy, policySize } from '@hearth/shared'
import t from 'tap'

const S = '{"Effect":"Allow","Action":"lambda:*","Resource":"*"}'
const of = (statement: string) => `{"Version":"2012-10-17","Statement":${statement}}`

const cases: readonly (readonly [string, PolicyKind, string, string | RegExp, RegExp?])[] = [
  ['empty', 'identity', '', /Line 1, column 1/],
  ['cut off', 'identity', '{"Statement":[', /Line 1, column 15: no valid JSON/],
  ['YAML', 'identity', 'Statement: []', /no valid JSON/],
  ['single quotes', 'identity', "{'Statement':[]}", /no valid JSON/],
  [
    'a key twice',
    'identity',
    of('{"Effect":"Deny",\n "Effect":"Allow","Action":"*","Resource":"*"}'),
    /Line 2, column 2: a key that stands twice/
  ],
  ['nested without end', 'identity', `{"Statement":${'['.repeat(60_000)}`, /Line 1, column 101\d: no valid JSON/],
  [
    'nested without end, closed',
    'identity',
    `{"Statement":${'['.repeat(60_000)}${']'.repeat(60_000)}}`,
    /no valid JSON/
  ],
  ['a long string', 'identity', `{"Statement":"${'a'.repeat(5_000_000)}"}`, /./],
  ['an array', 'identity', '[]', /A policy is a JSON object/],
  ['a number', 'identity', '7', /A policy is a JSON object/],
  ['no statement', 'identity', '{"Version":"2012-10-17"}', /Missing required field Statement/],
  ['no statements', 'identity', of('[]'), /at least one statement/],
  [
    'unknown version',
    'identity',
    `{"Version":"2020-01-01","Statement":${S}}`,
    /Version: The policy must have the version/
  ],
  ['unknown member', 'identity', `{"Statment":${S}}`, /Unknown field Statment/],
  ['unknown member of a statement', 'identity', of('[{"Effects":"Allow"}]'), /Statement\[0\]\.Effects: Unknown field/],
  ['no effect', 'identity', of('{"Action":"*","Resource":"*"}'), /Statement\.Effect: Effect must be/],
  [
    'effect in lower case',
    'identity',
    of('{"Effect":"allow","Action":"*","Resource":"*"}'),
    /Effect must be Allow or Deny/
  ],
  ['no action', 'identity', of('{"Effect":"Allow","Resource":"*"}'), /Missing required field Action/],
  [
    'both actions',
    'identity',
    of('{"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"}'),
    /Only one of Action and NotAction/
  ],
  [
    'no vendor',
    'identity',
    of('{"Effect":"Allow","Action":"Invoke","Resource":"*"}'),
    /prefaced by a vendor: 'Invoke'/
  ],
  ['wildcard as vendor', 'identity', of('{"Effect":"Allow","Action":"*:Get","Resource":"*"}'), /prefaced by a vendor/],
  [
    'action no string',
    'identity',
    of('{"Effect":"Allow","Action":[7],"Resource":"*"}'),
    /Statement\.Action: Every value must be a string/
  ],
  ['no actions', 'identity', of('{"Effect":"Allow","Action":[],"Resource":"*"}'), /The list must not be empty/],
  ['no resource', 'identity', of('{"Effect":"Allow","Action":"*"}'), /Missing required field Resource/],
  [
    'no ARN',
    'identity',
    of('{"Effect":"Allow","Action":"*","Resource":"bucket"}'),
    /Resource bucket must be in ARN format or "\*"\./
  ],
  ['half an ARN', 'identity', of('{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3*"}'), /must be in ARN format/],
  [
    'principal in an identity policy',
    'identity',
    of('{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}'),
    /should not specify a principal/
  ],
  ['Id in an identity policy', 'identity', `{"Id":"x","Statement":${S}}`, /Unknown field Id/],
  ['no principal', 'resource', of(S), /Missing required field Principal/],
  [
    'unknown principal',
    'resource',
    of('{"Effect":"Allow","Action":"*","Resource":"*","Principal":{"AWS":"ada"}}'),
    /Principal\.AWS: Invalid principal in policy: "AWS":"ada"/
  ],
  [
    'part of a principal',
    'resource',
    of('{"Effect":"Allow","Action":"*","Resource":"*","Principal":{"AWS":"arn:aws:iam::111122223333:role/*"}}'),
    /Invalid principal/
  ],
  [
    'unknown kind',
    'resource',
    of('{"Effect":"Allow","Action":"*","Resource":"*","Principal":{"Robot":"x"}}'),
    /Invalid principal/
  ],
  [
    'empty principal',
    'resource',
    of('{"Effect":"Allow","Action":"*","Resource":"*","Principal":{}}'),
    /cannot be empty/
  ],
  [
    'allow all but',
    'resource',
    of('{"Effect":"Allow","Action":"*","Resource":"*","NotPrincipal":{"AWS":"111122223333"}}'),
    /Allow with NotPrincipal/
  ],
  [
    'resource in a trust policy',
    'trust',
    of('{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*","Principal":"*"}'),
    /Has prohibited field Resource/
  ],
  [
    'sid twice',
    'identity',
    of(
      '[{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"*","Resource":"*"}]'
    ),
    /Statement\[1\]\.Sid: .*must be unique/
  ],
  [
    'sid with blanks',
    'identity',
    of('{"Sid":"a b","Effect":"Allow","Action":"*","Resource":"*"}'),
    /must be alpha-numeric/
  ],
  [
    'unknown operator',
    'identity',
    of('{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEqual":{"aws:k":"a"}}}'),
    /Statement\.Condition\.StringEqual\.aws:k: Invalid Condition type : StringEqual\./
  ],
  [
    'operator in lower case',
    'identity',
    of('{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"stringequals":{"aws:k":"a"}}}'),
    /Invalid Condition type/
  ],
  [
    'Null of a set',
    'identity',
    of('{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAnyValue:Null":{"aws:k":"true"}}}'),
    /Invalid Condition type/
  ],
  [
    'no number',
    'identity',
    of('{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"aws:k":"ten"}}}'),
    /'ten' is not a value for NumericEquals/
  ],
  [
    'no date',
    'identity',
    of('{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateEquals":{"aws:k":"soon"}}}'),
    /'soon' is not a value/
  ],
  [
    'no address',
    'identity',
    of('{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:k":"10.0.0.0/33"}}}'),
    /'10.0.0.0\/33' is not a value/
  ],
  [
    'no boolean',
    'identity',
    of('{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:k":"yes"}}}'),
    /'yes' is not a value for Bool/
  ],
  [
    'Null of something',
    'identity',
    of('{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":{"aws:k":"x"}}}'),
    /Null takes true or false/
  ],
  [
    'condition value an object',
    'identity',
    of('{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:k":{}}}}'),
    /string, a number or a boolean/
  ],
  [
    'characters of elsewhere',
    'identity',
    of('{"Sid":"","Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:k":"\u{1f525}"}}}'),
    /characters that policies may not have/
  ],
  ['megabytes', 'identity', `${of(S)}${' '.repeat(200_000)}`, /more than 131072 characters/]
]

for (const [name, kind, text, message] of cases) {
  t.test(`refused: ${name}`, async (t) => {
    try {
      parsePolicy(text, kind, 'p')
      t.fail('it was taken')
    } catch (err) {
      t.ok(err instanceof HearthError && err.code === 'MALFORMED_POLICY', String(err))
      t.match((err as Error).message, message)
    }
  })
}

t.test('what is in order is taken', async (t) => {
  t.equal(parsePolicy(of(S), 'identity', 'p').statements.length, 1)
  t.equal(parsePolicy(of(`[${S},${S}]`), 'identity', 'p').statements.length, 2)
  t.equal(parsePolicy(`{"Statement":${S}}`, 'identity', 'p').statements[0]!.effect, 'Allow')
  t.equal(
    parsePolicy(
      of('{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}'),
      'trust',
      'p'
    ).kind,
    'trust'
  )
  t.equal(policySize('{ "a" :\n\t"b c" }'), 10, 'white space is not counted')
})
