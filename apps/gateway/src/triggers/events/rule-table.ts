import { type ArnScope, compileEventPattern, createRuleIndex, type RuleIndex, ruleArn } from '@hearth/shared'
import type { RuleWithTargets } from '@hearth/store'
import type { Triggers } from '../kind.ts'

/** A rule as events meet it. */
export interface ArmedRule extends RuleWithTargets {
  readonly arn: string
}

/** The rules of all buses, in memory. */
export interface RuleTable {
  update(triggers: Triggers): void
  /** @returns undefined when there is no such bus */
  busOf(name: string): RuleIndex<ArmedRule> | undefined
  /** @returns also a rule that is disabled */
  find(arn: string): ArmedRule | undefined
}

type Compiled = ReturnType<typeof compileEventPattern>

export function createRuleTable(scope: ArnScope, onError: (err: unknown) => void): RuleTable {
  let buses = new Map<string, RuleIndex<ArmedRule>>()
  let rules = new Map<string, ArmedRule>()
  // Most rules stay as they are from one update to the next.
  let compiled = new Map<string, Compiled>()

  return {
    update({ buses: names, rules: all }) {
      const kept = new Map<string, Compiled>()
      const armed = new Map(all.map((rule) => [ruleArn(scope, rule.bus, rule.name), rule]))
      rules = new Map([...armed].map(([arn, rule]) => [arn, { ...rule, arn }]))
      const patterns = new Map<string, { rule: ArmedRule; pattern: Compiled }[]>(names.map((name) => [name, []]))
      for (const rule of rules.values()) {
        const { pattern: text, isEnabled, targets } = rule
        if (text === undefined || !isEnabled || targets.length === 0) continue
        try {
          const pattern = compiled.get(text) ?? kept.get(text) ?? compileEventPattern(text)
          kept.set(text, pattern)
          patterns.get(rule.bus)?.push({ rule, pattern })
        } catch (err) {
          onError(err)
        }
      }
      compiled = kept
      buses = new Map([...patterns].map(([name, list]) => [name, createRuleIndex(list)]))
    },
    busOf: (name) => buses.get(name),
    find: (arn) => rules.get(arn)
  }
}
