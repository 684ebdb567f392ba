import fs from 'node:fs'
import { allocate, writeSync } from './primordials.ts'

/**
 * Notes the event being started in a small file that outlives this process: after a crash the gateway knows from it
 * which of the events that it sent ahead had begun. Bytes 0–7: sequence number, little endian.
 */
export function openProgress(fd: number): (seq: number) => void {
  if (!isFile(fd)) return () => undefined
  const bytes = allocate(8).fill(0)
  return (seq) => {
    bytes[0] = seq & 0xff
    bytes[1] = (seq >>> 8) & 0xff
    bytes[2] = (seq >>> 16) & 0xff
    bytes[3] = seq >>> 24
    writeSync(fd, bytes, 0, 8, 0)
  }
}

function isFile(fd: number): boolean {
  try {
    return fs.fstatSync(fd).isFile()
  } catch {
    return false
  }
}
