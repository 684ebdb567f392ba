import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'

/** What interpreters said of themselves, kept from start to start: asking all of them takes seconds. */
export interface Answers {
  /** What the file said to these arguments, or undefined if it has changed since, or was never asked. */
  recall(execPath: string, args: readonly string[]): Promise<Answer | undefined>
  learn(execPath: string, args: readonly string[], text: string | undefined): Promise<void>
  /** Keeps what was learnt. A folder that cannot be written is no fault: it is asked again next time. */
  save(): Promise<void>
}

export interface Answer {
  /** Undefined: it failed, or took too long. */
  readonly text: string | undefined
}

interface Kept {
  readonly stamp: string
  readonly text?: string
}

/** A file that is longer was not written here. */
const MAX_BYTES = 1_048_576

/**
 * @param file - Absolute; only the server's user may write to its folder. One that cannot be read counts as empty
 */
export async function openAnswers(file: string): Promise<Answers> {
  const known = await read(file)
  let isChanged = false
  return {
    async recall(execPath, args) {
      const kept = known.get(keyOf(execPath, args))
      return kept !== undefined && kept.stamp === (await stampOf(execPath)) ? { text: kept.text } : undefined
    },
    async learn(execPath, args, text) {
      const stamp = await stampOf(execPath)
      if (stamp === undefined) return
      known.set(keyOf(execPath, args), text === undefined ? { stamp } : { stamp, text })
      isChanged = true
    },
    async save() {
      if (!isChanged) return
      isChanged = false
      try {
        await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
        // Two processes of a server learn the same at the same time.
        const temporary = `${file}.${randomUUID()}`
        await writeFile(temporary, JSON.stringify(Object.fromEntries(known)), { mode: 0o600, flag: 'wx' })
        await rename(temporary, file)
      } catch {
        // Said above.
      }
    }
  }
}

async function read(file: string): Promise<Map<string, Kept>> {
  try {
    if ((await stat(file)).size > MAX_BYTES) return new Map()
    const entries = Object.entries(JSON.parse(await readFile(file, 'utf8')) as Record<string, Kept>)
    return new Map(entries.filter(([, { stamp, text }]) => typeof stamp === 'string' && typeof text !== 'object'))
  } catch {
    return new Map()
  }
}

function keyOf(execPath: string, args: readonly string[]): string {
  return [execPath, ...args].join('\0')
}

/**
 * What changes when a program does, or undefined where that cannot be seen. A script stands for a program elsewhere:
 * a shim of pyenv or rbenv for what `version` beside its folder names, among what lies in `versions`.
 */
async function stampOf(execPath: string): Promise<string | undefined> {
  try {
    const own = await stateOf(execPath)
    if (!(await isScript(execPath))) return own
    const folder = path.dirname(execPath)
    if (path.basename(folder) !== 'shims') return undefined
    const beside = ['version', 'versions'].map((name) => path.join(folder, '..', name))
    return [own, ...(await Promise.all(beside.map(stateOf)))].join()
  } catch {
    return undefined
  }
}

async function stateOf(file: string): Promise<string> {
  const { dev, ino, size, mtimeMs, ctimeMs } = await stat(file)
  return [dev, ino, size, mtimeMs, ctimeMs].join(':')
}

async function isScript(file: string): Promise<boolean> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0)
    return bytesRead < 2 || buffer.toString('latin1') === '#!'
  } finally {
    await handle.close()
  }
}
