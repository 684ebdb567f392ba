/** Writes dashboards, rules and their documentation; `--check` says which files are not as they would be written. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { renderDashboard } from './dashboard.ts'
import { fillDocs } from './docs.ts'
import { FUNCTION } from './function.ts'
import { OVERVIEW } from './overview.ts'
import { PLATFORM } from './platform.ts'
import { renderRules, renderRuleTests } from './prometheus-files.ts'
import { renderContainerSeccomp } from './seccomp.ts'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
const boards = [OVERVIEW, FUNCTION, PLATFORM]
const docs = 'docs/observability.md'

const files = new Map<string, string>([
  ...boards.map((board) => [`deploy/grafana/dashboards/${board.uid}.json`, renderDashboard(board, boards)] as const),
  ['deploy/prometheus/rules.yml', renderRules()],
  ['deploy/prometheus/rules.test.yml', renderRuleTests()],
  ['deploy/docker/seccomp.json', renderContainerSeccomp()],
  [docs, fillDocs(readFileSync(path.join(root, docs), 'utf8'), boards)]
])

for (const [name, text] of files) {
  const file = path.join(root, name)
  if (!process.argv.includes('--check')) writeFileSync(file, text)
  else if (readIfThere(file) !== text) {
    console.error(`${name} is not what deploy/src makes: npx tsc -b deploy && node deploy/dist/write.js`)
    process.exitCode = 1
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
