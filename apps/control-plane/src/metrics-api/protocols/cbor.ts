import { HearthError } from '@hearth/shared'
import { decode, encode, objectToTokens, Token, Type } from 'cborg'
import type { FastifyError, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { fromFramework, logRefusal } from '../../http/error-responses.ts'
import { BODY_BYTES, wholeBody } from '../../http/inflate.ts'
import { StringMap } from '../../query/xml.ts'
import { toMonitoringFailure } from '../errors.ts'
import type { MonitoringDeps } from '../operation.ts'
import { MONITORING } from '../registry.ts'
import { runOperation } from './calls.ts'

/** CloudWatch by Smithy RPC v2 with CBOR. */
export const monitoringCbor: FastifyPluginAsync<{ readonly deps: MonitoringDeps }> = async (app, { deps }) => {
  app.setErrorHandler<FastifyError>((thrown, request, reply) => {
    const err = fromFramework(thrown, request)
    logRefusal(err, request)
    const { status, queryError, body } = toMonitoringFailure(err)
    return send(request, reply.code(status).header('x-amzn-query-error', queryError), body)
  })

  app.route<{ Params: { operation: string } }>({
    method: 'POST',
    url: `/service/${MONITORING.target}/operation/:operation`,
    config: { signedFor: () => [MONITORING.name], action: 'in-route' },
    schema: { hide: true },
    bodyLimit: BODY_BYTES,
    handler: async (request, reply) => {
      if (request.headers['smithy-protocol'] !== 'rpc-v2-cbor') {
        throw new HearthError('INVALID_REQUEST', 'The header smithy-protocol must be rpc-v2-cbor.')
      }
      const members = membersOf(await wholeBody(request))
      return send(request, reply, await runOperation(request, request.params.operation, members, deps))
    }
  })
}

function send(request: FastifyRequest, reply: FastifyReply, body: object): FastifyReply {
  return reply
    .header('x-amzn-requestid', request.id)
    .header('smithy-protocol', 'rpc-v2-cbor')
    .header('content-type', 'application/cbor')
    .serializer((value: Buffer) => value as unknown as string)
    .send(toCbor(body))
}

/** Tag 1 is a time in seconds. */
const TAGS = { 1: (content: () => unknown) => new Date(Number(content()) * 1_000) }

function membersOf(bytes: Buffer): Readonly<Record<string, unknown>> {
  if (bytes.length === 0) return {}
  let value: unknown
  try {
    value = decode(bytes, { tags: TAGS, rejectDuplicateMapKeys: true, allowBigInt: false })
  } catch {
    throw new HearthError('INVALID_PAYLOAD', 'The body is not CBOR.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HearthError('INVALID_PAYLOAD', 'The body is not a CBOR map.')
  }
  return value as Readonly<Record<string, unknown>>
}

/** Numbers of the API model that are integers; all others are floating point, whatever their value. */
const INTEGERS = new Set([
  'Period',
  'EvaluationPeriods',
  'DatapointsToAlarm',
  'ActionsSuppressorWaitPeriod',
  'ActionsSuppressorExtensionPeriod'
])

type Tokens = ReturnType<typeof objectToTokens>
type Encoders = NonNullable<NonNullable<Parameters<typeof encode>[1]>['typeEncoders']>

const ENCODERS: Encoders = {
  Date: (value: Date): Tokens => [new Token(Type.tag, 1), new Token(Type.float, value.getTime() / 1_000)],
  Array(list: readonly unknown[], _type, options): Tokens | null {
    if (typeof list[0] !== 'number') return null
    const items = list.map((item) => (typeof item === 'number' ? float(item) : objectToTokens(item, options)))
    return [new Token(Type.array, list.length), items]
  },
  Object(members: Readonly<Record<string, unknown>>, _type, options): Tokens {
    const entries = Object.entries(members instanceof StringMap ? members.toJSON() : members).filter(
      ([, value]) => value !== undefined
    )
    const pairs = entries.map(([name, value]) => [
      new Token(Type.string, name),
      typeof value === 'number' && !INTEGERS.has(name) ? float(value) : objectToTokens(value, options)
    ])
    return [new Token(Type.map, entries.length), pairs]
  }
}

function float(value: number): Token {
  return new Token(Type.float, value)
}

function toCbor(body: object): Buffer {
  return Buffer.from(encode(body, { float64: true, typeEncoders: ENCODERS }))
}
