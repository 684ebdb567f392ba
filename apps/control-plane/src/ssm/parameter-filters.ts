import { HearthError } from '@hearth/shared'
import type { ParameterVersion } from '@hearth/store'
import { z } from 'zod'
import type { ParameterService } from '../secrets/parameter-service.ts'

export const ParameterFilters = z
  .array(
    z.object({
      Key: z.string().min(1).max(132),
      Option: z.string().min(1).max(10).optional(),
      Values: z.array(z.string().min(1).max(1_024)).max(50).optional()
    })
  )
  .max(50)
  .default([])
export type ParameterFilter = z.output<typeof ParameterFilters>[number]

const KEYS = ['Name', 'Type', 'KeyId', 'Path', 'Label', 'Tier', 'DataType'] as const

/**
 * @throws HearthError VALIDATION_FAILED with AWS's InvalidFilterKey, InvalidFilterOption
 * @see https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html
 */
export function checkFilters(filters: readonly ParameterFilter[]): void {
  for (const { Key, Option, Values = [] } of filters) {
    if (!KEYS.includes(Key as (typeof KEYS)[number]) && !Key.startsWith('tag:')) {
      throw invalid(
        'InvalidFilterKey',
        `The following filter key is not valid: ${Key}. Valid filter keys include: [${KEYS.join(', ')}, tag:…].`
      )
    }
    const options =
      Key === 'Path'
        ? ['Recursive', 'OneLevel']
        : Key === 'Name'
          ? ['Equals', 'BeginsWith', 'Contains']
          : ['Equals', 'BeginsWith']
    if (Option !== undefined && !options.includes(Option)) {
      throw invalid(
        'InvalidFilterOption',
        `The following filter option is not valid: ${Option}. Valid options include: [${options.join(', ')}].`
      )
    }
    if (Values.length === 0 && !Key.startsWith('tag:')) {
      throw invalid('InvalidFilterValue', 'The filter has no value.')
    }
  }
}

/** Every filter must fit, by one of its values. */
export function matchesFilters(
  service: ParameterService,
  version: ParameterVersion,
  filters: readonly ParameterFilter[]
): boolean {
  return filters.every(({ Key, Option = 'Equals', Values = [] }) => {
    if (Key === 'Path') return Values.some((path) => isBelow(version.name, path, Option === 'Recursive'))
    const texts = textsOf(service, version, Key)
    if (Values.length === 0) return texts.length > 0
    return Values.some((value) => texts.some((text) => compare(text, value, Option)))
  })
}

/** @param path - `/` is above all. */
export function isBelow(name: string, path: string, recursive: boolean): boolean {
  const parent = path.endsWith('/') ? path : `${path}/`
  const full = name.startsWith('/') ? name : `/${name}`
  return full.startsWith(parent) && (recursive || !full.slice(parent.length).includes('/'))
}

function textsOf(service: ParameterService, version: ParameterVersion, key: string): readonly string[] {
  if (key.startsWith('tag:')) {
    const value = service.tags(version.name)[key.slice(4)]
    return value === undefined ? [] : [value]
  }
  switch (key) {
    case 'Name':
      return [version.name]
    case 'Type':
      return [version.type]
    case 'KeyId':
      return version.type === 'SecureString' ? ['alias/aws/ssm'] : []
    case 'Label':
      return version.labels
    case 'Tier':
      return [version.tier]
    default:
      return ['text']
  }
}

function compare(text: string, value: string, option: string): boolean {
  if (option === 'BeginsWith') return text.startsWith(value)
  return option === 'Contains' ? text.includes(value) : text === value
}

function invalid(awsCode: string, message: string): HearthError {
  return new HearthError('VALIDATION_FAILED', message, { awsCode })
}
