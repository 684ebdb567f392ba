// What is provisioned in Grafana and Prometheus, without either.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { NODE, ROOT } from '../helpers/hearth.ts'
import { allQueries, DEPLOY, readDashboards } from './dashboards.ts'
import { parsePromql, withoutMacros } from './promql.ts'

const dashboards = readDashboards()
const docs = readFileSync(path.join(ROOT, 'docs/observability.md'), 'utf8')

t.test('dashboards, rules and their documentation are what deploy/src makes', async (t) => {
  const [command, ...args] = NODE
  const { status, stderr } = spawnSync(command, [...args, path.join(ROOT, 'deploy/dist/write.js'), '--check'], {
    encoding: 'utf8'
  })
  t.equal(status, 0, stderr)
})

t.test('dashboards', async (t) => {
  t.same(
    dashboards.map(({ uid }) => uid),
    ['hearth-function', 'hearth-overview', 'hearth-platform']
  )
  for (const { uid, title, schemaVersion, links, templating, panels } of dashboards) {
    t.ok(schemaVersion >= 36, title)
    t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, `${title}: ids are unique`)
    const names = panels.map((panel) => panel.title)
    t.equal(new Set(names).size, names.length, `${title}: titles are unique`)
    const others = dashboards.filter((other) => other.uid !== uid).map((other) => `/d/${other.uid}`)
    t.same(links.map(({ url }) => url).sort(), others.sort(), `${title} leads to the others`)
    t.ok(links.every(({ keepTime, includeVars }) => keepTime && includeVars))
    t.equal(templating.list[0]?.name, 'datasource', `${title} lets choose a Prometheus`)

    for (const panel of panels) {
      const { x, y, w, h } = panel.gridPos
      t.ok(x >= 0 && w > 0 && h > 0 && x + w <= 24, `${title}: ${panel.title} is on the grid`)
      const over = panels.filter(
        ({ id, gridPos: at }) => id !== panel.id && x < at.x + at.w && at.x < x + w && y < at.y + at.h && at.y < y + h
      )
      t.same(over, [], `${title}: nothing lies under ${panel.title}`)
      if (panel.type === 'row') continue
      t.ok(panel.fieldConfig?.defaults.unit, `${title}: ${panel.title} has a unit`)
      t.ok(panel.description, `${title}: ${panel.title} says what it is`)
      t.equal(panel.datasource?.uid, '${datasource}')
      for (const target of panel.targets ?? []) {
        t.equal(target.datasource.uid, '${datasource}', `${title}: ${panel.title} ${target.refId}`)
        t.ok(target.legendFormat, `${title}: ${panel.title} ${target.refId} has a legend`)
      }
      t.ok(docs.includes(`| ${panel.title} |`), `docs/observability.md has ${panel.title}`)
    }
  }
  const chosen = dashboards[0]?.templating.list[1]
  t.match(chosen, { name: 'function', query: { query: 'label_values(hearth_function_info, function)' } })
})

t.test('queries are PromQL, and ask of the function that is chosen', async (t) => {
  for (const { where, expr } of allQueries()) {
    t.ok(parsePromql(withoutMacros(expr)).isValid, `${where}: ${expr}`)
    t.notMatch(withoutMacros(expr), /\$/, where)
    t.equal(expr.includes('function=~"$function"'), where.startsWith('Hearth / Function'), where)
  }
  t.notOk(parsePromql('sum by (').isValid, 'what is none is seen')
})

t.test('promtool takes the rules, and each alert fires when it should and only then', async (t) => {
  const promtool = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('promtool', args, {
      cwd: path.join(DEPLOY, 'prometheus'),
      encoding: 'utf8'
    })
    t.equal(status, 0, `promtool ${args.join(' ')}: ${stdout}${stderr}`)
  }
  promtool('check', 'rules', 'rules.yml')
  promtool('test', 'rules', 'rules.test.yml')
  const rules = readFileSync(path.join(DEPLOY, 'prometheus/rules.yml'), 'utf8')
  const tests = readFileSync(path.join(DEPLOY, 'prometheus/rules.test.yml'), 'utf8')
  const headings = [...docs.matchAll(/^### (\w+)$/gm)].map(([, name]) => name!.toLowerCase())
  for (const [, name] of rules.matchAll(/- alert: (\w+)/g)) {
    t.ok(tests.includes(`- name: ${name} fires`) && tests.includes(`- name: ${name} does not fire`), `${name} is tried`)
    t.ok(headings.includes(name!.toLowerCase()), `docs/observability.md says what to do about ${name}`)
    t.ok(rules.includes(`docs/observability.md#${name!.toLowerCase()}`), `${name} leads there`)
  }
})
