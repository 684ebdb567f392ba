/** A file to be put into an archive. */
export interface TarFile {
  /** ASCII, at most 100 characters. */
  readonly name: string
  readonly body: Buffer
}

const BLOCK = 512

/**
 * An archive in the ustar format, of ordinary files alone.
 *
 * @param at - When they are said to be of, Unix time in ms
 */
export function createTar(files: readonly TarFile[], at: number): Buffer {
  const parts = files.flatMap(({ name, body }) => [headerOf(name, body.length, at), body, padding(body.length)])
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)])
}

function headerOf(name: string, size: number, at: number): Buffer {
  const header = Buffer.alloc(BLOCK)
  header.write(name, 0, 100, 'latin1')
  header.write('0000600\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  header.write(
    `${Math.floor(at / 1_000)
      .toString(8)
      .padStart(11, '0')}\0`,
    136
  )
  // The sum is taken with blanks in its own place.
  header.write('        ', 148)
  header.write('0', 156)
  header.write('ustar\0', 257)
  header.write('00', 263)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)
}
