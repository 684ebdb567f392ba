import {
  type ArnScope,
  contextKeys,
  LOAD_BALANCER_LIMITS,
  LOAD_BALANCER_SERVICE,
  type LoadBalancer,
  parseFunctionRef,
  targetGroupArn
} from '@hearth/shared'
import type { Call, Door } from '../../call.ts'
import type { Hallway } from '../../hallway.ts'
import { payloadTooLarge } from '../../refusal.ts'
import { isOwnKey } from '../../url-door.ts'
import { toAlbEvent } from './alb-event.ts'
import { albHeaders, albPage } from './alb-pages.ts'
import { toAlbResponse } from './alb-response.ts'
import type { TargetCounts } from './target-counts.ts'

export interface AlbDoorOptions {
  readonly hallway: Hallway
  readonly scope: ArnScope
  /** Number of the route in the metrics. */
  readonly route: number
  readonly loadBalancer: LoadBalancer
  readonly functionArn: string
  /** What stands in the path before the function's own: `''`, `/lb/name`. */
  readonly prefix: string
  /** Headers that every answer has besides. Flat. */
  readonly beside: readonly string[]
  readonly counts: TargetCounts
}

/**
 * One function behind a load balancer: HTTP in, an ALB's event, and HTTP out of what the function returns. Whatever is wrong
 * behind it, the function's error, its time-out, no room for it or no right to call it, is 502 to the client, as on AWS.
 */
export function createAlbDoor(options: AlbDoorOptions): Door {
  const { hallway, scope, loadBalancer, prefix, beside, counts } = options
  const { multiValueHeaders } = loadBalancer
  const group = targetGroupArn(scope, loadBalancer.name, loadBalancer.id)
  const { name, qualifier } = parseFunctionRef(scope, options.functionArn)
  const keys = contextKeys({ 'aws:SourceArn': group, 'aws:SourceAccount': scope.accountId })

  const fail = (call: Call, why: string): void => {
    counts.failed({ requestId: call.requestId, functionArn: options.functionArn, message: why })
    call.respond(502, [...albHeaders(call.requestId), ...beside], albPage(502))
  }

  return {
    dialect: 'alb',
    route: options.route,
    jsonOnly: false,
    takesKeys: false,
    isOpen: true,
    trigger: 'http',

    enter(call, body) {
      const { req } = call
      if (body.length > LOAD_BALANCER_LIMITS.bodyBytes) {
        throw payloadTooLarge(body.length, LOAD_BALANCER_LIMITS.bodyBytes)
      }
      const entry = hallway.directory.find(name, qualifier)
      if (entry === undefined || entry.record.state === 'Failed') {
        fail(call, `Function not found: ${options.functionArn}`)
        return
      }
      const wish = { action: 'lambda:InvokeFunction', resource: entry.invokedArn, resourcePolicy: entry.policy, keys }
      if (!hallway.access.mayService(LOAD_BALANCER_SERVICE, undefined, wish, call)) {
        fail(call, 'The function does not let the load balancer in.')
        return
      }
      const { traces } = hallway
      call.traceId = traces.ofCaller(call.requestId, req.headers)
      const url = req.url!
      const mark = url.indexOf('?')
      const path = mark === -1 ? url.slice(prefix.length) : url.slice(prefix.length, mark)
      const event = toAlbEvent({
        method: req.method!,
        path: path === '' ? '/' : path,
        query: mark === -1 ? '' : url.slice(mark + 1),
        rawHeaders: req.rawHeaders,
        body,
        sourceIp: call.sourceIp ?? '',
        port: req.socket.localPort ?? 0,
        // Beside a client's own there is one that says where the request came in.
        traceId: req.headers['x-amzn-trace-id'] === undefined ? call.traceId : traces.ofCaller(call.requestId, {}),
        w3c: traces.w3c(call.traceId, req.headers),
        targetGroupArn: group,
        multiValueHeaders,
        authorization: !isOwnKey(hallway, req.headers.authorization)
      })
      counts.called()
      call.run(entry, Buffer.from(event), entry.invokedArn)
    },

    answer(call, outcome) {
      if (outcome.status !== 'ok') {
        fail(call, outcome.errorType === '' ? outcome.status : outcome.errorType)
        return
      }
      const response = toAlbResponse(outcome.payload, multiValueHeaders)
      if (response === undefined) {
        fail(call, 'The function returned no response that can be sent.')
        return
      }
      const { status, reason, headers, body } = response
      if (reason !== undefined) call.res.statusMessage = reason
      headers.push('x-amzn-requestid', call.requestId, ...beside)
      call.respond(status, headers, status === 204 || status === 304 ? '' : body)
    }
  }
}
