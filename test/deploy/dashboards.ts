import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from '../helpers/hearth.ts'

export const DEPLOY = path.join(ROOT, 'deploy')

/** The part of a dashboard's file that the tests read. */
export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly schemaVersion: number
  readonly links: readonly { readonly url: string; readonly keepTime: boolean; readonly includeVars: boolean }[]
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[]
  }
  readonly panels: readonly DashboardPanel[]
}

interface DashboardPanel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource?: { readonly uid: string }
  readonly targets?: readonly {
    readonly refId: string
    readonly expr: string
    readonly legendFormat: string
    readonly datasource: { readonly uid: string }
  }[]
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
}

/** Those that are provisioned, as they lie in deploy/grafana. */
export function readDashboards(): readonly Dashboard[] {
  const folder = path.join(DEPLOY, 'grafana/dashboards')
  return readdirSync(folder).map((file) => JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Dashboard)
}

/** Every query of every dashboard, once. */
export function allQueries(): readonly { readonly where: string; readonly expr: string; readonly legend: string }[] {
  return readDashboards().flatMap(({ title, panels }) =>
    panels.flatMap((panel) =>
      (panel.targets ?? []).map(({ expr, legendFormat }) => ({
        where: `${title}: ${panel.title}`,
        expr,
        legend: legendFormat
      }))
    )
  )
}
