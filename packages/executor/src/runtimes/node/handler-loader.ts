import fs from 'node:fs'
import Module from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { streamingOf } from './awslambda.ts'
import { RuntimeError } from './errors.ts'

/** A function's handler and the rules that it runs under. */
export interface Handler {
  readonly call: (...args: unknown[]) => unknown
  /** Whether it gets a callback and `context.succeed/fail/done`: up to nodejs22.x. */
  readonly callbacks: boolean
  /** Whether it was declared `async`. */
  readonly isAsync: boolean
  /** Set when it writes its answer to a stream. */
  readonly streaming: { readonly highWaterMark: number | undefined } | undefined
}

const FIRST_WITHOUT_CALLBACKS = 24

/**
 * Node's loader as the runtime's own: modules that cannot be found name /var/runtime/index.mjs at the end of their
 * require stack, as on Lambda.
 */
const requireFromRuntime = Module.createRequire('/var/runtime/index.mjs')

/**
 * Loads `handlerName` the way Lambda's Node.js runtime does.
 * @param taskRoot - Absolute
 * @param runtime - AWS identifier, e.g. `nodejs20.x`
 * @throws RuntimeError for what the platform names, and whatever the module throws while it is evaluated
 * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
 */
export async function loadHandler(taskRoot: string, handlerName: string, runtime: string): Promise<Handler> {
  if (handlerName.includes('..')) {
    throw new RuntimeError(
      'MalformedHandlerName',
      `'${handlerName}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`
    )
  }
  const base = path.basename(handlerName)
  const folder = handlerName.slice(0, handlerName.indexOf(base))
  const dot = base.indexOf('.')
  if (dot < 0) throw new RuntimeError('MalformedHandlerName', 'Bad handler')

  const exported = await load(taskRoot, folder, base.slice(0, dot))
  const handler = property(exported, base.slice(dot + 1))
  if (!handler) throw new RuntimeError('HandlerNotFound', `${handlerName} is undefined or not exported`)
  if (typeof handler !== 'function') throw new RuntimeError('HandlerNotFound', `${handlerName} is not a function`)

  const callbacks = majorOf(runtime) < FIRST_WITHOUT_CALLBACKS
  const streaming = streamingOf(handler)
  if (!callbacks && handler.length >= 3 && streaming === undefined) {
    throw new RuntimeError(
      'CallbackHandlerDeprecated',
      'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.'
    )
  }
  const isAsync = handler.constructor?.name === 'AsyncFunction'
  return { call: handler as Handler['call'], callbacks, isAsync, streaming }
}

/** Whether Lambda warns that this handler will not run on nodejs24.x. */
export function usesCallback(handler: Handler): boolean {
  return handler.callbacks && handler.streaming === undefined && !handler.isAsync && handler.call.length === 3
}

function majorOf(runtime: string): number {
  const digits = /^nodejs(\d+)/.exec(runtime)?.[1]
  return digits === undefined ? FIRST_WITHOUT_CALLBACKS : Number(digits)
}

async function load(taskRoot: string, folder: string, name: string): Promise<unknown> {
  try {
    return await find(taskRoot, folder, name)
  } catch (error) {
    if (error instanceof SyntaxError) throw new RuntimeError('UserCodeSyntaxError', String(error), error.stack)
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'MODULE_NOT_FOUND') {
      throw new RuntimeError('ImportModuleError', String(error))
    }
    throw error
  }
}

/** Lambda's order: no extension, .js as the package says, .mjs, .cjs, then Node's own resolution. */
async function find(taskRoot: string, folder: string, name: string): Promise<unknown> {
  const file = path.resolve(taskRoot, folder, name)
  const modules = isModulePackage(path.dirname(file))
  const loaded =
    required(file) ||
    (modules ? await imported(`${file}.js`) : required(`${file}.js`)) ||
    (await imported(`${file}.mjs`)) ||
    required(`${file}.cjs`)
  if (loaded) return loaded
  return requireFromRuntime(requireFromRuntime.resolve(name, { paths: [taskRoot, folder] })) as unknown
}

function required(file: string): unknown {
  return fs.existsSync(file) ? requireFromRuntime(file) : undefined
}

async function imported(file: string): Promise<unknown> {
  return fs.existsSync(file) ? await import(pathToFileURL(file).href) : undefined
}

/** What the nearest package.json upwards says of .js files; node_modules ends the search. */
function isModulePackage(folder: string): boolean {
  if (folder.endsWith('/node_modules')) return false
  try {
    const text = fs.readFileSync(path.join(folder, 'package.json'), 'utf8')
    return (JSON.parse(text) as { type?: unknown } | null)?.type === 'module'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) {
      console.warn(
        `${path.join(folder, 'package.json')} cannot be read, it will be ignored for ES module detection purposes.`,
        error
      )
      return false
    }
  }
  return folder === '/' ? false : isModulePackage(path.dirname(folder))
}

function property(exported: unknown, keys: string): { length: number; constructor?: { name?: string } } | undefined {
  let value = exported
  for (const key of keys.split('.')) value = value && (value as Record<string, unknown>)[key]
  return value as { length: number } | undefined
}
