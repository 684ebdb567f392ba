import type { LogCut, LogSettingsReader, LogWriter } from '@hearth/store'

/** What is said of log groups in the database, brought to those who keep the files. */
export interface LogSettingsWatch {
  /** What of a group is not to be shown. */
  cuts(group: string): readonly LogCut[]
  attach(reader: Pick<LogSettingsReader, 'revision' | 'read'>): void
  /** Something in the database has changed. */
  refresh(): void
}

const NONE: readonly LogCut[] = []

export function watchLogSettings(logs: Pick<LogWriter, 'retain'>): LogSettingsWatch {
  let reader: Pick<LogSettingsReader, 'revision' | 'read'> | undefined
  let revision: number | undefined
  let cuts = new Map<string, LogCut[]>()

  function refresh(): void {
    const current = reader?.revision()
    if (reader === undefined || current === revision) return
    const settings = reader.read()
    revision = current
    cuts = new Map()
    for (const { group, stream, at } of settings.removals) {
      const ofGroup = cuts.get(group) ?? []
      ofGroup.push({ stream, at })
      cuts.set(group, ofGroup)
    }
    void logs.retain(settings)
  }

  return {
    cuts: (group) => cuts.get(group) ?? NONE,
    attach(opened) {
      reader = opened
      refresh()
    },
    refresh
  }
}
