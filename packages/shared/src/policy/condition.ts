import { OPERATORS, type Test } from './operators.ts'
import { type ContextKeys, valuesOf } from './request.ts'

/** Whether a request meets one line of a condition block. */
export type Condition = (keys: ContextKeys) => boolean

export class ConditionError extends Error {}

const OPERATOR_NAME = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/

/**
 * One operator, one key, the policy's values.
 *
 * @throws ConditionError
 * @see reference: IAM §1.2, §1.3
 */
export function compileCondition(
  operatorName: string,
  key: string,
  values: readonly string[],
  hasVariables: boolean
): Condition {
  const [, set, name, ifExists] = OPERATOR_NAME.exec(operatorName) ?? []
  const keyName = key.toLowerCase()
  if (name === 'Null' && set === undefined && ifExists === undefined) return isAbsent(keyName, values)
  const operator = name === undefined ? undefined : OPERATORS.get(name)
  if (operator === undefined) throw new ConditionError(`Invalid Condition type : ${operatorName}.`)

  const tests = values.map((value) => {
    const test = operator.compile(value, hasVariables)
    if (test === undefined) throw new ConditionError(`'${value}' is not a value for ${name}.`)
    return test
  })
  const { negated } = operator
  const whenAbsent = ifExists !== undefined || (set === undefined ? negated : set === 'ForAllValues')
  const holds = set === undefined ? plain(tests, negated) : ofSet(tests, negated, set === 'ForAllValues')
  return (keys) => {
    const given = valuesOf(keys, keyName)
    return given.length === 0 ? whenAbsent : holds(given, keys)
  }
}

type Holds = (given: readonly string[], keys: ContextKeys) => boolean

/** Values are alternatives; negated: none of them may be there. */
function plain(tests: readonly Test[], negated: boolean): Holds {
  return (given, keys) => given.some((value) => tests.some((test) => test(value, keys))) !== negated
}

function ofSet(tests: readonly Test[], negated: boolean, all: boolean): Holds {
  return (given, keys) => {
    const fits = (value: string): boolean => tests.some((test) => test(value, keys)) !== negated
    return all ? given.every(fits) : given.some(fits)
  }
}

function isAbsent(key: string, values: readonly string[]): Condition {
  if (values.length === 0 || values.some((value) => !/^(true|false)$/i.test(value))) {
    throw new ConditionError('Null takes true or false.')
  }
  const wanted = new Set(values.map((value) => value.toLowerCase() === 'true'))
  return (keys) => {
    const given = valuesOf(keys, key)
    return wanted.has(given.length === 0 || given.every((value) => value === ''))
  }
}
