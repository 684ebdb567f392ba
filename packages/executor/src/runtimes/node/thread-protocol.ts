import type { MessagePort } from 'node:worker_threads'
import type { InitMessage } from '../../protocol.ts'

/** Handed to every worker thread as `workerData`. */
export interface WorkerSetup {
  readonly message: InitMessage
}

/** What a worker's first message carries: a port of its own, on which all the messages below come in order. */
export interface WorkerHello {
  readonly thread: number
  readonly port: MessagePort
}

/** What a worker tells the main thread besides the answers, which are Piscina's results. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'log'; readonly seq: number; readonly atMs: number; readonly level: number; readonly text: string }
  /** A streamed answer begins, and its pieces. */
  | { readonly kind: 'start'; readonly seq: number; readonly thread: number; readonly contentType: string }
  | { readonly kind: 'data'; readonly seq: number; readonly bytes: Uint8Array; readonly isLast: boolean }
  /** An answer that came too late to be a task's result: the thread is about to end. */
  | {
      readonly kind: 'answer'
      readonly seq: number
      readonly micros: number
      readonly errorType: string
      readonly body: string | Uint8Array
      readonly streamed: boolean
    }
  /** An error that nothing caught, or a handler that could not be loaded: the instance ends. */
  | {
      readonly kind: 'fatal'
      readonly culprits: readonly { readonly seq: number; readonly micros: number; readonly streamed: boolean }[]
      readonly errorType: string
      readonly body: string
      readonly code: number
    }
  /** The function called process.exit. */
  | { readonly kind: 'exit'; readonly code: number }

/** A task's result. */
export interface WorkerAnswer {
  readonly thread: number
  readonly micros: number
  readonly errorType: string
  readonly body: string | Uint8Array
  readonly streamed: boolean
}

/** What the main thread tells a worker: room for more of a streamed answer. */
export interface WorkerCredit {
  readonly seq: number
  readonly cost: number
}
