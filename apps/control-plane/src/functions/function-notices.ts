import type { FunctionSettings, SettingsChange } from './function-settings.ts'

/** What the owner of a function ought to know about settings that are kept and shown and change nothing yet. */
export function noticesOf(settings: FunctionSettings, change: SettingsChange): readonly string[] {
  const notices: string[] = []
  if (change.tracing !== undefined && settings.tracing === 'Active') {
    notices.push('tracing Active is kept; which calls are traced is the server’s to say (HEARTH_TRACE_SAMPLE).')
  }
  if (change.snapStart !== undefined && settings.snapStart === 'PublishedVersions') {
    notices.push(
      'snapStart PublishedVersions is kept, but no snapshots are taken: instances are pre-started for every version, the code initialises at each cold start, and restore hooks are not called.'
    )
  }
  return notices
}
