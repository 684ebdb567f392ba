import { type FunctionRef, parseFunctionRef } from '@hearth/shared'
import { z } from 'zod'
import { clause, validationFailed } from './constraints.ts'
import type { LambdaApiDeps, OperationCall } from './operation.ts'

/** Source: Lambda service model, types FunctionUrlFunctionName and FunctionUrlQualifier. */
const FUNCTION_NAME =
  '(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]{1,64})(:((?!\\d+$)[0-9a-zA-Z-_]+))?'
const QUALIFIER = '((?!^\\d+$)^[0-9a-zA-Z-_]+$)'

const Cors = z.object({
  AllowCredentials: z.boolean().nullish(),
  AllowHeaders: z.array(z.string().max(1_024)).max(100).nullish(),
  AllowMethods: z.array(z.string().max(6)).max(6).nullish(),
  AllowOrigins: z.array(z.string().min(1).max(253)).max(100).nullish(),
  ExposeHeaders: z.array(z.string().max(1_024)).max(100).nullish(),
  MaxAge: z.number().int().min(0).max(86_400).nullish()
})
export type Cors = z.infer<typeof Cors>

const AuthType = z.enum(['NONE', 'AWS_IAM'])
const InvokeMode = z.enum(['BUFFERED', 'RESPONSE_STREAM']).nullish()

export const CreateFunctionUrlConfigRequest = z.object({ AuthType, Cors: Cors.nullish(), InvokeMode })
export const UpdateFunctionUrlConfigRequest = z.object({
  AuthType: AuthType.nullish(),
  Cors: Cors.nullish(),
  InvokeMode
})

/**
 * The function or alias whose URL a call is about: not a version's number, and not `$LATEST`.
 *
 * @throws HearthError VALIDATION_FAILED and what parseFunctionRef throws
 */
export function urlTargetOf(call: OperationCall, { scope }: LambdaApiDeps): FunctionRef {
  const name = call.params['name'] ?? ''
  const given = call.query['Qualifier']
  const qualifier = typeof given === 'string' && given !== '' ? given : undefined
  const clauses: string[] = []
  if (!new RegExp(`^${FUNCTION_NAME}$`).test(name)) {
    clauses.push(clause(name, ['FunctionName'], `Member must satisfy regular expression pattern: ${FUNCTION_NAME}`))
  }
  if (qualifier !== undefined && qualifier.length > 128) {
    clauses.push(clause(qualifier, ['Qualifier'], 'Member must have length less than or equal to 128'))
  }
  if (qualifier !== undefined && !new RegExp(QUALIFIER).test(qualifier)) {
    clauses.push(clause(qualifier, ['Qualifier'], `Member must satisfy regular expression pattern: ${QUALIFIER}`))
  }
  if (clauses.length > 0) throw validationFailed(clauses)
  return parseFunctionRef(scope, name, qualifier)
}
