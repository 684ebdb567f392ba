import type { ArnScope } from './arn.ts'
import { HearthError } from './errors.ts'

const REGION = '(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}'
const LAYER_ARN = `arn:(aws[a-zA-Z-]*)?:lambda:${REGION}:\\d{12}:layer:[a-zA-Z0-9-_]+`

/** Source: Lambda service model, type LayerName: a bare name or a layer's ARN. */
export const LAYER_NAME_PATTERN = `(${LAYER_ARN})|[a-zA-Z0-9-_]+`
/** Source: Lambda service model, type LayerVersionArn. */
export const LAYER_VERSION_ARN_PATTERN = `(${LAYER_ARN}:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)`
/** Bare names of layers. */
export const LAYER_NAME = /^[a-zA-Z0-9-_]{1,140}$/

export interface LayerVersionRef {
  readonly region: string
  readonly accountId: string
  readonly name: string
  readonly version: number
}

export function layerArn(scope: ArnScope, name: string): string {
  return `arn:aws:lambda:${scope.region}:${scope.accountId}:layer:${name}`
}

export function layerVersionArn(scope: ArnScope, name: string, version: number): string {
  return `${layerArn(scope, name)}:${version}`
}

/**
 * Reads a layer's bare name or ARN, as AWS takes it in a path.
 *
 * @returns the bare name
 * @throws HearthError VALIDATION_FAILED, LAYER_NOT_FOUND for another region, ACCESS_DENIED for another account
 */
export function parseLayerName(scope: ArnScope, text: string): string {
  if (LAYER_NAME.test(text)) return text
  const failed = (constraint: string) =>
    new HearthError(
      'VALIDATION_FAILED',
      `1 validation error detected: Value '${text}' at 'layerName' failed to satisfy constraint: ${constraint}`
    )
  if (!new RegExp(`^(?:${LAYER_NAME_PATTERN})$`).test(text))
    throw failed(`Member must satisfy regular expression pattern: ${LAYER_NAME_PATTERN}`)
  if (text.length > 140) throw failed('Member must have length less than or equal to 140')
  const [, , , region = '', accountId = '', , name = ''] = text.split(':')
  if (region !== scope.region) {
    throw new HearthError(
      'LAYER_NOT_FOUND',
      `Layers from '${region}' are not reachable in this region ('${scope.region}')`
    )
  }
  if (accountId !== scope.accountId) throw new HearthError('ACCESS_DENIED', '')
  return name
}

/** @returns undefined when it is not the ARN of a layer version, or one of the layers that AWS itself keeps */
export function parseLayerVersionArn(arn: string): LayerVersionRef | undefined {
  if (!new RegExp(`^${LAYER_ARN}:[0-9]+$`).test(arn)) return undefined
  const [, , , region = '', accountId = '', , name = '', version] = arn.split(':')
  return { region, accountId, name, version: Number(version) }
}
