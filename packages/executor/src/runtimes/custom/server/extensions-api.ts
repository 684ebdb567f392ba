import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { InitMessage } from '../../../protocol.ts'
import type { Event } from './event.ts'
import { accepted, answer, header, readBody, refuse } from './http.ts'

export type Subscription = 'INVOKE' | 'SHUTDOWN'

/** One extension, by what it has told. */
export interface Extension {
  readonly name: string
  readonly id: string
  readonly events: readonly Subscription[]
  /** Started by the platform from /opt/extensions, as opposed to one inside the runtime's process. */
  readonly isExternal: boolean
  /** It waits for its next event with this answer open. */
  waiting: ServerResponse | undefined
  /** It has been given an event and has not come back for the next. */
  isBusy: boolean
}

export interface ExtensionsListener {
  onRegistered(extension: Extension): void
  onNext(extension: Extension): void
  /** It says that its init, or later it itself, failed. */
  onFailed(extension: Extension, phase: 'init' | 'exit', errorType: string): void
}

const PREFIX = '/2020-01-01/extension/'
const MAX_EXTENSIONS = 10
const BODY_BYTES = 65_536
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The Extensions API, version 2020-01-01. */
export class ExtensionsApi {
  readonly #listener: ExtensionsListener
  readonly #facts: Pick<InitMessage, 'functionName' | 'functionVersion' | 'handler'>
  readonly #external: ReadonlySet<string>
  readonly #extensions = new Map<string, Extension>()
  #isOpen = true

  /** @param external - File names of those that the platform starts */
  constructor(
    facts: Pick<InitMessage, 'functionName' | 'functionVersion' | 'handler'>,
    external: readonly string[],
    listener: ExtensionsListener
  ) {
    this.#facts = facts
    this.#external = new Set(external)
    this.#listener = listener
  }

