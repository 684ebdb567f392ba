import { type Board, UNITS } from './panel.ts'
import { ALERT_RULES, RECORDING_RULES } from './rules.ts'

/**
 * Puts what is generated between its marks: `<!-- begin dashboards -->` and `<!-- end dashboards -->`, and of `rules`.
 *
 * @param text - docs/observability.md as it is
 * @throws Error when a mark is missing
 */
export function fillDocs(text: string, boards: readonly Board[]): string {
  return fill(fill(text, 'dashboards', boards.map(renderBoard).join('\n')), 'rules', renderRuleDocs())
}

function fill(text: string, name: string, content: string): string {
  const begin = `<!-- begin ${name} -->`
  const end = `<!-- end ${name} -->`
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from === -1 || to < from) throw new Error(`docs/observability.md has no ${begin} … ${end}`)
  return `${text.slice(0, from + begin.length)}\n\n${content}\n${text.slice(to)}`
}

function renderBoard(board: Board): string {
  const rows = board.rows.flatMap(({ panels }) =>
    panels.map((panel) => {
      const queries = panel.queries.map(({ expr }) => code(expr)).join('<br>')
      return `| ${cell(panel.title)} | ${cell(panel.shows)} | ${UNITS[panel.unit].word} | ${queries} | ${cell(panel.act)} |`
    })
  )
  return `### ${board.title}\n\n${board.description}\n\n| panel | shows | unit | query | what to do |\n|---|---|---|---|---|\n${rows.join('\n')}\n`
}

function renderRuleDocs(): string {
  const records = RECORDING_RULES.map(({ record, expr, shows }) => `| \`${record}\` | ${shows} | ${code(expr)} |`)
  const alerts = ALERT_RULES.map((rule) => {
    const when = rule.for === undefined ? 'at once' : `for ${rule.for}`
    const steps = rule.act.map((step, i) => `${i + 1}. ${step}`)
    return `### ${rule.alert}\n\n\`${rule.expr}\`, ${when}; ${rule.severity}. ${rule.means}\n\n${steps.join('\n')}\n`
  })
  return `| recorded | is | query |\n|---|---|---|\n${records.join('\n')}\n\n${alerts.join('\n')}`
}

function code(expr: string): string {
  return `\`${cell(expr)}\``
}

/** A table's cell ends at a bar, in code too. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
