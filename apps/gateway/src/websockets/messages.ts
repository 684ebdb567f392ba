import type { Traces } from '../tracing/traces.ts'
import type { SocketConnection } from './connection.ts'
import type { IntegrationResult, Integrations } from './integrations.ts'
import type { PublishedSockets, SocketRoute, SocketStage } from './published-sockets.ts'
import { memberAt } from './selection-expression.ts'
import { socketError } from './socket-error.ts'
import { toMessageEvent } from './socket-event.ts'
import { newSocketId } from './socket-id.ts'

/** Most that is sent to a client in one message. Source: API Gateway quotas, WebSocket payload. */
export const MESSAGE_BYTES = 131_072

const NO_HEADERS = {}

export interface MessagesOptions {
  /** As of now. */
  readonly published: () => PublishedSockets | undefined
  readonly integrations: Integrations
  readonly traces: Traces
  readonly newRequestId: () => string
  /** Unix time in ms. */
  readonly now: () => number
}

/** Takes a client's messages to functions and, where the route says so, their answers back. */
export type RunMessage = (connection: SocketConnection, data: Buffer, isBinary: boolean, done: () => void) => void

export function createMessages({ published, integrations, traces, newRequestId, now }: MessagesOptions): RunMessage {
  return (connection, data, isBinary, done) => {
    const stage = published()?.find(connection.apiId, connection.stage)
    if (stage === undefined) {
      connection.close(1001, 'Going away')
      done()
      return
    }
    const requestId = newSocketId()
    const text = isBinary ? undefined : data.toString()
    const found = routeOf(stage, connection, text)
    if (found === undefined) {
      reply(connection, socketError('Forbidden', connection.connectionId, requestId))
      done()
      return
    }
    if (found.throttle?.take(now()) === false) {
      reply(connection, socketError('Too Many Requests', connection.connectionId, requestId))
      done()
      return
    }
    const event = toMessageEvent(
      connection,
      { requestId, at: now(), stageVariables: stage.stage.variables },
      {
        routeKey: found.route.key,
        messageId: newSocketId(),
        body: text ?? data.toString('base64'),
        isBinary
      }
    )
    // Each message is a trace of its own: a connection may last for hours.
    const trace = {
      header: traces.ofVisitor(newRequestId(), NO_HEADERS),
      ...traces.originOf(NO_HEADERS),
      ...(connection.link === undefined ? {} : { links: [connection.link] })
    }
    integrations.run(found, event, trace, (result) => {
      answer(connection, found, requestId, result)
      done()
    })
  }
}

/** What a message chooses; names that begin with `$` are no client's to choose. */
export function routeOf(
  stage: SocketStage,
  connection: Pick<SocketConnection, 'apiId' | 'connectionId' | 'domainName' | 'stage'>,
  text: string | undefined
): SocketRoute | undefined {
  const body = text === undefined ? undefined : parse(text)
  const key = stage.select({
    read([source, ...path]) {
      if (source === 'request') return path[0] === 'body' ? memberAt(body, path.slice(1)) : undefined
      if (source === 'stageVariables') return memberAt(stage.stage.variables, path)
      if (source !== 'context') return undefined
      const { apiId, connectionId, domainName } = connection
      return memberAt({ apiId, connectionId, domainName, stage: connection.stage }, path)
    }
  })
  const chosen = key === undefined || key.startsWith('$') ? undefined : stage.routes.get(key)
  return chosen ?? stage.routes.get('$default')
}

function answer(
  connection: SocketConnection,
  { route }: SocketRoute,
  requestId: string,
  result: IntegrationResult
): void {
  if (!result.ok) {
    reply(connection, socketError(result.message, connection.connectionId, requestId))
    return
  }
  const { body } = result.answer
  if (route.responseSelectionExpression === undefined || body === undefined) return
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  if (bytes <= MESSAGE_BYTES) reply(connection, body)
  else reply(connection, socketError('Internal server error', connection.connectionId, requestId))
}

/** A client that sends and does not read is not kept. */
function reply(connection: SocketConnection, body: string | Buffer): void {
  if (connection.send(body, typeof body !== 'string') === 'full') connection.close(1013, 'Try again later')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
