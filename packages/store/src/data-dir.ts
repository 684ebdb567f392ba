import { chmodSync, mkdirSync, statSync } from 'node:fs'
import path from 'node:path'

/** Where each thing lies in the data folder. */
export interface DataLayout {
  readonly dir: string
  readonly database: string
  /** Events that wait to be run, and what became of them; the gateway's. */
  readonly queue: string
  /** Metrics over time; the control plane's. */
  readonly telemetry: string
  /** Held by the control plane while it runs. */
  readonly lock: string
  /** Bearer token of the administrator, 0600. */
  readonly token: string
  /** The same key in the AWS shared-credentials format, 0600. */
  readonly credentials: string
  /** Code packages as uploaded, named by hex sha256. */
  readonly artifacts: string
  /** Code packages unpacked, a folder per hex sha256. */
  readonly code: string
  /** Dependencies that builds installed; there once something was built. */
  readonly builds: string
  /** Function logs; the gateway's. */
  readonly logs: string
  /** Who did what, and who was refused. */
  readonly audit: string
  /** Metrics that the gateway has not told the control plane yet. */
  readonly minutes: string
  /** Uploads under way; emptied at every start of the control plane. */
  readonly tmp: string
}

export function dataLayout(dataDir: string): DataLayout {
  const at = (name: string): string => path.join(dataDir, name)
  return {
    dir: dataDir,
    database: at('hearth.db'),
    queue: at('queue.db'),
    telemetry: at('telemetry.db'),
    lock: at('control-plane.lock'),
    token: at('token'),
    credentials: at('credentials'),
    artifacts: at('artifacts'),
    code: at('code'),
    builds: at('builds'),
    logs: at('logs'),
    audit: at('audit'),
    minutes: at('minutes'),
    tmp: at('tmp')
  }
}

/** Makes the data folder (0700: it holds keys) and what is in it; leaves what is there. */
export function makeDataDir(dataDir: string): DataLayout {
  const layout = dataLayout(dataDir)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  // Only where it is needed: a mounted volume that is closed already may belong to somebody else.
  if ((statSync(dataDir).mode & 0o077) !== 0) chmodSync(dataDir, 0o700)
  for (const dir of [layout.artifacts, layout.code, layout.logs, layout.tmp])
    mkdirSync(dir, { recursive: true, mode: 0o755 })
  return layout
}

/** Absolute path of an unpacked package; mounted read-only into sandboxes. @param artifact - Hex sha256. */
export function codeDirOf(dataDir: string, artifact: string): string {
  return path.join(dataDir, 'code', artifact)
}
