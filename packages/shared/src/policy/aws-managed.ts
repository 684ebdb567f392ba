/** A policy that AWS publishes and every account has. */
export interface AwsManagedPolicy {
  readonly name: string
  readonly path: string
  readonly arn: string
  /** `v1`, …: what AWS's own was when its contents were taken over. */
  readonly versionId: string
  /** ISO 8601, UTC, as AWS shows them. */
  readonly createdAt: string
  readonly updatedAt: string
  /** JSON. */
  readonly document: string
}

interface Statement {
  readonly Sid?: string
  readonly Effect: 'Allow'
  readonly Action: string | readonly string[]
  readonly Resource: string | readonly string[]
  readonly Condition?: object
}

const LOGS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents']
const INTERFACES = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses'
]
const STREAM = ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams']
/** What the console shows beside functions. */
const AROUND_FUNCTIONS = [
  'cloudformation:DescribeStacks',
  'cloudformation:ListStackResources',
  'cloudwatch:GetMetricData',
  'cloudwatch:ListMetrics',
  'ec2:DescribeSecurityGroups',
  'ec2:DescribeSubnets',
  'ec2:DescribeVpcs',
  'iam:GetPolicy',
  'iam:GetPolicyVersion',
  'iam:GetRole',
  'iam:GetRolePolicy',
  'iam:ListAttachedRolePolicies',
  'iam:ListRolePolicies',
  'iam:ListRoles',
  'kms:ListAliases',
  'logs:DescribeLogGroups',
  'states:DescribeStateMachine',
  'states:ListStateMachines',
  'tag:GetResources',
  'xray:BatchGetTraces',
  'xray:GetTraceSummaries'
]
const LOGS_OF_FUNCTIONS = 'arn:aws:logs:*:*:log-group:/aws/lambda/*'

function allow(action: string | readonly string[], resource: string | readonly string[] = '*'): Statement {
  return { Effect: 'Allow', Action: action, Resource: resource }
}

function passedTo(key: string, action: string, resource: string): Statement {
  return { ...allow(action, resource), Condition: { StringEquals: { [key]: 'lambda.amazonaws.com' } } }
}

const SERVICE_ROLE = '/service-role/'

/**
 * Those that users and roles around Lambda are given. Without effect beyond the services that are here, but documents
 * are whole: tools read them.
 *
 * @see reference: IAM §3, and the policies as AWS publishes them
 */
