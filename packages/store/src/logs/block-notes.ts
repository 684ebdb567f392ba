import type { FileHandle } from 'node:fs/promises'
import { appendRecords, encodeRecord, repairRecords } from './block-records.ts'
import { blocksFile, removeFile } from './segment-files.ts'
import { BlockScan, readLines } from './segment-scan.ts'

/** Describes the blocks of the segment that is being written, as they become full. */
export class BlockNotes {
  readonly #dir: string
  readonly #number: number
  readonly #scan: BlockScan
  #bytes: number
  #records: Buffer[] = []
  /** What would come behind a part of a record is not believed. */
  #isBroken = false

  private constructor(dir: string, number: number, from: { textBytes: number; lastOffset: number; bytes: number }) {
    this.#dir = dir
    this.#number = number
    this.#bytes = from.bytes
    this.#scan = new BlockScan(from.textBytes, from.lastOffset, (block) => {
      this.#records.push(encodeRecord(block))
    })
  }

  /** Goes on with what a text has already, torn or not. @throws Error what the disk says */
  static async open(dir: string, number: number, file: FileHandle, textBytes: number): Promise<BlockNotes> {
    const isLineEnd = async (offset: number): Promise<boolean> => {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(1), 0, 1, offset - 1)
      return bytesRead === 1 && buffer[0] === 10
    }
    return new BlockNotes(dir, number, await repairRecords(dir, number, textBytes, isLineEnd))
  }

  /** On disk. */
  get bytes(): number {
    return this.#bytes
  }

  /** Of the text, as far as it is known: whole lines. */
  get textBytes(): number {
    return this.#scan.textBytes
  }

  /** Where the last event begins; -1 without any. */
  get lastOffset(): number {
    return this.#scan.lastOffset
  }

  /** Reads what was written by others, or by a write that failed. @throws Error what the disk says */
  async catchUp(file: FileHandle): Promise<void> {
    await readLines(file, this.textBytes, (lines) => {
      this.#scan.add(lines)
    })
  }

  /**
   * @param lines - Whole lines
   * @param tornBytes - What stands before them, with the newline that ends it
   */
  add(lines: Buffer, tornBytes: number): void {
    if (tornBytes > 0) this.#scan.skip(tornBytes)
    this.#scan.add(lines)
  }

  /** Writes down what is known of full blocks. Without it readers find out themselves: it is no error that it fails. */
  async save(): Promise<void> {
    const records = this.#records
    if (records.length === 0) return
    this.#records = []
    if (this.#isBroken) return
    try {
      this.#bytes += await appendRecords(this.#dir, this.#number, records)
    } catch {
      this.#isBroken = true
    }
  }

  async remove(): Promise<void> {
    await removeFile(blocksFile(this.#dir, this.#number))
  }
}
