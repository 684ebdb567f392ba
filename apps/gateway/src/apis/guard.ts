import type { IncomingMessage } from 'node:http'
import type { Api, ApiAuthorizer, ApiRoute, ApiStage, Principal } from '@hearth/shared'

/** A request for a route, or for a connection, before it is let in. */
export interface GuardedRequest {
  readonly req: IncomingMessage
  readonly requestId: string
  readonly traceId: string
  readonly api: Api
  readonly stage: ApiStage
  readonly route: ApiRoute
  /** Undefined: the route has none. */
  readonly authorizer: ApiAuthorizer | undefined
  /** Without the stage; decoded, as the route was found by it and functions get it: not to be decoded again. */
  readonly path: string
  readonly rawQuery: string
  readonly pathParameters: Readonly<Record<string, string>> | undefined
  readonly domainName: string
  readonly sourceIp: string
  /** WebSocket: of the connection that is asked for. */
  readonly connectionId: string | undefined
}

/** What becomes of it. */
export type Verdict =
  | {
      readonly isAllowed: true
      /** `requestContext.authorizer` of the event, in the form of the payload format; undefined: nobody was asked. */
      readonly authorizer: AuthorizerContext | undefined
      /**
       * Whose API key it came with, for `requestContext.identity`; only on routes that ask for one. The key itself, in
       * the header `x-api-key`, is not for the function.
       */
      readonly apiKeyId?: string | undefined
    }
  | {
      readonly isAllowed: false
      /** 401: nobody is known; 403: somebody may not; 429: too many; 500: the authorizer failed. */
      readonly status: 401 | 403 | 429 | 500
      readonly message: string
      /** Flat: name, value, … */
      readonly headers?: readonly string[]
    }

/** Who was let in. */
export type AuthorizerContext =
  | {
      readonly kind: 'jwt'
      readonly claims: Readonly<Record<string, string>>
      readonly scopes: readonly string[] | null
    }
  | {
      readonly kind: 'lambda'
      readonly principalId: string | undefined
      readonly context: Readonly<Record<string, unknown>>
    }
  | { readonly kind: 'iam'; readonly principal: Principal }

/** Lets requests in to routes, or not: JWT and Lambda authorizers, API keys, rates. */
export interface Guard {
  /** Calls `done` once, at once where nobody has to be asked. Never throws. */
  check(request: GuardedRequest, done: (verdict: Verdict) => void): void
}
