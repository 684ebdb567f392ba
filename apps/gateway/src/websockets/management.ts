import { isUtf8 } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ArnScope, executeApiArn, HearthError, toAwsError } from '@hearth/shared'
import type { Hallway } from '../hallway.ts'
import { peerAddress } from '../peer-address.ts'
import { judgeRefused, receive } from '../reception.ts'
import { refuse, respond } from '../respond.ts'
import type { SocketConnection } from './connection.ts'
import { MESSAGE_BYTES } from './messages.ts'
import { CONNECTION_ID } from './socket-id.ts'

export interface ManagementOptions {
  readonly hallway: Pick<
    Hallway,
    'directory' | 'authenticator' | 'access' | 'backoff' | 'metrics' | 'onBug' | 'expectations' | 'now'
  >
  readonly scope: ArnScope
  readonly find: (connectionId: string) => SocketConnection | undefined
}

/** Which API's connections a request is about; undefined: the path does not say, as ids are of the whole server. */
export interface ManagedStage {
  readonly apiId: string
  readonly stage: string
}

/** `…/@connections/{id}`: what is behind the stage, or the whole path. */
const PATH = /^\/@connections\/([^/]+)$/
const METHODS = ['POST', 'GET', 'DELETE']

/** Whether a path, behind its stage, is one of connection management. */
export function isManagement(rest: string): boolean {
  return PATH.test(rest)
}

/**
 * API Gateway's Management API: PostToConnection, GetConnection, DeleteConnection.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
 */
export type ManageConnection = (
  req: IncomingMessage,
  res: ServerResponse,
  requestId: string,
  rest: string,
  stage: ManagedStage | undefined
) => void

export function createManagement({ hallway, scope, find }: ManagementOptions): ManageConnection {
  const { metrics, now } = hallway
  const number = metrics.route('/@connections/:id')

  const serve = async (
    req: IncomingMessage,
    res: ServerResponse,
    requestId: string,
    rest: string,
    stage: ManagedStage | undefined
  ): Promise<void> => {
    const method = req.method ?? ''
    const bodyBytes = method === 'POST' ? MESSAGE_BYTES : undefined
    const rules = { bodyBytes, services: ['execute-api'] }
    const { principal, facts, body } = await receive(hallway, hallway.expectations, req, res, requestId, rules)
    if (!METHODS.includes(method)) throw new HearthError('METHOD_NOT_ALLOWED', 'POST, GET or DELETE.')
    const id = connectionIdOf(rest)
    const connection = find(id)
    // Without a stage in the path only a connection says what is asked about.
    const about = stage ?? connection
    if (about === undefined) throw gone()
    const resource = executeApiArn(scope, about.apiId, about.stage, `${method}/@connections/${id}`)
    hallway.access.require(principal, { action: 'execute-api:ManageConnections', resource }, facts)
    if (connection === undefined || connection.apiId !== about.apiId || connection.stage !== about.stage) throw gone()
    if (method === 'POST') post(connection, body)
    else if (method === 'DELETE') connection.close(1000, 'Connection closed by the API')
    const answer = method === 'GET' ? JSON.stringify(describe(connection)) : ''
    const headers = ['x-amzn-requestid', requestId, ...(answer === '' ? [] : ['content-type', 'application/json'])]
    respond(res, method === 'DELETE' ? 204 : 200, headers, answer)
  }

  return (req, res, requestId, rest, stage) => {
    const startedAt = now()
    res.on('close', () => {
      const code = res.headersSent ? res.statusCode : 499
      metrics.answered(number, req.method ?? '', code, (now() - startedAt) / 1_000)
    })
    serve(req, res, requestId, rest, stage).catch((err: unknown) => {
      const { status, type, body } = toAwsError(judgeRefused(hallway, err, peerAddress(req), requestId))
      const told = type === 'RequestEntityTooLargeException' ? 'PayloadTooLargeException' : type
      const message = told === type ? (body['message'] ?? body['Message']) : 'Message too long'
      refuse(req, res, {
        status,
        headers: ['content-type', 'application/json', 'x-amzn-errortype', told, 'x-amzn-requestid', requestId],
        body: JSON.stringify({ message })
      })
    })
  }
}

function connectionIdOf(rest: string): string {
  const [, raw = ''] = PATH.exec(rest) ?? []
  let id = raw
  try {
    id = decodeURIComponent(raw)
  } catch {
    // Refused below.
  }
  if (!CONNECTION_ID.test(id)) {
    throw new HearthError('INVALID_REQUEST', 'Invalid connectionId', { awsCode: 'BadRequestException' })
  }
  return id
}

function post(connection: SocketConnection, body: Buffer): void {
  const result = connection.send(body, !isUtf8(body))
  if (result === 'gone') throw gone()
  if (result === 'full') {
    throw new HearthError(
      'CONNECTION_BACKLOGGED',
      'The client is sending more than the allowed number of requests per unit of time or the WebSocket client side buffer is full.'
    )
  }
}

function describe({ connectedAt, lastActiveAt, sourceIp, userAgent }: SocketConnection) {
  return {
    connectedAt: new Date(connectedAt).toISOString(),
    identity: { sourceIp, userAgent: userAgent ?? '' },
    lastActiveAt: new Date(lastActiveAt).toISOString()
  }
}

function gone(): HearthError {
  return new HearthError('CONNECTION_GONE', 'Gone')
}
