import { type Attack, ended, type Report } from '../attack.ts'
import type { RuntimeName } from '../runtimes/runtime.ts'

const NOTHING = Buffer.alloc(0)
const MICROS = Buffer.alloc(4)

/** A frame as packages/executor/src/protocol.ts describes it; `lengths` may lie. */
function frame(type: number, seq: number, meta: Buffer, payload: string | Buffer, lengths: Partial<Lengths> = {}) {
  const body = Buffer.concat([meta, Buffer.from(payload as string)])
  const header = Buffer.alloc(12)
  header.writeUInt32LE(lengths.body ?? body.length, 0)
  header.writeUInt8(type, 4)
  header.writeUInt8(lengths.flags ?? 0, 5)
  header.writeUInt16LE(lengths.meta ?? meta.length, 6)
  header.writeUInt32LE(seq, 8)
  return Buffer.concat([header, body])
}

interface Lengths {
  readonly body: number
  readonly meta: number
  readonly flags: number
}

const log = (at: number, level: number, text: string) => {
  const meta = Buffer.alloc(9)
  meta.writeDoubleLE(at, 0)
  meta.writeUInt8(level, 8)
  return frame(21, 1, meta, text)
}

const broken = ended('Runtime.ExitError', 'Sandbox.Timedout')
/** An answer of its own is fine; another's is not. */
const ownAnswer = ({ status, text }: Report) =>
  status === 200 && text !== '"mine"'
    ? `another’s answer: ${text.slice(0, 200)}`
    : status === 429
      ? 'refused'
      : undefined

/** What every runtime's code can write to the channel that its runtime was started with. */
const SENDS: readonly {
  readonly what: string
  readonly bytes: Buffer
  readonly verdict: NonNullable<Attack['verdict']>
  readonly calls?: number
}[] = [
  {
    what: 'answers events that it was not given',
    bytes: Buffer.concat([2, 3, 0, 0xffff_ffff].map((seq) => frame(19, seq, MICROS, '"forged"'))),
    verdict: broken
  },
  {
    what: 'announces lengths that are not so',
    bytes: Buffer.concat([
      frame(21, 1, Buffer.alloc(9), 'x', { meta: 9, body: 10 }),
      frame(19, 1, MICROS, '"mine"', { meta: 0xffff }),
      frame(19, 1, MICROS, 'x', { body: 0xffff_ffff })
    ]),
    verdict: broken
  },
  {
    what: 'says twice that its init is done, and wants to be told before its end',
    bytes: Buffer.concat([frame(17, 0, NOTHING, '', { flags: 1 }), frame(17, 0, NOTHING, '', { flags: 255 })]),
    verdict: broken
  },
  {
    what: 'gives back an event that was not sent ahead',
    bytes: Buffer.concat([frame(22, 1, NOTHING, ''), frame(22, 2, NOTHING, '')]),
    verdict: broken
  },
  {
    what: 'says that it is about to end, and answers on',
    calls: 3,
    bytes: Buffer.concat([
      frame(19, 1, MICROS, '"mine"', { flags: 255 }),
      frame(19, 2, MICROS, '"forged"', { flags: 1 }),
      frame(20, 1, Buffer.concat([MICROS, Buffer.from('Forged')]), '{}')
    ]),
    verdict: ownAnswer
  },
  {
    what: 'floods its log with forged times and levels',
    bytes: Buffer.concat(
      [Number.NaN, Infinity, -1e300, 1e300, 8.64e15, 0].flatMap((at) =>
        [0, 5, 6, 255].map((level) => log(at, level, `"}\n{"forged":1}${'x'.repeat(1_000)}`))
      )
    ),
    verdict: ended('Sandbox.Timedout')
  }
]

const WRITERS: Readonly<Record<Exclude<RuntimeName, 'provided'>, (hex: string, again: boolean) => string>> = {
  python: (hex, again) => (again ? `while True:\n    send("${hex}")` : `send("${hex}")\nwhile True:\n    pass`),
  ruby: (hex, again) => (again ? `loop { send_frame('${hex}') }` : `send_frame('${hex}')\nloop {}`),
  java: (hex, again) => (again ? `for (;;) send("${hex}");` : `send("${hex}");\nfor (;;);`),
  dotnet: (hex, again) => (again ? `for (;;) send("${hex}");` : `send("${hex}");\nfor (;;);`)
}

/** Frames that each language's own code writes: what protects from them may not depend on who runs in the sandbox. */
export default Object.entries(WRITERS).flatMap(([language, write]) =>
  SENDS.map(
    ({ what, bytes, verdict, calls }): Attack => ({
      name: `in ${language}: ${what}`,
      in: language as RuntimeName,
      settings: 'timeout=2',
      body: write(bytes.toString('hex'), what.startsWith('floods')),
      verdict,
      ...(calls === undefined ? {} : { calls })
    })
  )
)
