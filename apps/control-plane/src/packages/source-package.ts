import { HearthError } from '@hearth/shared'
import type { BuildFailure, Loader, Metafile } from 'esbuild'
import yazl from 'yazl'

/** A single source file, made into a package. */
export interface SourcePackage {
  readonly zip: Buffer
  /** `index.handler` or `index.default`. */
  readonly handler: string
  /** Names that the module exports; undefined for CommonJS, where nobody can tell without running it. */
  readonly exports: readonly string[] | undefined
  readonly notices: readonly string[]
}

export const SOURCE_EXTENSIONS = ['.mjs', '.cjs', '.js', '.ts'] as const
export type SourceExtension = (typeof SOURCE_EXTENSIONS)[number]

/** A single file that a person wrote is far below this; what is larger is a bundle and may come as a zip. */
const SOURCE_BYTES = 10 * 1_048_576

/** The same source makes the same package, whenever it is sent. */
const FIXED_TIME = new Date(Date.UTC(2020, 0, 1, 12))

interface Analysis {
  readonly format: 'esm' | 'cjs' | undefined
  readonly exports: readonly string[]
  readonly typescript: boolean
}

/**
 * Turns source text into a zip with one file, `index.mjs` or `index.cjs` or `index.js`. TypeScript is translated.
 *
 * @param extension - Of the file name that came with it; undefined: told from the text.
 * @throws HearthError INVALID_SOURCE, INVALID_PAYLOAD, PAYLOAD_TOO_LARGE
 */
export async function packSource(bytes: Buffer, extension: SourceExtension | undefined): Promise<SourcePackage> {
  const source = decodeSource(bytes)
  const analysis = await analyse(source, extension)
  const notices: string[] = []
  const file = fileName(analysis, extension)
  if (extension === '.js' && file !== 'index.js') notices.push(`The source is an ES module, so it is kept as ${file}.`)
  if (extension === undefined && analysis.typescript) notices.push('The source is TypeScript.')
  const code = analysis.typescript ? await translate(source, analysis) : source
  const exports = analysis.format === 'esm' ? analysis.exports : undefined
  if (analysis.format === undefined) {
    notices.push(
      'The source exports nothing that can be seen: a handler looks like `export const handler = async (event) => ({ ok: true })`.'
    )
  }
  const handler =
    exports !== undefined && !exports.includes('handler') && exports.includes('default')
      ? 'index.default'
      : 'index.handler'
  return { zip: await zipOne(file, code), handler, exports, notices }
}

/** @throws HearthError INVALID_SOURCE when `handler` names something that the module does not export */
export function checkExport(source: SourcePackage, handler: string): void {
  const name = handler.startsWith('index.') ? handler.slice('index.'.length) : undefined
  if (source.exports === undefined || name === undefined || name.includes('.') || source.exports.includes(name)) return
  const has = source.exports.length === 0 ? 'It exports nothing.' : `It exports: ${source.exports.join(', ')}.`
  throw new HearthError(
    'INVALID_SOURCE',
    `The source does not export "${name}", which the handler "${handler}" names. ${has}`
  )
}

export function decodeSource(bytes: Buffer): string {
  if (bytes.length === 0)
    throw new HearthError('INVALID_PAYLOAD', 'The request has no body: send a source file, a zip or a tar.gz.')
  if (bytes.length > SOURCE_BYTES) {
    throw new HearthError(
      'PAYLOAD_TOO_LARGE',
      `A source file may have ${SOURCE_BYTES} bytes; larger code comes as a zip or tar.gz.`
    )
  }

  try {
    const source = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (!source.includes('\0')) return source
  } catch {
    // Answered below.
  }
  throw new HearthError('INVALID_SOURCE', 'The body is neither a zip nor a gzipped tar nor UTF-8 text.')
}

function fileName(analysis: Analysis, extension: SourceExtension | undefined): string {
  if (extension === '.mjs' || analysis.format === 'esm') return 'index.mjs'
  if (extension === '.cjs' || (extension === '.ts' && analysis.format === 'cjs')) return 'index.cjs'
  return 'index.js'
}

async function analyse(source: string, extension: SourceExtension | undefined): Promise<Analysis> {
  if (extension !== undefined) return analyseAs(source, extension === '.ts' ? 'ts' : 'js')
  try {
    return await analyseAs(source, 'js')
  } catch (thrown) {
    // Without a name it may still be TypeScript; if it is neither, the first complaint is the better one.
    return analyseAs(source, 'ts').catch(() => {
      throw thrown
    })
  }
}

/** Has esbuild parse the text. Nothing is resolved or read: every import is answered with "external". */
async function analyseAs(source: string, loader: Loader): Promise<Analysis> {
  const { build } = await import('esbuild')
  try {
    const { metafile } = await build({
      stdin: { contents: source, loader, sourcefile: 'source' },
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
      logLevel: 'silent',
      tsconfigRaw: '{}',
      plugins: [
        {
          name: 'resolve-nothing',
          setup(plugin) {
            plugin.onResolve({ filter: /.*/ }, ({ path }) => ({ path, external: true }))
          }
        }
      ]
    })
    return describe(metafile, loader)
  } catch (thrown) {
    throw new HearthError('INVALID_SOURCE', firstError(thrown), { cause: thrown })
  }
}

function describe(metafile: Metafile, loader: Loader): Analysis {
  const [input] = Object.values(metafile.inputs)
  const [output] = Object.values(metafile.outputs)
  return { format: input?.format, exports: output?.exports ?? [], typescript: loader === 'ts' }
}

async function translate(source: string, analysis: Analysis): Promise<string> {
  const { transform } = await import('esbuild')
  const { code } = await transform(source, {
    loader: 'ts',
    format: analysis.format === 'esm' ? 'esm' : 'cjs',
    target: 'node20',
    sourcemap: 'inline',
    sourcefile: 'index.ts',
    tsconfigRaw: '{}',
    logLevel: 'silent'
  })
  return code
}

function firstError(thrown: unknown): string {
  const error = (thrown as Partial<BuildFailure>).errors?.[0]
  if (error === undefined) return 'The source cannot be parsed.'
  const { location } = error
  const where =
    location === null
      ? ''
      : ` (line ${location.line}, column ${location.column + 1}: ${location.lineText.trim().slice(0, 120)})`
  return `The source cannot be parsed: ${error.text}${where}`
}

/** A zip with one file in it: the same for the same source, whenever it is sent. */
export async function zipOne(name: string, code: string, executable = false): Promise<Buffer> {
  const zip = new yazl.ZipFile()
  zip.addBuffer(Buffer.from(code), name, { mtime: FIXED_TIME, mode: executable ? 0o100755 : 0o100644 })
  zip.end()
  const chunks: Buffer[] = []
  for await (const chunk of zip.outputStream as unknown as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
