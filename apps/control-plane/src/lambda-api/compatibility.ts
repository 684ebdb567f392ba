import { API_GATEWAY_OPERATIONS } from '../apis/api-gateway.ts'
import { UNSERVED } from '../apis/unserved-operations.ts'
import { EVENTS } from '../events/registry.ts'
import { IAM } from '../iam/registry.ts'
import { LOGS } from '../logs/registry.ts'
import { MONITORING } from '../metrics-api/registry.ts'
import { SCHEDULER_OPERATIONS } from '../scheduler/scheduler-api.ts'
import { SECRETS_MANAGER } from '../secrets-manager/registry.ts'
import { SSM } from '../ssm/registry.ts'
import { API_AREAS, GATEWAY_OPERATIONS } from './catalogue.ts'
import { MEMBERS, type MemberSupport } from './members.ts'
import { OPERATIONS } from './registry.ts'

const STATUS: Readonly<Record<MemberSupport['status'], string>> = {
  works: 'works',
  partly: 'partly',
  shown: 'kept and shown, without effect',
  refused: 'refused'
}

/** Served by the gateway. */
const PUT_EVENTS: { readonly name: string; readonly note?: string } = {
  name: 'PutEvents',
  note: 'an entry for a bus that is not there is refused; `EndpointId` is not looked at'
}

/** The same. */
const PUT_LOG_EVENTS: typeof PUT_EVENTS = { name: 'PutLogEvents', note: '`entity` is not looked at' }

/** The text of docs/aws-compatibility.md. */
export function compatibilityDocument(): string {
  const rows = API_AREAS.flatMap(({ operations }) => Object.keys(operations))
  const working = rows.filter((name) => statusOf(name, undefined)[0] === 'works')
  return [
    '# Compatibility with AWS',
    '',
    'Written from the code by `node apps/control-plane/scripts/write-compatibility.mjs`; a test compares it.',
    '',
    `The Lambda API has ${rows.length} operations. ${working.length} work here. The others answer status 501 with`,
    '`NotImplementedException` and a message that names the operation and what is missing. SDKs show that message and do not',
    'retry it; it cannot be mistaken for a function that is not there.',
    '',
    'Members that cannot be honoured are refused with `InvalidParameterValueException` and a reason, never dropped. Their',
    'empty forms, which deploy tools send without meaning them, are taken.',
    '',
    'In every API a `Marker` or `NextToken` is good for the list and filters that gave it out, with any size of pages.',
    '',
    '## Operations',
    ...API_AREAS.flatMap(({ title, missing, operations }) => [
      '',
      `### ${title}`,
      '',
      '| Operation | Request | Status | Remarks |',
      '|---|---|---|---|',
      ...Object.entries(operations).map(([name, request]) => {
        const [status, remarks] = statusOf(name, missing)
        return `| ${name} | \`${request}\` | ${status} | ${sentence(remarks)} |`
      })
    ]),
    '',
    '## Members of functions',
    '',
    'Of CreateFunction, UpdateFunctionConfiguration and UpdateFunctionCode.',
    '',
    '| Member | Status | Remarks |',
    '|---|---|---|',
    ...Object.entries(MEMBERS).map(([name, { status, note }]) => `| ${name} | ${STATUS[status]} | ${sentence(note)} |`),
    '',
    '## IAM',
    '',
    `The query protocol at \`/\`, version ${IAM.version}. These ${IAM.operations.length} operations work; others answer \`InvalidAction\`.`,
    '',
    '| Operation | Remarks |',
    '|---|---|',
    ...byName(IAM.operations),
    ...jsonService('Secrets Manager', SECRETS_MANAGER),
    ...jsonService('Parameter Store', SSM),
    ...jsonService('CloudWatch Logs', { ...LOGS, operations: [...LOGS.operations, PUT_LOG_EVENTS] }),
    '',
    '## EventBridge',
    '',
    'The JSON protocol at `/`. Others answer `UnknownOperationException`. See [events](events.md).',
    '',
    '| Operation | Remarks |',
    '|---|---|',
    ...byName([...EVENTS.operations, PUT_EVENTS]),
    '',
    '## CloudWatch metrics',
    '',
    'Smithy RPC v2 with CBOR, AWS JSON 1.0 and the query protocol. Others answer `UnknownOperationException` or',
    '`InvalidAction`. See [metrics](metrics.md).',
    '',
    '| Operation | Remarks |',
    '|---|---|',
    ...byName(MONITORING.operations),
    '',
    '## EventBridge Scheduler',
    '',
    'The REST API at its own paths. Targets are functions. See [schedules](schedules.md).',
    '',
    SCHEDULER_OPERATIONS.map((name) => `\`${name}\``).join(', '),
    '',
    '## API Gateway: HTTP and WebSocket APIs',
    '',
    `The REST API of its second version at \`/v2\`. These ${API_GATEWAY_OPERATIONS.length} operations work; those below the table answer`,
    '`NotImplementedException`. Members that cannot be honoured are refused with `BadRequestException`. See [HTTP APIs](http-apis.md).',
    '',
    '| Operation | Remarks |',
    '|---|---|',
    ...byName(API_GATEWAY_OPERATIONS),
    '',
    ...UNSERVED.map(({ missing, operations }) => `- ${Object.keys(operations).join(', ')}: ${missing}.`),
    ''
  ].join('\n')
}

interface Named {
  readonly name: string
  readonly note?: string
}

function byName(operations: readonly Named[]): readonly string[] {
  return [...operations]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, note }) => `| ${name} | ${sentence(note)} |`)
}

function jsonService(
  title: string,
  service: {
    readonly target: string
    readonly operations: readonly Named[]
    readonly unserved: Readonly<Record<string, string>>
  }
): readonly string[] {
  const { target, operations, unserved } = service
  return [
    '',
    `## ${title}`,
    '',
    `The JSON protocol at \`/\`, \`X-Amz-Target: ${target}.…\`. These ${operations.length} operations work; others answer`,
    '`UnknownOperationException`, and those below the table `NotImplementedException`.',
    '',
    '| Operation | Remarks |',
    '|---|---|',
    ...byName(operations),
    '',
    ...Object.entries(unserved).map(([name, missing]) => `- ${name}: ${missing}.`)
  ]
}

function statusOf(name: string, missing: string | undefined): readonly [status: string, remarks: string | undefined] {
  const gateway = GATEWAY_OPERATIONS[name]
  if (gateway !== undefined) return ['works', gateway]
  const operation = OPERATIONS.find((candidate) => candidate.name === name)
  return operation === undefined ? ['not supported', missing] : ['works', operation.note]
}

function sentence(text: string | undefined): string {
  return text === undefined ? '' : `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}.`
}
