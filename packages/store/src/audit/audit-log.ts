import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import sonicBoom from 'sonic-boom'

/** One decision about one request. No secret has a place in it: neither bodies nor headers are kept. */
export interface AuditEntry {
  /** ISO 8601, UTC. */
  readonly at: string
  readonly requestId: string
  /** ARN of who asked; `anonymous`. */
  readonly principal: string
  readonly keyId?: string | undefined
  readonly sourceIp?: string | undefined
  readonly userAgent?: string | undefined
  readonly action: string
  readonly resource: string
  readonly decision: 'allowed' | 'explicitDeny' | 'implicitDeny'
  /** Which kind of policy decided: `identity`, `resource`, …. */
  readonly by?: string | undefined
  /** The statement that decided, if one did. */
  readonly statement?:
    | { readonly policy: string; readonly index: number; readonly sid?: string | undefined }
    | undefined
  /** Entries of this process before this one that were left out: there were too many in one second. */
  readonly suppressed?: number | undefined
}

/** A trail that is only ever added to. */
export interface AuditLog {
  /** Buffers; on disk within milliseconds. */
  write(entry: AuditEntry): void
  /** Resolves when all of it is on disk. */
  close(): Promise<void>
}

/** 256 MB of each process: years of a small server. */
export const AUDIT_FILES = { maxBytes: 16 * 1_048_576, files: 16 }

export interface AuditLogOptions {
  /** Folder of all processes' trails; made when it is not there. */
  readonly dir: string
  /** Of this process: `gateway`, `control-plane`. */
  readonly name: string
  /** Of one file. */
  readonly maxBytes: number
  /** Files that are kept of this process, the current one among them. */
  readonly files: number
  readonly onError: (err: unknown) => void
}

/** Entries in one second: nobody shall push what he did out of the trail by doing much. */
const PER_SECOND = 500
/** Longer ones are the sender's doing. */
const MAX_TEXT = 512

/** One JSON object per line. A full file gets the time of its end into its name, and the oldest ones go. */
export function openAuditLog({ dir, name, maxBytes, files, onError }: AuditLogOptions): AuditLog {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const current = path.join(dir, `${name}.jsonl`)
  let bytes = statSync(current, { throwIfNoEntry: false })?.size ?? 0
  const out = new sonicBoom.SonicBoom({ dest: current, append: true, mode: 0o600, sync: false })
  out.on('error', onError)

  let second = 0
  let written = 0
  let suppressed = 0

  const turnOver = (): void => {
    try {
      // What is still buffered goes where the descriptor points to: into the file under its new name, or the new one.
      renameSync(current, path.join(dir, `${name}.${new Date().toISOString().replaceAll(':', '-')}.jsonl`))
      out.reopen()
      bytes = 0
      for (const old of filesOf(dir, name).slice(files - 1)) rmSync(path.join(dir, old), { force: true })
    } catch (err) {
      // Tried again at the next entry; until then the file grows.
      onError(err)
    }
  }

  return {
    write(entry) {
      const now = Math.floor(performance.now() / 1_000)
      if (now !== second) {
        second = now
        written = 0
      }
      if (written === PER_SECOND) {
        suppressed += 1
        return
      }
      written += 1
      const line = `${JSON.stringify(suppressed === 0 ? entry : { ...entry, suppressed }, bounded)}\n`
      suppressed = 0
      if (bytes >= maxBytes) turnOver()
      bytes += Buffer.byteLength(line)
      out.write(line)
    },
    close: () =>
      new Promise((resolve) => {
        out.once('close', () => {
          resolve()
        })
        out.end()
      })
  }
}

/** Finished files of one process, the newest first. */
export function filesOf(dir: string, name: string): string[] {
  return readdirSync(dir)
    .filter((file) => file.startsWith(`${name}.`) && file !== `${name}.jsonl` && file.endsWith('.jsonl'))
    .sort()
    .reverse()
}

function bounded(_key: string, value: unknown): unknown {
  return typeof value === 'string' && value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value
}
