import { ALERT_TESTS, type AlertTest } from './rule-tests.ts'
import { ALERT_RULES, type AlertRule, RECORDING_RULES } from './rules.ts'

const HEAD = '# Made by deploy/src: change it there, then `npx tsc -b deploy && node deploy/dist/write.js`.\n'
const ASKED_AFTER = '20m'

/** Where it is said what to do: a path in this project, which Prometheus takes as it is. */
function runbookOf({ alert }: AlertRule): string {
  return `docs/observability.md#${alert.toLowerCase()}`
}

/** @returns deploy/prometheus/rules.yml */
export function renderRules(): string {
  const recording = RECORDING_RULES.map(
    ({ record, expr }) => `      - record: ${record}\n        expr: ${quoted(expr)}\n`
  )
  const alerts = ALERT_RULES.map((rule) =>
    [
      `      - alert: ${rule.alert}`,
      `        expr: ${quoted(rule.expr)}`,
      ...(rule.for === undefined ? [] : [`        for: ${rule.for}`]),
      '        labels:',
      `          severity: ${rule.severity}`,
      '        annotations:',
      ...annotationsOf(rule, rule.summary).map((line) => `          ${line}`),
      ''
    ].join('\n')
  )
  return `${HEAD}groups:\n  - name: hearth-recording\n    rules:\n${recording.join('')}  - name: hearth-alerts\n    rules:\n${alerts.join('')}`
}

/** @returns deploy/prometheus/rules.test.yml, for `promtool test rules` */
export function renderRuleTests(): string {
  const tests = ALERT_TESTS.flatMap((test) => [renderTest(test, test.fires, true), renderTest(test, test.quiet, false)])
  return `${HEAD}rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n${tests.join('')}`
}

function renderTest(test: AlertTest, samples: AlertTest['fires'], fires: boolean): string {
  const rule = ALERT_RULES.find(({ alert }) => alert === test.alert)
  if (rule === undefined) throw new Error(`a test of ${test.alert}, which there is not`)
  const lines = [
    `  - name: ${rule.alert} ${fires ? 'fires' : 'does not fire'}`,
    '    interval: 1m',
    '    input_series:',
    ...samples.flatMap(({ series, values }) => [
      `      - series: ${quoted(series)}`,
      `        values: ${quoted(values)}`
    ]),
    '    alert_rule_test:',
    `      - eval_time: ${ASKED_AFTER}`,
    `        alertname: ${rule.alert}`
  ]
  if (!fires) return `${lines.join('\n')}\n        exp_alerts: []\n`
  const labels = { ...test.labels, severity: rule.severity }
  lines.push(
    '        exp_alerts:',
    '          - exp_labels:',
    ...Object.entries(labels).map(([name, value]) => `              ${name}: ${quoted(value)}`),
    '            exp_annotations:',
    ...annotationsOf(rule, test.summary).map((line) => `              ${line}`),
    ''
  )
  return lines.join('\n')
}

function annotationsOf(rule: AlertRule, summary: string): string[] {
  return [
    `summary: ${quoted(summary)}`,
    `description: ${quoted(rule.means)}`,
    `runbook_url: ${quoted(runbookOf(rule))}`
  ]
}

/** A YAML scalar in single quotes, which leaves PromQL's own as they are. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
