import { HearthError } from '@hearth/shared'

// API Gateway's exceptions.

/** @param member - Where in the request it is, for /v1 */
export function badRequest(message: string, member?: string): HearthError {
  return new HearthError('INVALID_REQUEST', message, {
    awsCode: 'BadRequestException',
    ...(member === undefined ? {} : { errors: [{ path: `body.${member}`, message }] })
  })
}

/** There is one already. */
export function conflict(message: string): HearthError {
  return new HearthError('RESOURCE_EXISTS', message, { awsCode: 'ConflictException' })
}

/** Something still points to it. */
export function inUse(message: string): HearthError {
  return new HearthError('RESOURCE_IN_USE', message, { awsCode: 'ConflictException' })
}

export function notFound(message: string): HearthError {
  return new HearthError('RESOURCE_NOT_FOUND', message, { awsCode: 'NotFoundException' })
}

/** @param what - `Routes for this API` */
export function tooMany(what: string, limit: number): HearthError {
  return new HearthError('LIMIT_EXCEEDED', `Maximum number of ${what} has been reached: ${limit}.`, {
    awsCode: 'TooManyRequestsException',
    awsStatus: 429
  })
}

/** What API Gateway has and this server has not, or not yet. */
export function unsupported(message: string, member?: string): HearthError {
  return new HearthError('UNSUPPORTED_FEATURE', message, {
    awsCode: 'BadRequestException',
    ...(member === undefined ? {} : { errors: [{ path: `body.${member}`, message }] })
  })
}
