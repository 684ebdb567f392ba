import type { IncomingMessage, ServerResponse } from 'node:http'
import { HearthError, toJsonError } from '@hearth/shared'
import type { Expectations } from './expectations.ts'
import type { Hallway } from './hallway.ts'
import { peerAddress } from './peer-address.ts'
import { judgeRefused, type Received, receive } from './reception.ts'
import { refuse, respond } from './respond.ts'

export interface AwsJsonRouteDeps {
  readonly hallway: Hallway
  readonly expectations: Expectations
  readonly isDraining: () => boolean
}

export interface AwsJsonOperation {
  /** The name that requests are signed for. */
  readonly service: string
  readonly bodyBytes: number
  /** @returns members of the answer. Asks for the caller's rights by itself. @throws HearthError */
  readonly serve: (received: Received, req: IncomingMessage) => Promise<object>
}

const TYPE = 'application/x-amz-json-1.1'

/** An operation of AWS's JSON protocol that the gateway serves and not the control plane. */
export function awsJsonRoute(
  { hallway, expectations, isDraining }: AwsJsonRouteDeps,
  { service, bodyBytes, serve }: AwsJsonOperation
) {
  const rules = { bodyBytes, services: [service] }
  const run = async (req: IncomingMessage, res: ServerResponse, id: string): Promise<void> => {
    if (isDraining()) throw new HearthError('SHUTTING_DOWN', 'The server is stopping.')
    const answer = await serve(await receive(hallway, expectations, req, res, id, rules), req)
    respond(res, 200, ['content-type', TYPE, 'x-amzn-requestid', id], JSON.stringify(answer))
  }
  return (req: IncomingMessage, res: ServerResponse, id: string): void => {
    run(req, res, id).catch((err: unknown) => {
      const { status, body } = toJsonError(judgeRefused(hallway, err, peerAddress(req), id))
      const headers = ['content-type', TYPE, 'x-amzn-errortype', body.__type, 'x-amzn-requestid', id]
      refuse(req, res, { status, headers, body: JSON.stringify(body) })
    })
  }
}
