/**
 * The built-ins that the runtime uses on its way, taken before any user code runs: a function that patches
 * JSON, Buffer, Promise, Date or process changes its own world and not the runtime's.
 */
/* eslint-disable @typescript-eslint/unbound-method -- each is bound by uncurry before it is called */
import fs from 'node:fs'
import util from 'node:util'

type Method<Self, Args extends unknown[], Result> = (this: Self, ...args: Args) => Result

/** `uncurry(f)(self, …args)` is `f.call(self, …args)`, without looking up `call` at that time. */
function uncurry<Self, Args extends unknown[], Result>(method: Method<Self, Args, Result>) {
  return Function.prototype.call.bind(method) as unknown as (self: Self, ...args: Args) => Result
}

/** Methods of Node's Buffer that its types do not list; they skip the choice of an encoding. */
interface RawBuffer {
  utf8Slice(this: Uint8Array, from: number, to: number): string
  latin1Slice(this: Uint8Array, from: number, to: number): string
  utf8Write(this: Uint8Array, text: string, at: number, bytes: number): number
  latin1Write(this: Uint8Array, text: string, at: number, bytes: number): number
}
const raw = Buffer.prototype as unknown as RawBuffer

export const utf8Slice = uncurry(raw.utf8Slice)
export const latin1Slice = uncurry(raw.latin1Slice)
export const utf8Write = uncurry(raw.utf8Write)
export const latin1Write = uncurry(raw.latin1Write)
export const allocate = Buffer.allocUnsafeSlow
export const byteLength = Buffer.byteLength
export const copyWithin = uncurry(Uint8Array.prototype.copyWithin)
export const subarray = uncurry(Uint8Array.prototype.subarray)
export const sliceBytes = uncurry(Uint8Array.prototype.slice)
export const setBytes = uncurry(Uint8Array.prototype.set)

export const { parse, stringify } = JSON
export const then = uncurry(
  Promise.prototype.then as Method<Promise<unknown>, [(value: unknown) => void, (reason: unknown) => void], unknown>
)
export const { isPromise, isNativeError } = util.types
export const format = util.format
export const { readSync, writeSync } = fs

const DateClass = Date
const toIso = uncurry(Date.prototype.toISOString)
export const now = Date.now
export const isoTime = (at: number): string => toIso(new DateClass(at))
/** Milliseconds, monotonic, fractional. */
export const clock: () => number = performance.now.bind(performance)

export const later: (run: () => void) => NodeJS.Immediate = setImmediate
export const startTimer = setInterval
export const stopTimer = clearInterval
export const exit: (code: number) => never = process.exit.bind(process)
export const activeResources = process.getActiveResourcesInfo.bind(process)
