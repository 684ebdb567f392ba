import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { openControlPlane } from '@hearth/control-plane'
import { openRuntimeRegistry, type RuntimeRegistry } from '@hearth/executor'
import type { Config } from '@hearth/shared'
import type { Test } from 'tap'
import yazl from 'yazl'
import { CACHE_DIR } from '../helpers/hearth.ts'

export const REGION = 'us-east-1'
export const ACCOUNT = '000000000000'
/** There from the start. */
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/hearth-default`
export const ARN = `arn:aws:lambda:${REGION}:${ACCOUNT}`

/** The repository's root, wherever this file was built to. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

export interface StartOptions {
  readonly server?: Parameters<typeof openControlPlane>[0]['server']
  readonly now?: () => Date
  /** Allows builds. */
  readonly builds?: Parameters<typeof openControlPlane>[0]['config']['builds']
  /** Where code in S3 lies. */
  readonly s3?: Config['s3']
  /** Default: none. */
  readonly limits?: { readonly requestRate: number; readonly authFailures: number }
  /** Of the account. */
  readonly concurrency?: number
  /** That webhooks may reach beside public addresses. */
  readonly webhookNetworks?: readonly string[]
  /** Holds back the step that makes a deploy ready; call the functions it collects to let them go. */
  readonly deferred?: (() => void)[]
}

interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly payload?: string | Buffer | object
  readonly headers?: Record<string, string>
}

let runtimes: Promise<RuntimeRegistry> | undefined

/** Looked for once: they stay the same while the tests of a file run. */
function runtimesOfThisMachine(): Promise<RuntimeRegistry> {
  runtimes ??= openRuntimeRegistry({
    node: { execPath: process.execPath, version: process.versions.node },
    configured: {},
    cacheDir: CACHE_DIR,
    path: process.env['PATH'] ?? ''
  })
  return runtimes
}

/** A whole control plane on a data folder of its own; closed when `t` ends. Opens no port: use `inject`. */
export async function startControlPlane(t: Test, options: StartOptions = {}) {
  const dataDir = path.join(t.testdir(), 'data')
  const { deferred } = options
  const app = await openControlPlane({
    config: {
      dataDir,
      region: REGION,
      accountId: ACCOUNT,
      masterKey: undefined,
      urlDomain: 'lambda-url.localhost',
      runtimePaths: {},
      concurrency: options.concurrency ?? 200,
      s3: options.s3,
      builds: options.builds,
      ...options.limits,
      webhookNetworks: options.webhookNetworks ?? []
    },
    migrationsDir: path.join(ROOT, 'migrations'),
    server: { logger: false, ...options.server },
    searchPath: process.env['PATH'] ?? '',
    runtimes: await runtimesOfThisMachine(),
    ...(options.now === undefined ? {} : { now: options.now }),
    ...(deferred === undefined ? {} : { defer: (step: () => void) => void deferred.push(step) })
  })
  t.teardown(() => app.close())
  const token = readFileSync(path.join(dataDir, 'token'), 'utf8').trim()
  const credentials = readFileSync(path.join(dataDir, 'credentials'), 'utf8')
  const read = (name: string): string => new RegExp(`^${name} = (.+)$`, 'm').exec(credentials)?.[1] ?? ''
  const authorization = `Bearer ${token}`
  const inject = (request: Call) => app.inject({ ...request, headers: { authorization, ...request.headers } })
  return {
    app,
    dataDir,
    token,
    accessKeyId: read('aws_access_key_id'),
    secretAccessKey: read('aws_secret_access_key'),
    inject,
    get: (url: string) => inject({ method: 'GET', url }),
    /** PUT /v1/functions/… */
    put: (target: string, payload: Buffer | string, headers: Record<string, string> = {}) =>
      inject({ method: 'PUT', url: `/v1/functions/${target}`, payload, headers }),
    /** A call of the AWS API. */
    aws: (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: object) =>
      inject({ method, url: `/2015-03-31${url}`, ...(body === undefined ? {} : { payload: body }) }),
    /** Every file below the data folder but the database's own. */
    files: async () => (await listAll(dataDir)).filter((name) => !/^(hearth\.db|control-plane\.lock)/.test(name)).sort()
  }
}

/** A folder that goes away while it is listed is no reason to fail: then it is listed again. */
async function listAll(dir: string): Promise<string[]> {
  for (;;) {
    try {
      return await readdir(dir, { recursive: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

export const SOURCE = 'export const handler = async (event) => ({ hello: event.name })\n'

/** An honest zip of the given files. */
export async function zipOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const zip = new yazl.ZipFile()
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), name, { mtime: new Date(0) })
  zip.end()
  const chunks: Buffer[] = []
  for await (const chunk of zip.outputStream as unknown as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export interface RawEntry {
  readonly name: string | Buffer
  readonly data?: Buffer
  /** Unix mode with its type bits; 0: none. */
  readonly mode?: number
  readonly flags?: number
  readonly method?: number
  readonly crc?: number
  readonly uncompressedSize?: number
  readonly compressedSize?: number
  /** Where the directory says the data begins; default: where it does. */
  readonly offset?: number
}

/** A zip written byte by byte, so that it can be wrong in any way. @param crc32 - Of node:zlib. */
export function rawZip(entries: readonly RawEntry[], crc32: (data: Buffer) => number): Buffer {
  const locals: Buffer[] = []
  const central: Buffer[] = []
  let at = 0
  for (const entry of entries) {
    const name = Buffer.from(entry.name as string)
    const data = entry.data ?? Buffer.from('x')
    const crc = entry.crc ?? crc32(data)
    const compressed = entry.compressedSize ?? data.length
    const uncompressed = entry.uncompressedSize ?? data.length
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE((entry.flags ?? 0) | 0x800, 2)
    common.writeUInt16LE(entry.method ?? 0, 4)
    common.writeUInt32LE(crc, 10)
    common.writeUInt32LE(compressed, 14)
    common.writeUInt32LE(uncompressed, 18)
    common.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, data])
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6)
    rest.writeUInt32LE(entry.offset ?? at, 10)
    central.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), common, rest, name]))
    locals.push(local)
    at += local.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(entries.length, 4)
  end.writeUInt16LE(entries.length, 6)
  end.writeUInt32LE(directory.length, 8)
  end.writeUInt32LE(at, 12)
  return Buffer.concat([...locals, directory, Buffer.from('PK\x05\x06'), end])
}

export interface TarEntry {
  readonly name: string
  /** `0` file, `1` hard link, `2` symbolic link, `3` device, `5` folder, `6` fifo. */
  readonly type?: string
  readonly link?: string
  readonly data?: Buffer
  readonly mode?: number
}

/** A gzipped ustar, written header by header. */
export function tarGz(entries: readonly TarEntry[]): Buffer {
  const blocks: Buffer[] = []
  for (const { name, type = '0', link = '', data = Buffer.alloc(0), mode = 0o644 } of entries) {
    const header = Buffer.alloc(512)
    header.write(name, 0, 100)
    header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100)
    header.write('0000000\0', 108)
    header.write('0000000\0', 116)
    header.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('00000000000\0', 136)
    header.write('        ', 148)
    header.write(type, 156)
    header.write(link, 157, 100)
    header.write('ustar\x0000', 257)
    let sum = 0
    for (const byte of header) sum += byte
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    blocks.push(header, data, Buffer.alloc((512 - (data.length % 512)) % 512))
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1_024)]))
}
