import type { MetricKey } from '@hearth/store'
import { monitoringError } from './errors.ts'

/**
 * What identifies a series, from a request's members.
 *
 * @param path - Of the dimensions in the request, for messages
 * @throws HearthError (InvalidParameterValue) when a dimension is there twice
 */
export function keyOf(
  namespace: string,
  name: string,
  dimensions: readonly { readonly Name: string; readonly Value: string }[],
  path = 'Dimensions'
): MetricKey {
  const sorted = dimensions
    .map(({ Name, Value }) => [Name, Value] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const twice = sorted.find(([dimension], i) => sorted[i + 1]?.[0] === dimension)
  if (twice !== undefined) {
    throw monitoringError(
      'InvalidParameterValue',
      `The parameter ${path} has the dimension ${twice[0]} more than once.`
    )
  }
  return { namespace, name, dimensions: sorted }
}

/** As answers have them. */
export function dimensionsOf(key: MetricKey): { Name: string; Value: string }[] {
  return key.dimensions.map(([Name, Value]) => ({ Name, Value }))
}
