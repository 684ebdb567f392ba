import { type AliasRecord, type ArnScope, functionArn } from '@hearth/shared'
import { checkModel, clause, validationFailed } from './constraints.ts'
import { AliasNameParameter, type AliasRouting } from './model.ts'
import type { OperationCall } from './operation.ts'

/** The alias that a call names in its path. @throws HearthError VALIDATION_FAILED */
export function aliasNameOf(call: OperationCall): string {
  return checkModel(AliasNameParameter, { Name: call.params['alias'] ?? '' }).Name
}

/**
 * Weights by version; undefined when nothing was said of them.
 *
 * @throws HearthError VALIDATION_FAILED, with the whole map in the message as AWS has it
 */
export function weightsOf(routing: AliasRouting): AliasRecord['weights'] | undefined {
  if (routing === undefined || routing === null) return undefined
  const weights = routing.AdditionalVersionWeights ?? {}
  const path = ['routingConfig', 'additionalVersionWeights']
  // Java prints doubles with a fraction.
  const shown = `{${Object.entries(weights)
    .map(([version, weight]) => `${version}=${Number.isInteger(weight) ? weight.toFixed(1) : weight}`)
    .join(', ')}}`
  const clauses: string[] = []
  if (Object.keys(weights).some((version) => !/^[0-9]{1,1024}$/.test(version))) {
    clauses.push(
      clause(
        shown,
        path,
        'Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must not be null]'
      )
    )
  }
  if (Object.values(weights).some((weight) => !(weight >= 0 && weight <= 1))) {
    clauses.push(
      clause(
        shown,
        path,
        'Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]'
      )
    )
  }
  if (clauses.length > 0) throw validationFailed(clauses)
  return weights
}

/** AliasConfiguration. */
export function toAliasConfiguration(alias: AliasRecord, scope: ArnScope): Record<string, unknown> {
  return {
    AliasArn: functionArn(scope, alias.functionName, alias.name),
    Name: alias.name,
    FunctionVersion: alias.version,
    Description: alias.description,
    RevisionId: alias.revisionId,
    ...(Object.keys(alias.weights).length === 0 ? {} : { RoutingConfig: { AdditionalVersionWeights: alias.weights } })
  }
}
