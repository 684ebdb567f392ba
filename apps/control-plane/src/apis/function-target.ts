import { type ArnScope, functionArn, HearthError, parseFunctionRef } from '@hearth/shared'
import { badRequest, unsupported } from './refusals.ts'

export interface FunctionTargets {
  /**
   * The function that an integration or an authorizer leads to.
   *
   * @param uri - Its ARN, or API Gateway's path to it
   * @returns its ARN, with the qualifier
   * @throws HearthError INVALID_REQUEST, UNSUPPORTED_FEATURE
   */
  functionIn(uri: string, member: string): string
}

/** `arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations` */
const PATH = /^arn:aws[a-z-]*:apigateway:([a-z0-9-]+):lambda:path\/(?:2015-03-31\/)?functions\/(.+)\/invocations$/

export function createFunctionTargets(
  scope: ArnScope,
  exists: (name: string, qualifier: string | undefined) => boolean
): FunctionTargets {
  return {
    functionIn(uri, member) {
      const path = PATH.exec(uri)
      if (path !== null && path[1] !== scope.region) {
        throw badRequest(
          `Invalid function in ${member}: region ${path[1]} is not this server's, ${scope.region}.`,
          member
        )
      }
      const arn = path?.[2] ?? uri
      if (arn.includes('${')) {
        throw unsupported(`${member} cannot have stage variables: name one function, or an alias of it.`, member)
      }
      if (!/^arn:aws[a-z-]*:lambda:/.test(arn)) {
        throw unsupported(
          `${member} must be the ARN of a Lambda function, or arn:aws:apigateway:${scope.region}:lambda:path/2015-03-31/functions/{its ARN}/invocations. Other targets are not in this release.`,
          member
        )
      }
      const { name, qualifier } = read(scope, arn, member)
      const latest = qualifier === '$LATEST' ? undefined : qualifier
      if (!exists(name, latest)) {
        throw badRequest(`Invalid function in ${member}: there is no ${functionArn(scope, name, latest)}.`, member)
      }
      return functionArn(scope, name, latest)
    }
  }
}

function read(scope: ArnScope, arn: string, member: string) {
  try {
    return parseFunctionRef(scope, arn)
  } catch (cause) {
    if (!(cause instanceof HearthError)) throw cause
    const why = cause.message === '' ? 'it is of another account.' : cause.message
    throw badRequest(`Invalid function in ${member}: ${why}`, member)
  }
}
