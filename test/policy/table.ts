import { compilePolicy, contextKeys, type Decision, evaluate, type Policies, parseCaller } from '@hearth/shared'

export const ACCOUNT = '111122223333'
export const OTHER = '444455556666'
export const ADA = `arn:aws:iam::${ACCOUNT}:user/ada`
export const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/worker/run`
export const WORKER = `arn:aws:iam::${ACCOUNT}:role/worker`
export const FN = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:f`

export type Document = Readonly<Record<string, unknown>>

/** What a case is about; the rest is an Invoke of f by ada. */
export interface Case {
  readonly caller?: string
  readonly action?: string
  readonly resource?: string
  readonly context?: Readonly<Record<string, string | readonly string[]>>
  readonly identity?: readonly Document[]
  readonly boundary?: Document
  readonly session?: readonly Document[]
  readonly policy?: Document
}

export function statement(members: Document): Document {
  return { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: '*', ...members }
}

/** Version 2012. */
export function document(...statements: Document[]): Document {
  return { Version: '2012-10-17', Statement: statements }
}

export function decide(given: Case): Decision {
  const resource = given.resource ?? FN
  const policies: Policies = {
    identity: (given.identity ?? []).map((d, i) => compilePolicy(d, 'identity', `identity${i}`)),
    ...(given.boundary === undefined ? {} : { boundary: compilePolicy(given.boundary, 'identity', 'boundary') }),
    ...(given.session === undefined
      ? {}
      : { session: given.session.map((d, i) => compilePolicy(d, 'identity', `session${i}`)) }),
    ...(given.policy === undefined ? {} : { resource: compilePolicy(given.policy, 'resource', 'resource') })
  }
  return evaluate(policies, {
    caller: parseCaller(given.caller ?? ADA)!,
    action: given.action ?? 'lambda:InvokeFunction',
    resource,
    resourceAccount: resource.split(':')[4] || ACCOUNT,
    keys: contextKeys(given.context ?? {})
  })
}

/** `allowed`, or which kind of deny, and by what. */
export function told(decision: Decision): string {
  if (decision.allowed) return `allowed by ${decision.by}`
  return `${decision.explicit ? 'explicit' : 'implicit'} deny by ${decision.by}`
}
