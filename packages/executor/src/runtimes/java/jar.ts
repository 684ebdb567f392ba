import { inflateRawSync } from 'node:zlib'

const END_SIGNATURE = 0x06054b50
const ENTRY_SIGNATURE = 0x02014b50
const LOCAL_SIGNATURE = 0x04034b50
const END_BYTES = 22
const ENTRY_BYTES = 46
const LOCAL_BYTES = 30
const MAX_COMMENT_BYTES = 65_535
const STORED = 0
const DEFLATED = 8
/** A class file is at most this large: methods and constants are counted with 16 bits, and this is far above real ones. */
const MAX_CLASS_BYTES = 16_777_216

/**
 * Reads one file out of a jar. Of the JVM's own reading this is the part that matters: the directory at the end decides.
 *
 * @param jar - Untrusted
 * @returns undefined when the jar is damaged or has no such file
 */
export function readJarEntry(jar: Buffer, name: string): Buffer | undefined {
  try {
    const wanted = Buffer.from(name)
    let at = directoryOffset(jar)
    while (jar.readUInt32LE(at) === ENTRY_SIGNATURE) {
      const nameEnd = at + ENTRY_BYTES + jar.readUInt16LE(at + 28)
      if (jar.subarray(at + ENTRY_BYTES, nameEnd).equals(wanted)) return contentOf(jar, at)
      at = nameEnd + jar.readUInt16LE(at + 30) + jar.readUInt16LE(at + 32)
    }
    return undefined
  } catch {
    // Offsets that lead out of the file, or what cannot be inflated.
    return undefined
  }
}

/**
 * The Java version that a class file needs, e.g. 17.
 * @param head - Its first 8 bytes
 * @returns undefined when it is no class file
 */
export function classVersion(head: Buffer): number | undefined {
  return head.length >= 8 && head.readUInt32BE(0) === 0xcafebabe ? head.readUInt16BE(6) - 44 : undefined
}

function directoryOffset(jar: Buffer): number {
  for (let at = jar.length - END_BYTES; at >= Math.max(0, jar.length - END_BYTES - MAX_COMMENT_BYTES); at--) {
    if (jar.readUInt32LE(at) === END_SIGNATURE) return jar.readUInt32LE(at + 16)
  }
  throw new RangeError('no directory')
}

function contentOf(jar: Buffer, entry: number): Buffer | undefined {
  const method = jar.readUInt16LE(entry + 10)
  const bytes = jar.readUInt32LE(entry + 20)
  const local = jar.readUInt32LE(entry + 42)
  if (jar.readUInt32LE(local) !== LOCAL_SIGNATURE) return undefined
  const from = local + LOCAL_BYTES + jar.readUInt16LE(local + 26) + jar.readUInt16LE(local + 28)
  const content = jar.subarray(from, from + bytes)
  if (method === STORED) return content
  return method === DEFLATED ? inflateRawSync(content, { maxOutputLength: MAX_CLASS_BYTES }) : undefined
}
