import type { InitMessage } from '../../protocol.ts'
import { defineAwslambda } from './awslambda.ts'
import type { Backend } from './backend.ts'
import type { Channel } from './channel.ts'
import { wantsCallbackWarning } from './environment.ts'
import { unhandledRejection } from './errors.ts'
import { type Handler, loadHandler, usesCallback } from './handler-loader.ts'
import { type Answer, errorAnswer } from './invocation.ts'
import { createLogger, type Logger, patchConsole } from './logger.ts'
import { exit, later } from './primordials.ts'

/** Exit codes as on Lambda. */
const UNHANDLED_REJECTION = 128
export const UNCAUGHT_EXCEPTION = 129
/** Node's own for a module whose top-level await can never settle. */
const UNSETTLED_INIT = 13

const CALLBACK_WARNING =
  'This handler uses a callback, which nodejs24.x and later no longer support: write it as an async function. To hide this line, set AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING.'

/** Ends the instance: tells whom `answer` concerns, with `log` before it, and exits with `code`. */
export type Die = (answer: Answer, code: number, log: () => void) => void

/** Loads the function on this thread and serves it with `backend`; ends the process when that fails. */
export async function serveOnMainThread(channel: Channel, message: InitMessage, backend: Backend): Promise<void> {
  const logger = createLogger(message.logFormat, message.logLevel, backend.requestId, backend.log)
  patchConsole(logger)
  let serving = false
  process.on('beforeExit', () => {
    if (serving) backend.loopIsEmpty()
    else exit(UNSETTLED_INIT)
  })
  process.on('exit', () => {
    backend.leave()
  })
  const die: Die = (answer, code, log) => {
    if (serving) {
      backend.fail(answer, log)
    } else {
      log()
      channel.outbox.initError(answer.errorType, answer.body as string)
    }
    exit(code)
  }
  catchStrays(logger, die)
  const handler = await loadOrDie(message, logger, die)
  // A turn later, so that what the module left rejected is known before the function counts as initialised.
  later(() => {
    serving = true
    channel.outbox.initOk()
    backend.serve(handler, logger)
  })
}

/** Loads the handler; what goes wrong is logged and given to `die` as Lambda reports it. */
export async function loadOrDie(message: InitMessage, logger: Logger, die: Die): Promise<Handler> {
  defineAwslambda()
  try {
    const handler = await loadHandler(message.taskRoot, message.handler, message.runtime)
    if (usesCallback(handler) && wantsCallbackWarning()) logger.warn(CALLBACK_WARNING)
    return handler
  } catch (error) {
    die(errorAnswer(error), UNCAUGHT_EXCEPTION, () => {
      logger.failure('Uncaught Exception', error)
    })
    // Only a worker thread gets here: the main thread ends the process for it.
    return await new Promise<never>(() => undefined)
  }
}

/** Reports errors that nothing caught, once, and lets `die` end what has to end. */
export function catchStrays(logger: Logger, die: Die): void {
  let dying = false
  const report = (kind: string, error: unknown, code: number): void => {
    if (dying) return
    dying = true
    die(errorAnswer(error), code, () => {
      logger.failure(kind, error)
    })
  }
  process.on('uncaughtException', (error: unknown) => {
    report('Uncaught Exception', error, UNCAUGHT_EXCEPTION)
  })
  process.on('unhandledRejection', (reason) => {
    report('Unhandled Promise Rejection', unhandledRejection(reason), UNHANDLED_REJECTION)
  })
}