  get all(): readonly Extension[] {
    return [...this.#extensions.values()]
  }

  find(id: string): Extension | undefined {
    return this.#extensions.get(id)
  }

  /** Whether nobody is at work on an event or at its init. */
  get areIdle(): boolean {
    return this.all.every(({ waiting }) => waiting !== undefined)
  }

  get hasExternalUnregistered(): boolean {
    const names = new Set(this.all.filter(({ isExternal }) => isExternal).map(({ name }) => name))
    return [...this.#external].some((name) => !names.has(name))
  }

  /** The runtime has come up: nobody may register any more. */
  closeRegistration(): void {
    this.#isOpen = false
  }

  handle(req: IncomingMessage, res: ServerResponse, path: string): boolean {
    if (!path.startsWith(PREFIX)) return false
    switch (`${req.method ?? ''} ${path.slice(PREFIX.length)}`) {
      case 'POST register':
        this.#register(req, res)
        return true
      case 'GET event/next': {
        const extension = this.identify(req, res)
        if (extension !== undefined) this.#next(extension, res)
        return true
      }
      case 'POST init/error':
        this.#failed(req, res, 'init')
        return true
      case 'POST exit/error':
        this.#failed(req, res, 'exit')
        return true
      default:
        return false
    }
  }

  /** Who sends this request; it is refused when that is nobody. */
  identify(req: IncomingMessage, res: ServerResponse): Extension | undefined {
    const id = header(req, 'lambda-extension-identifier')
    if (id === '') {
      refuse(res, 403, 'Extension.MissingExtensionIdentifier', 'Missing Lambda-Extension-Identifier header')
      return undefined
    }
    if (!UUID.test(id)) {
      refuse(res, 403, 'Extension.InvalidExtensionIdentifier', 'Invalid Lambda-Extension-Identifier')
      return undefined
    }
    const extension = this.#extensions.get(id)
    if (extension === undefined) refuse(res, 403, 'Extension.UnknownExtensionIdentifier', `Unknown extension ${id}`)
    return extension
  }

  /** Tells those who asked for it of an event that begins. */
  invoke(event: Event): void {
    const body = {
      eventType: 'INVOKE',
      deadlineMs: Math.floor(event.deadlineMs),
      requestId: event.requestId,
      invokedFunctionArn: event.invokedArn,
      tracing: { type: 'X-Amzn-Trace-Id', value: event.traceId }
    }
    for (const extension of this.all) if (extension.events.includes('INVOKE')) this.#give(extension, body)
  }

  /** Tells those who asked for it that the end is near. @returns them */
  shutdown(shutdownReason: string, deadlineMs: number): readonly Extension[] {
    const told = this.all.filter(({ events }) => events.includes('SHUTDOWN'))
    for (const extension of told) this.#give(extension, { eventType: 'SHUTDOWN', shutdownReason, deadlineMs })
    return told
  }

  #register(req: IncomingMessage, res: ServerResponse): void {
    const name = header(req, 'lambda-extension-name')
    const accepts = header(req, 'lambda-extension-accept-feature')
    readBody(req, BODY_BYTES, (body) => {
      if (body.kind !== 'whole') {
        refuse(res, 403, 'InvalidRequestFormat', 'The request is too large.')
        return
      }
      if (name === '') {
        refuse(res, 403, 'Extension.InvalidExtensionName', 'Empty extension name')
        return
      }
      const events = parseEvents(body.bytes)
      if (events === undefined) {
        refuse(res, 403, 'InvalidRequestFormat', 'The body must be JSON such as {"events":["INVOKE","SHUTDOWN"]}.')
        return
      }
      const isExternal = this.#external.has(name)
      const bad = events.find((event) => event !== 'INVOKE' && (event !== 'SHUTDOWN' || !isExternal))
      if (bad !== undefined) {
        const why = bad === 'SHUTDOWN' ? 'ShutdownEventNotSupportedForInternalExtension' : `${bad}: InvalidEventType`
        refuse(
          res,
          403,
          bad === 'SHUTDOWN' ? 'ShutdownEventNotSupportedForInternalExtension' : 'Extension.InvalidEventType',
          why
        )
        return
      }
      if (!this.#isOpen) {
        refuse(res, 403, 'Extension.RegistrationClosed', 'Extension registration closed already')
        return
      }
      if (this.all.some((other) => other.name === name)) {
        refuse(res, 403, 'Extension.InvalidExtensionState', `Extension ${name} has registered already`)
        return
      }
      if (this.#extensions.size >= MAX_EXTENSIONS) {
        refuse(res, 403, 'Extension.TooManyExtensions', `Extension limit (${MAX_EXTENSIONS}) reached`)
        return
      }
      const id = randomUUID()
      const extension: Extension = {
        name,
        id,
        events: events as Subscription[],
        isExternal,
        waiting: undefined,
        isBusy: true
      }
      this.#extensions.set(id, extension)
      const { functionName, functionVersion, handler } = this.#facts
      const accountId = accepts.includes('accountId') ? { accountId: process.env['AWS_ACCOUNT_ID'] ?? '' } : {}
      answer(res, 200, { functionName, functionVersion, handler, ...accountId }, { 'lambda-extension-identifier': id })
      this.#listener.onRegistered(extension)
    })
  }

  #next(extension: Extension, res: ServerResponse): void {
    extension.waiting?.destroy()
    extension.waiting = res
    extension.isBusy = false
    res.once('close', () => {
      if (extension.waiting === res) extension.waiting = undefined
    })
    this.#listener.onNext(extension)
  }

  #failed(req: IncomingMessage, res: ServerResponse, phase: 'init' | 'exit'): void {
    req.resume()
    const extension = this.identify(req, res)
    if (extension === undefined) return
    const errorType = header(req, 'lambda-extension-function-error-type')
    if (errorType === '') {
      refuse(res, 403, 'Extension.MissingHeader', 'Missing Lambda-Extension-Function-Error-Type header')
      return
    }
    accepted(res)
    this.#listener.onFailed(extension, phase, errorType)
  }

  #give(extension: Extension, body: object): void {
    const res = extension.waiting
    extension.waiting = undefined
    extension.isBusy = true
    if (res !== undefined) answer(res, 200, body, { 'lambda-extension-event-identifier': randomUUID() })
  }
}

function parseEvents(bytes: Buffer): string[] | undefined {
  try {
    const { events } = JSON.parse(bytes.toString()) as { events?: unknown }
    if (Array.isArray(events) && events.every((event) => typeof event === 'string')) return [...new Set<string>(events)]
  } catch {
    // Answered by whoever asked.
  }
  return undefined
}
