import { HearthError } from '@hearth/shared'

export function noGroup(): HearthError {
  return new HearthError('LOG_GROUP_NOT_FOUND', 'The specified log group does not exist.')
}

export function noStream(): HearthError {
  return new HearthError('RESOURCE_NOT_FOUND', 'The specified log stream does not exist.')
}

/** @param message - AWS's */
export function invalid(message: string): HearthError {
  return new HearthError('VALIDATION_FAILED', message, { awsCode: 'InvalidParameterException' })
}

export function limitExceeded(): HearthError {
  return new HearthError('LIMIT_EXCEEDED', 'Resource limit exceeded.')
}
