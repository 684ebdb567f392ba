import type { RuntimeRegistry } from '@hearth/executor/runtimes'
import type { Config } from '@hearth/shared'
import type { ServerOptions } from './app.ts'

export interface ControlPlaneOptions {
  readonly config: Pick<
    Config,
    'dataDir' | 'region' | 'accountId' | 'masterKey' | 'urlDomain' | 'runtimePaths' | 'concurrency'
  > &
    Partial<
      Pick<
        Config,
        | 's3'
        | 'builds'
        | 'isolation'
        | 'runDir'
        | 'cacheDir'
        | 'webhookNetworks'
        | 'requestRate'
        | 'authFailures'
        | 'host'
        | 'port'
        | 'prices'
        | 'logExport'
      >
    >
  readonly migrationsDir: string
  readonly server: ServerOptions
  /** The user's own folder for sockets (XDG_RUNTIME_DIR), if there is one. */
  readonly runtimeDir?: string | undefined
  /** Where interpreters are looked for beside the usual folders, as in PATH. */
  readonly searchPath?: string
  /** Default: what this machine has. Looking takes a second, which whoever opens many control planes may want to save. */
  readonly runtimes?: RuntimeRegistry | undefined
  readonly now?: () => Date
  /** How a deploy's last step is put off until its answer is out. */
  readonly defer?: (step: () => void) => void
  /** Whether to measure the process itself as well. */
  readonly processMetrics?: boolean
  /** The last lines of the log, for bug reports. */
  readonly log?: () => readonly string[]
}