const LIST: readonly AwsManagedPolicy[] = [
  published('AdministratorAccess', '/', 'v1', '2015-02-06T18:39:46Z', '2015-02-06T18:39:46Z', [allow('*')]),
  published('IAMFullAccess', '/', 'v2', '2015-02-06T18:40:38Z', '2019-06-21T19:40:00Z', [
    allow([
      'iam:*',
      'organizations:DescribeAccount',
      'organizations:DescribeOrganization',
      'organizations:DescribeOrganizationalUnit',
      'organizations:DescribePolicy',
      'organizations:ListChildren',
      'organizations:ListParents',
      'organizations:ListPoliciesForTarget',
      'organizations:ListRoots',
      'organizations:ListPolicies',
      'organizations:ListTargetsForPolicy'
    ])
  ]),
  published('IAMReadOnlyAccess', '/', 'v4', '2015-02-06T18:40:39Z', '2018-01-25T19:11:27Z', [
    allow([
      'iam:GenerateCredentialReport',
      'iam:GenerateServiceLastAccessedDetails',
      'iam:Get*',
      'iam:List*',
      'iam:SimulateCustomPolicy',
      'iam:SimulatePrincipalPolicy'
    ])
  ]),
  published('AWSLambda_FullAccess', '/', 'v7', '2020-11-17T21:14:08Z', '2026-02-12T18:00:51Z', [
    allow([...AROUND_FUNCTIONS, 'kms:DescribeKey', 'lambda:*']),
    passedTo('iam:PassedToService', 'iam:PassRole', '*'),
    allow(
      [
        'logs:DescribeLogStreams',
        'logs:GetLogEvents',
        'logs:FilterLogEvents',
        'logs:StartLiveTail',
        'logs:StopLiveTail'
      ],
      LOGS_OF_FUNCTIONS
    ),
    passedTo(
      'iam:AWSServiceName',
      'iam:CreateServiceLinkedRole',
      'arn:aws:iam::*:role/aws-service-role/lambda.amazonaws.com/AWSServiceRoleForLambda'
    )
  ]),
  published('AWSLambda_ReadOnlyAccess', '/', 'v5', '2020-11-17T21:10:32Z', '2026-02-12T18:02:55Z', [
    allow([...AROUND_FUNCTIONS, 'cloudformation:ListStacks', 'lambda:Get*', 'lambda:List*']),
    allow(
      [
        'logs:DescribeLogStreams',
        'logs:GetLogEvents',
        'logs:FilterLogEvents',
        'logs:StartQuery',
        'logs:StopQuery',
        'logs:DescribeQueries',
        'logs:GetLogGroupFields',
        'logs:GetLogRecord',
        'logs:GetQueryResults',
        'logs:StartLiveTail',
        'logs:StopLiveTail'
      ],
      LOGS_OF_FUNCTIONS
    )
  ]),
  published('AWSLambdaExecute', '/', 'v1', '2015-02-06T18:40:46Z', '2015-02-06T18:40:46Z', [
    allow('logs:*', 'arn:aws:logs:*:*:*'),
    allow(['s3:GetObject', 's3:PutObject'], 'arn:aws:s3:::*')
  ]),
  published('AWSLambdaInvocation-DynamoDB', '/', 'v1', '2015-02-06T18:40:47Z', '2015-02-06T18:40:47Z', [
    allow('lambda:InvokeFunction'),
    allow(STREAM)
  ]),
  published('AWSXRayDaemonWriteAccess', '/', 'v2', '2018-08-28T23:00:33Z', '2024-02-13T21:58:30Z', [
    {
      Sid: 'AWSXRayDaemonWriteAccess',
      ...allow([
        'xray:PutTraceSegments',
        'xray:PutTelemetryRecords',
        'xray:GetSamplingRules',
        'xray:GetSamplingTargets',
        'xray:GetSamplingStatisticSummaries'
      ])
    }
  ]),
  published('CloudWatchLambdaInsightsExecutionRolePolicy', '/', 'v1', '2020-10-07T19:27:06Z', '2020-10-07T19:27:06Z', [
    allow('logs:CreateLogGroup'),
    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], 'arn:aws:logs:*:*:log-group:/aws/lambda-insights:*')
  ]),
  published('AWSLambdaRole', SERVICE_ROLE, 'v1', '2015-02-06T18:41:28Z', '2015-02-06T18:41:28Z', [
    allow('lambda:InvokeFunction')
  ]),
  published('AWSLambdaBasicExecutionRole', SERVICE_ROLE, 'v1', '2015-04-09T15:03:43Z', '2015-04-09T15:03:43Z', [
    allow(LOGS)
  ]),
  published('AWSLambdaSQSQueueExecutionRole', SERVICE_ROLE, 'v1', '2018-06-14T21:50:45Z', '2018-06-14T21:50:45Z', [
    allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', ...LOGS])
  ]),
  published('AWSLambdaDynamoDBExecutionRole', SERVICE_ROLE, 'v1', '2015-04-09T15:09:29Z', '2015-04-09T15:09:29Z', [
    allow([...STREAM, ...LOGS])
  ]),
  published('AWSLambdaKinesisExecutionRole', SERVICE_ROLE, 'v2', '2015-04-09T15:14:16Z', '2018-11-19T20:09:24Z', [
    allow([
      'kinesis:DescribeStream',
      'kinesis:DescribeStreamSummary',
      'kinesis:GetRecords',
      'kinesis:GetShardIterator',
      'kinesis:ListShards',
      'kinesis:ListStreams',
      'kinesis:SubscribeToShard',
      ...LOGS
    ])
  ]),
  published('AWSLambdaMSKExecutionRole', SERVICE_ROLE, 'v2', '2020-08-11T17:35:05Z', '2022-08-02T20:08:02Z', [
    allow([
      'kafka:DescribeCluster',
      'kafka:DescribeClusterV2',
      'kafka:GetBootstrapBrokers',
      'ec2:CreateNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeVpcs',
      'ec2:DeleteNetworkInterface',
      'ec2:DescribeSubnets',
      'ec2:DescribeSecurityGroups',
      ...LOGS
    ])
  ]),
  published(
    'AWSLambdaBasicDurableExecutionRolePolicy',
    SERVICE_ROLE,
    'v3',
    '2025-12-02T15:04:12Z',
    '2026-02-12T18:01:44Z',
    [allow([...LOGS, 'lambda:CheckpointDurableExecution', 'lambda:GetDurableExecutionState'])]
  ),
  published('AWSLambdaVPCAccessExecutionRole', SERVICE_ROLE, 'v3', '2016-02-11T23:15:26Z', '2024-01-05T22:38:26Z', [
    { Sid: 'AWSLambdaVPCAccessExecutionPermissions', ...allow([...LOGS, 'ec2:DescribeSubnets', ...INTERFACES]) }
  ]),
  published('AWSLambdaENIManagementAccess', SERVICE_ROLE, 'v2', '2016-12-06T00:37:27Z', '2020-10-01T20:07:26Z', [
    allow(INTERFACES)
  ])
]

function published(
  name: string,
  path: string,
  versionId: string,
  createdAt: string,
  updatedAt: string,
  statements: readonly Statement[]
): AwsManagedPolicy {
  const document = JSON.stringify({ Version: '2012-10-17', Statement: statements })
  return { name, path, arn: `arn:aws:iam::aws:policy${path}${name}`, versionId, createdAt, updatedAt, document }
}

/** By ARN. */
export const AWS_MANAGED_POLICIES: ReadonlyMap<string, AwsManagedPolicy> = new Map(
  LIST.map((policy) => [policy.arn, policy])
)
