import {
  type ArnScope,
  compilePolicy,
  contextKeys,
  denialMessage,
  evaluate,
  HearthError,
  type Policies,
  type Policy,
  type PolicyKind,
  type PolicyRequest,
  parseCaller,
  parsePolicy,
  type Reason,
  type StatementTrace
} from '@hearth/shared'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import { bytesOf, parseJsonObject } from '../http/raw-bodies.ts'
import { SimulateAnswer, SimulateBody } from './policy-schemas.ts'

/** Policies, tried out. Mounted under `/v1/policies`. */
export const policyRoutes: FastifyPluginAsyncZod<{ readonly scope: ArnScope }> = async (app, { scope }) => {
  app.post(
    '/simulate',
    {
      preValidation: async (request) => {
        request.body = parseJsonObject(bytesOf(request)) as never
      },
      schema: {
        operationId: 'simulatePolicies',
        summary: 'Explain what policies decide',
        description:
          'Decides about one request by the policies that are sent along, and says of every statement whether it matches and, if not, why. Stores nothing and grants nothing.',
        tags: ['access'],
        body: SimulateBody,
        response: { 200: SimulateAnswer }
      }
    },
    async (request) => simulate(request.body, scope)
  )
}

function simulate(body: z.output<typeof SimulateBody>, scope: ArnScope): z.input<typeof SimulateAnswer> {
  const request = toRequest(body, scope)
  const statements: StatementTrace[] = []
  const decision = evaluate(toPolicies(body), request, (trace) => void statements.push(trace))
  return {
    decision: decision.allowed ? 'allowed' : decision.explicit ? 'explicitDeny' : 'implicitDeny',
    by: decision.by,
    statement: decision.reason === undefined ? null : toStatement(decision.reason),
    message: decision.allowed ? null : denialMessage(decision, request),
    statements: statements.map((trace) => ({
      ...toStatement(trace),
      effect: trace.effect,
      matches: trace.result.matches,
      because: trace.result.matches ? null : becauseOf(trace.result.because)
    }))
  }
}

function toRequest(body: z.output<typeof SimulateBody>, scope: ArnScope): PolicyRequest {
  const caller = parseCaller(body.caller, body.roleArn)
  if (caller === undefined) {
    throw new HearthError('INVALID_REQUEST', `'${body.caller}' is no caller.`, {
      errors: [{ path: 'body.caller', message: 'an ARN of a user, a root or a session, a service, or anonymous' }]
    })
  }
  const ofArn = /^\d{12}$/.exec(body.resource.split(':')[4] ?? '')?.[0]
  const home = caller.accountId === '' ? scope.accountId : caller.accountId
  return {
    caller,
    action: body.action,
    resource: body.resource,
    resourceAccount: body.resourceAccount ?? ofArn ?? home,
    keys: contextKeys(body.context)
  }
}

function toPolicies(body: z.output<typeof SimulateBody>): Policies {
  const { boundary, resourcePolicy } = body
  return {
    identity: body.identityPolicies.map((document, i) => read(document, 'identity', `identityPolicies[${i}]`)),
    session: body.sessionPolicies.map((document, i) => read(document, 'identity', `sessionPolicies[${i}]`)),
    ...(boundary === undefined ? {} : { boundary: read(boundary, 'identity', 'boundary') }),
    ...(resourcePolicy === undefined ? {} : { resource: read(resourcePolicy, 'resource', 'resourcePolicy') })
  }
}

/** A mistake is told with the name of the document that has it. */
function read(document: string | Record<string, unknown>, kind: PolicyKind, name: string): Policy {
  try {
    return typeof document === 'string' ? parsePolicy(document, kind, name) : compilePolicy(document, kind, name)
  } catch (err) {
    if (!(err instanceof HearthError) || err.code !== 'MALFORMED_POLICY') throw err
    throw new HearthError('MALFORMED_POLICY', `${name}: ${err.message}`, {
      errors: err.errors.map(({ path, message }) => ({ path: path.replace(/^document/, `body.${name}`), message }))
    })
  }
}

function toStatement({ policy, index, sid }: Reason) {
  return { policy, index, sid: sid ?? null }
}

function becauseOf(mismatch: string | { readonly condition: string }): string {
  return typeof mismatch === 'string' ? mismatch : `condition ${mismatch.condition}`
}
