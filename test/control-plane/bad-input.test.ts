import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { crc32, deflateRawSync, gzipSync } from 'node:zlib'
import { LIMITS } from '@hearth/shared'
import t from 'tap'
import { type RawEntry, ROLE, rawZip, SOURCE, startControlPlane, tarGz, zipOf } from './support.ts'

const zip = (...entries: RawEntry[]): Buffer => rawZip(entries, (data) => crc32(data))
const LINK = 0o120777

/** The beginning of a program for the processor with this number. */
function elf(machine: number): Buffer {
  const head = Buffer.alloc(64)
  head.write('\x7fELF\x02\x01\x01', 'latin1')
  head.writeUInt16LE(machine, 18)
  return head
}

/** A small entry that unpacks to `bytes` zeros. */
function bomb(name: string, bytes: number, declared = bytes): RawEntry {
  const zeros = Buffer.alloc(bytes)
  return { name, data: deflateRawSync(zeros), method: 8, crc: crc32(zeros), uncompressedSize: declared }
}

t.setTimeout(90_000)
t.test('each refused deploy has its status, code and text, and leaves nothing behind', async (t) => {
  const { put, files, get, app, token } = await startControlPlane(t)
  const good = await zipOf({ 'index.mjs': SOURCE })
  const before = await files()
  const many = zip(
    ...Array.from({ length: LIMITS.archiveEntries + 1 }, (_, index) => ({ name: `f${index}`, data: Buffer.alloc(0) }))
  )
  const one = zip({ name: 'a', data: Buffer.from('same') })
  const cases: readonly {
    readonly name: string
    readonly target?: string
    readonly body?: Buffer | string
    readonly headers?: Record<string, string>
    readonly status?: number
    readonly code: string
    readonly text: RegExp
  }[] = [
    // names
    {
      name: 'a dot in the name',
      target: 'my.func',
      code: 'INVALID_REQUEST',
      text: /"my.func" cannot be a function's name/
    },
    { name: 'a name of 65 characters', target: 'a'.repeat(65), code: 'INVALID_REQUEST', text: /1 to 64 letters/ },
    { name: 'a blank', target: 'a%20b', code: 'INVALID_REQUEST', text: /cannot be a function's name/ },
    { name: 'a traversal', target: '..%2F..%2Fetc', code: 'INVALID_REQUEST', text: /cannot be a function's name/ },
    { name: 'a NUL', target: 'a%00b', code: 'INVALID_REQUEST', text: /cannot be a function's name/ },
    { name: 'only an extension', target: '.mjs', code: 'INVALID_REQUEST', text: /cannot be a function's name/ },
    { name: 'bad percent encoding', target: '%zz', code: 'INVALID_REQUEST', text: /not a valid url component/ },
    { name: 'no name', target: '', status: 404, code: 'ROUTE_NOT_FOUND', text: /There is no PUT/ },
    // settings
    {
      name: 'an unknown setting',
      target: 'f?memroy=1',
      code: 'INVALID_REQUEST',
      text: /query.memroy: "memroy" is not a setting/
    },
    { name: 'too little memory', target: 'f?memory=127', code: 'INVALID_REQUEST', text: /query.memory/ },
    {
      name: 'memory that is no number',
      target: 'f?memory=1e3',
      code: 'INVALID_REQUEST',
      text: /query.memory: a whole number/
    },
    { name: 'memory twice', target: 'f?memory=128&memory=256', code: 'INVALID_REQUEST', text: /query.memory/ },
    { name: 'too long a timeout', target: 'f?timeout=901', code: 'INVALID_REQUEST', text: /query.timeout/ },
    { name: 'too large a /tmp', target: 'f?ephemeral=99999', code: 'INVALID_REQUEST', text: /query.ephemeral/ },
    { name: 'a network that is none', target: 'f?network=host', code: 'INVALID_REQUEST', text: /query.network/ },
    { name: 'too much concurrency', target: 'f?concurrency=65', code: 'INVALID_REQUEST', text: /query.concurrency/ },
    {
      name: 'concurrency of a process',
      target: 'f?concurrency=2&instances=process',
      code: 'INVALID_REQUEST',
      text: /serves one event at a time/
    },
    {
      name: 'a handler with a blank',
      target: 'f?handler=index.%20handler',
      code: 'INVALID_REQUEST',
      text: /query.handler: without blanks/
    },
    {
      name: 'a handler of 129 characters',
      target: `f?handler=${'h'.repeat(129)}`,
      code: 'INVALID_REQUEST',
      text: /query.handler/
    },
    {
      name: 'a role that is no ARN',
      target: 'f?role=admin',
      code: 'INVALID_REQUEST',
      text: /query.role: the ARN of a role/
    },
    {
      name: 'an interpreter that is not here',
      target: 'f?runtime=nodejs26.x',
      code: 'UNSUPPORTED_RUNTIME',
      text: /no runtime for nodejs26.x. This server runs: nodejs20.x/
    },
    {
      name: 'a deprecated runtime',
      target: 'f?runtime=nodejs14.x',
      code: 'UNSUPPORTED_RUNTIME',
      text: /nodejs14.x is no longer supported/
    },
    {
      name: 'a runtime that nobody has',
      target: 'f?runtime=cobol',
      code: 'INVALID_REQUEST',
      text: /Value cobol at 'runtime' failed .* enum value set: \[nodejs20.x/
    },
    {
      name: 'a reserved variable',
      target: 'f?env.AWS_REGION=x',
      code: 'INVALID_REQUEST',
      text: /Reserved keys used in this request: AWS_REGION/
    },
    {
      name: 'a variable with a bad name',
      target: 'f?env.1A=x',
      code: 'INVALID_REQUEST',
      text: /query.env.1A: a variable has a name/
    },
    {
      name: 'variables above 4 KB',
      target: `f?env.LARGE=${'x'.repeat(4_096)}`,
      code: 'INVALID_REQUEST',
      text: /exceeded the 4KB limit. String measured: \{"LARGE":"x/
    },
    { name: 'a NUL in a value', target: 'f?env.AB=a%00b', code: 'INVALID_REQUEST', text: /AB has a NUL byte/ },
    {
      name: 'another revision',
      headers: { 'if-match': '"nope"' },
      status: 412,
      code: 'REVISION_MISMATCH',
      text: /If-Match names another revision/
    },
    // sources
    { name: 'no body', body: '', code: 'INVALID_PAYLOAD', text: /has no body/ },
    {
      name: 'a syntax error',
      body: 'export const handler = (',
      code: 'INVALID_SOURCE',
      text: /cannot be parsed: .* \(line 1/
    },
    {
      name: 'a syntax error in TypeScript',
      target: 'f.ts',
      body: 'const a: = 1',
      code: 'INVALID_SOURCE',
      text: /cannot be parsed/
    },
    {
      name: 'types in a .mjs',
      target: 'f.mjs',
      body: 'export const handler: string = 1',
      code: 'INVALID_SOURCE',
      text: /cannot be parsed/
    },
    {
      name: 'bytes that are nothing',
      body: Buffer.from([0xff, 0xfe, 1]),
      code: 'INVALID_SOURCE',
      text: /neither a zip nor a gzipped tar nor UTF-8/
    },
    { name: 'text with a NUL', body: 'a\0b', code: 'INVALID_SOURCE', text: /neither a zip/ },
    {
      name: 'no such export',
      body: 'export const main = 1',
      code: 'INVALID_SOURCE',
      text: /does not export "handler".* It exports: main/
    },
    {
      name: 'a handler that is not exported',
      target: 'f?handler=index.go',
      body: SOURCE,
      code: 'INVALID_SOURCE',
      text: /does not export "go"/
    },
    {
      name: 'a source of 11 MiB',
      body: Buffer.alloc(11 * 1_048_576, 32),
      status: 413,
      code: 'PAYLOAD_TOO_LARGE',
      text: /A source file may have/
    },
    {
      name: 'a body above 50 MiB',
      body: Buffer.alloc(LIMITS.zipBytes + 1),
      status: 413,
      code: 'PAYLOAD_TOO_LARGE',
      text: /may have 52428800 bytes/
    },
    // zip
    {
      name: 'zip: empty',
      body: Buffer.concat([Buffer.from('PK\x05\x06'), Buffer.alloc(18)]),
      code: 'INVALID_ARCHIVE',
      text: /empty/
    },
    {
      name: 'zip: cut off',
      body: good.subarray(0, good.length - 30),
      code: 'INVALID_ARCHIVE',
      text: /zip file cannot be read/
    },
    {
      name: 'zip: noise after its first bytes',
      body: Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(500, 7)]),
      code: 'INVALID_ARCHIVE',
      text: /cannot be read/
    },
    { name: 'zip: slip', body: zip({ name: '../evil' }), code: 'INVALID_ARCHIVE', text: /\.\.\/evil/ },
    {
      name: 'zip: slip in the middle',
      body: zip({ name: 'a/../../evil' }),
      code: 'INVALID_ARCHIVE',
      text: /a\/\.\.\/\.\.\/evil/
    },
    { name: 'zip: absolute', body: zip({ name: '/etc/passwd' }), code: 'INVALID_ARCHIVE', text: /\/etc\/passwd/ },
    { name: 'zip: drive', body: zip({ name: 'C:/evil' }), code: 'INVALID_ARCHIVE', text: /C:\/evil/ },
    { name: 'zip: backslash', body: zip({ name: '..\\evil' }), code: 'INVALID_ARCHIVE', text: /evil/ },
    { name: 'zip: NUL', body: zip({ name: 'a\0b' }), code: 'INVALID_ARCHIVE', text: /a\\u0000b.*NUL/ },
    {
      name: 'zip: not UTF-8',
      body: zip({ name: Buffer.from([0x61, 0xff]) }),
      code: 'INVALID_ARCHIVE',
      text: /not UTF-8/
    },
    { name: 'zip: a name of one dot', body: zip({ name: '.' }), code: 'INVALID_ARCHIVE', text: /has no name/ },
    {
      name: 'zip: a part of 256 bytes',
      body: zip({ name: 'x'.repeat(256) }),
      code: 'INVALID_ARCHIVE',
      text: /more than 255 bytes/
    },
    {
      name: 'zip: link out',
      body: zip({ name: 'l', mode: LINK, data: Buffer.from('../../etc') }),
      code: 'INVALID_ARCHIVE',
      text: /"l" is a link that leads out/
    },
    {
      name: 'zip: absolute link',
      body: zip({ name: 'l', mode: LINK, data: Buffer.from('/etc/passwd') }),
      code: 'INVALID_ARCHIVE',
      text: /"l" is a link to an absolute path/
    },
    {
      name: 'zip: link out by way of another link',
      body: zip(
        { name: 'x/y/up', mode: LINK, data: Buffer.from('../..') },
        { name: 'l', mode: LINK, data: Buffer.from('x/y/up/../secret') }
      ),
      code: 'INVALID_ARCHIVE',
      text: /"l" is a link that leads out/
    },
    {
      name: 'zip: a link to itself',
      body: zip({ name: 'l', mode: LINK, data: Buffer.from('l') }),
      code: 'INVALID_ARCHIVE',
      text: /"l" is a link that leads out/
    },
    {
      name: 'zip: a file through a link',
      body: zip({ name: 'd', mode: LINK, data: Buffer.from('.') }, { name: 'd/f' }),
      code: 'INVALID_ARCHIVE',
      text: /"d\/f" lies under "d", which is a link/
    },
    {
      name: 'zip: a file under a file',
      body: zip({ name: 'd' }, { name: 'd/f' }),
      code: 'INVALID_ARCHIVE',
      text: /"d\/f" lies under "d", which is a file/
    },
    {
      name: 'zip: twice',
      body: zip({ name: 'a' }, { name: 'a' }),
      code: 'INVALID_ARCHIVE',
      text: /"a" is there twice/
    },
    {
      name: 'zip: twice in other words',
      body: zip({ name: 'a/b' }, { name: 'a//./b' }),
      code: 'INVALID_ARCHIVE',
      text: /is there twice/
    },
    {
      name: 'zip: file and folder',
      body: zip({ name: 'a/', mode: 0o040755, data: Buffer.alloc(0) }, { name: 'a' }),
      code: 'INVALID_ARCHIVE',
      text: /"a" is there twice, as a directory and as a file/
    },
    {
      name: 'zip: device',
      body: zip({ name: 'dev', mode: 0o020666 }),
      code: 'INVALID_ARCHIVE',
      text: /"dev" is a special file/
    },
    {
      name: 'zip: fifo',
      body: zip({ name: 'p', mode: 0o010666 }),
      code: 'INVALID_ARCHIVE',
      text: /"p" is a special file/
    },
    {
      name: 'zip: encrypted',
      body: zip({ name: 'secret', flags: 1, uncompressedSize: 1, compressedSize: 13, data: Buffer.alloc(13) }),
      code: 'INVALID_ARCHIVE',
      text: /"secret" is encrypted/
    },
    {
      name: 'zip: unknown compression',
      body: zip({ name: 'a', method: 99 }),
      code: 'INVALID_ARCHIVE',
      text: /"a" cannot be unpacked/
    },
    { name: 'zip: wrong checksum', body: zip({ name: 'a', crc: 1 }), code: 'INVALID_ARCHIVE', text: /"a" is damaged/ },
    {
      name: 'zip: less data than declared',
      body: zip({ ...bomb('a', 1_000), uncompressedSize: 5_000 }),
      code: 'INVALID_ARCHIVE',
      text: /"a" cannot be unpacked/
    },
    {
      name: 'zip: more data than declared',
      body: zip(bomb('a', 1_000_000, 10)),
      code: 'INVALID_ARCHIVE',
      text: /"a" cannot be unpacked/
    },
    {
      name: 'zip: data past the end',
      body: zip({ name: 'a', compressedSize: 5_000, uncompressedSize: 5_000 }),
      code: 'INVALID_ARCHIVE',
      text: /less data than it says|cannot be/
    },
    {
      name: 'zip: entries that share data',
      body: zip({ name: 'a', data: Buffer.from('xxxx') }, { name: 'b', data: Buffer.from('xxxx'), offset: 0 }),
      code: 'INVALID_ARCHIVE',
      text: /shares its data with another entry/
    },
    {
      name: 'zip: bomb in one entry',
      body: zip(bomb('a', LIMITS.unzippedBytes + 1)),
      code: 'INVALID_ARCHIVE',
      text: /larger than 262144000 bytes/
    },
    {
      name: 'zip: bomb in the sum',
      // Noise beside the zeros: their ratio alone would be refused before the sum is reached.
      body: zip({ name: 'noise', data: randomBytes(2_000_000) }, bomb('a', 150_000_000), bomb('b', 150_000_000)),
      code: 'INVALID_ARCHIVE',
      text: /larger than 262144000 bytes \(reached at entry "b"\)/
    },
    {
      name: 'zip: bomb by its ratio',
      body: zip(bomb('a', 10_000_000), bomb('b', 10_000_000)),
      code: 'INVALID_ARCHIVE',
      text: /more than 250 times its size \(reached at entry "b"\)/
    },
    {
      name: 'tar: bomb by its ratio',
      body: tarGz([{ name: 'a', data: Buffer.alloc(20_000_000) }]),
      code: 'INVALID_ARCHIVE',
      text: /more than 250 times its size/
    },
    { name: 'zip: too many entries', body: many, code: 'INVALID_ARCHIVE', text: /20001 entries/ },
    {
      name: 'zip: only folders',
      body: zip({ name: 'a/', mode: 0o040755, data: Buffer.alloc(0) }),
      code: 'INVALID_ARCHIVE',
      text: /no files/
    },
    {
      name: 'zip: an error message is kept short',
      body: zip({ name: `../${'x'.repeat(2_000)}` }),
      code: 'INVALID_ARCHIVE',
      text: /^.{1,2200}$/s
    },
    // tar.gz
    {
      name: 'tar: no tar at all',
      body: gzipSync('hello'),
      code: 'INVALID_ARCHIVE',
      text: /cannot be unpacked|no files/
    },
    {
      name: 'tar: cut off',
      body: tarGz([{ name: 'a', data: Buffer.alloc(9_000, 1) }]).subarray(0, 60),
      code: 'INVALID_ARCHIVE',
      text: /cannot be read/
    },
    { name: 'tar: empty', body: tarGz([]), code: 'INVALID_ARCHIVE', text: /no files|cannot be unpacked/ },
    {
      name: 'tar: compressed twice',
      body: gzipSync(tarGz([{ name: 'a' }])),
      code: 'INVALID_ARCHIVE',
      text: /compressed twice/
    },
    {
      name: 'tar: slip',
      body: tarGz([{ name: '../evil', data: one }]),
      code: 'INVALID_ARCHIVE',
      text: /"\.\.\/evil" leaves/
    },
    {
      name: 'tar: absolute',
      body: tarGz([{ name: '/etc/cron.d/x', data: one }]),
      code: 'INVALID_ARCHIVE',
      text: /absolute name/
    },
    {
      name: 'tar: link out',
      body: tarGz([{ name: 'l', type: '2', link: '../..' }, { name: 'f' }]),
      code: 'INVALID_ARCHIVE',
      text: /"l" is a link that leads out/
    },
    {
      name: 'tar: absolute link',
      body: tarGz([{ name: 'l', type: '2', link: '/etc' }]),
      code: 'INVALID_ARCHIVE',
      text: /absolute path/
    },
    {
      name: 'tar: a file through a link',
      body: tarGz([
        { name: 'd', type: '2', link: '.' },
        { name: 'd/f', data: one }
      ]),
      code: 'INVALID_ARCHIVE',
      text: /lies under "d"/
    },
    {
      name: 'tar: hard link',
      body: tarGz([{ name: 'h', type: '1', link: 'a' }]),
      code: 'INVALID_ARCHIVE',
      text: /"h" is a hard link/
    },
    {
      name: 'tar: device',
      body: tarGz([{ name: 'dev', type: '3' }]),
      code: 'INVALID_ARCHIVE',
      text: /"dev" is a special file/
    },
    {
      name: 'tar: block device',
      body: tarGz([{ name: 'blk', type: '4' }]),
      code: 'INVALID_ARCHIVE',
      text: /"blk" is a special file/
    },
    {
      name: 'tar: fifo',
      body: tarGz([{ name: 'p', type: '6' }]),
      code: 'INVALID_ARCHIVE',
      text: /"p" is a special file/
    },
    {
      name: 'tar: unknown kind',
      body: tarGz([{ name: 'q', type: 'Z' }]),
      code: 'INVALID_ARCHIVE',
      text: /"q"|cannot be unpacked/
    },
    {
      name: 'tar: twice',
      body: tarGz([{ name: 'a' }, { name: './a' }]),
      code: 'INVALID_ARCHIVE',
      text: /"\.\/a" is there twice/
    },
    {
      name: 'tar: bomb',
      body: tarGz([{ name: 'a', data: Buffer.alloc(LIMITS.unzippedBytes + 1) }]),
      code: 'INVALID_ARCHIVE',
      text: /larger than 262144000 bytes/
    },
    {
      name: 'tar: zeros without end',
      body: gzipSync(Buffer.alloc(350_000_000)),
      code: 'INVALID_ARCHIVE',
      text: /cannot be unpacked/
    },
    {
      name: 'tar: too many entries',
      body: tarGz(Array.from({ length: LIMITS.archiveEntries + 1 }, (_, index) => ({ name: `f${index}` }))),
      code: 'INVALID_ARCHIVE',
      text: /more than 20000 entries/
    },
    // what cannot work in its runtime
    {
      name: 'a Python handler without a module',
      target: 'f?runtime=python3.11&handler=handler',
      body: await zipOf({ 'lambda_function.py': 'def handler(event, context): pass' }),
      code: 'INVALID_HANDLER',
      text: /A Python handler names a module and a function/
    },
    {
      name: 'a Node.js handler for Java',
      target: 'f?runtime=ruby3.2&handler=/x',
      body: await zipOf({ 'index.rb': '' }),
      code: 'INVALID_HANDLER',
      text: /A Ruby handler names a file and a method/
    },
    {
      name: 'a bootstrap without run bit',
      target: 'f?runtime=provided.al2023',
      body: zip({ name: 'bootstrap', data: Buffer.from('#!/bin/sh\n'), mode: 0o100644 }),
      code: 'INVALID_PACKAGE',
      text: /bootstrap may not be executed: `chmod 755 bootstrap`/
    },
    {
      name: 'a bootstrap for another processor',
      target: 'f?runtime=provided.al2023',
      body: zip({ name: 'bootstrap', data: elf(process.arch === 'arm64' ? 62 : 183), mode: 0o100755 }),
      code: 'INVALID_PACKAGE',
      text: /bootstrap is a program for (arm64|x86_64); this server runs/
    },
    {
      name: 'a bootstrap that is no program',
      target: 'f?runtime=provided.al2023',
      body: zip({ name: 'bootstrap', data: Buffer.from('hello'), mode: 0o100755 }),
      code: 'INVALID_PACKAGE',
      text: /neither an ELF program nor a script/
    },
    {
      name: 'a bootstrap with Windows line endings',
      target: 'f?runtime=provided.al2023',
      body: zip({ name: 'bootstrap', data: Buffer.from('#!/bin/sh\r\n'), mode: 0o100755 }),
      code: 'INVALID_PACKAGE',
      text: /Windows line endings/
    },
    {
      name: 'a link as bootstrap',
      target: 'f?runtime=provided.al2023',
      body: zip({ name: 'bootstrap', data: Buffer.from('/bin/sh'), mode: LINK }),
      code: 'INVALID_ARCHIVE',
      text: /a link to an absolute path/
    },
    {
      name: 'several events at once in Python',
      target: 'f.py?concurrency=4',
      body: 'def handler(event, context):\n    return event\n',
      code: 'UNSUPPORTED_FEATURE',
      text: /one event at a time/
    },
    {
      name: 'a single file for a runtime that takes none',
      target: 'f?runtime=provided.al2023',
      body: SOURCE,
      code: 'INVALID_PACKAGE',
      text: /neither an ELF program nor a script/
    }
  ]
  for (const { name, target = 'f', body = good, headers, status = 400, code, text } of cases) {
    const res = await put(target, body, headers)
    t.equal(res.statusCode, status, `${name}: status`)
    t.match(res.json(), { code, detail: text, requestId: String, status }, `${name}: ${code}`)
    t.equal(res.headers['content-type'], 'application/problem+json', `${name}: type`)
    t.strictSame(await files(), before, `${name}: nothing is left behind`)
  }
  t.match((await get('/v1/functions')).json(), { items: [] })
  const metrics = await app.inject({ url: '/metrics', headers: { authorization: `Bearer ${token}` } })
  t.match(metrics.body, /hearth_deployments_total\{result="failed"\} 0/, 'each of them was a refusal and none a bug')
  t.equal((await put('f', good)).statusCode, 201, 'and after all of that a good one goes through')
})

t.test('what is refused beside deploys', async (t) => {
  const { put, inject } = await startControlPlane(t)
  await put('f', SOURCE)
  const cases: readonly (readonly [
    'GET' | 'PATCH' | 'DELETE' | 'POST',
    string,
    string | undefined,
    number,
    string,
    RegExp
  ])[] = [
    [
      'GET',
      '/v1/functions/absent',
      undefined,
      404,
      'FUNCTION_NOT_FOUND',
      /Function not found: arn:aws:lambda:us-east-1:000000000000:function:absent/
    ],
    ['GET', '/v1/functions/a.b', undefined, 400, 'INVALID_REQUEST', /params.name/],
    ['GET', '/v1/functions/absent/code', undefined, 404, 'FUNCTION_NOT_FOUND', /absent/],
    ['DELETE', '/v1/functions/absent', undefined, 404, 'FUNCTION_NOT_FOUND', /absent/],
    ['PATCH', '/v1/functions/absent', '{}', 404, 'FUNCTION_NOT_FOUND', /absent/],
    ['PATCH', '/v1/functions/f', '', 400, 'INVALID_PAYLOAD', /Could not parse request body into json/],
    ['PATCH', '/v1/functions/f', '{', 400, 'INVALID_PAYLOAD', /Could not parse request body into json/],
    ['PATCH', '/v1/functions/f', '[]', 400, 'INVALID_PAYLOAD', /an object is expected/],
    ['PATCH', '/v1/functions/f', '{"memory":"256"}', 400, 'INVALID_REQUEST', /body.memory/],
    ['PATCH', '/v1/functions/f', '{"memory":1.5}', 400, 'INVALID_REQUEST', /body.memory/],
    ['PATCH', '/v1/functions/f', '{"memroy":256}', 400, 'INVALID_REQUEST', /memroy/],
    ['PATCH', '/v1/functions/f', '{"env":{"1A":"x"}}', 400, 'INVALID_REQUEST', /body.env/],
    ['PATCH', '/v1/functions/f', '{"env":{"AWS_REGION":"x"}}', 400, 'INVALID_REQUEST', /AWS_REGION/],
    ['PATCH', '/v1/functions/f', '{"runtime":"nodejs26.x"}', 400, 'UNSUPPORTED_RUNTIME', /no runtime for nodejs26.x/],
    [
      'PATCH',
      '/v1/functions/f',
      `{"description":"${'x'.repeat(300_000)}"}`,
      413,
      'PAYLOAD_TOO_LARGE',
      /may have 262144 bytes/
    ],
    ['GET', '/v1/functions?limit=0', undefined, 400, 'INVALID_REQUEST', /query.limit/],
    ['GET', '/v1/functions?limit=1001', undefined, 400, 'INVALID_REQUEST', /query.limit/],
    ['GET', '/v1/functions?cursor=abc', undefined, 400, 'INVALID_REQUEST', /cursor/],
    ['GET', '/v1/functions?page=2', undefined, 400, 'INVALID_REQUEST', /page/],
    ['POST', '/fn/f', '{}', 404, 'ROUTE_NOT_FOUND', /There is no POST \/fn\/f here/],
    ['POST', '/v1/functions/f/invocations', '{}', 404, 'ROUTE_NOT_FOUND', /There is no POST/]
  ]
  for (const [method, url, payload, status, code, text] of cases) {
    const res = await inject({
      method,
      url,
      ...(payload === undefined ? {} : { payload, headers: { 'content-type': 'text/plain' } })
    })
    t.equal(res.statusCode, status, `${method} ${url}: status`)
    t.match(res.json(), { code, detail: text, requestId: String }, `${method} ${url} ${payload?.slice(0, 40) ?? ''}`)
    t.match(res.headers['x-amzn-requestid'], /^[0-9a-f-]{36}$/)
  }
})

t.test("the AWS dialect refuses in AWS's words", async (t) => {
  const { aws, put, files, inject } = await startControlPlane(t)
  await put('there', SOURCE)
  const before = await files()
  const ZipFile = (await zipOf({ 'index.mjs': SOURCE })).toString('base64')
  const base = { FunctionName: 'f', Role: ROLE, Runtime: 'nodejs20.x', Handler: 'index.handler', Code: { ZipFile } }
  const create = (change: object) => ({ ...base, ...change })
  const V = 'ValidationException'
  const S = 'SerializationException'
  const P = 'InvalidParameterValueException'
  const cases: readonly (readonly [object, number, string, string | RegExp])[] = [
    [{}, 400, V, /^4 validation errors detected: |^3 validation errors detected: /],
    [
      create({ FunctionName: 'a b' }),
      400,
      V,
      /^1 validation error detected: Value 'a b' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: /
    ],
    [create({ FunctionName: 'a'.repeat(141) }), 400, V, /less than or equal to 140/],
    [create({ FunctionName: 'a'.repeat(65) }), 400, P, /less than or equal to 64/],
    [
      create({ FunctionName: 'arn:aws:lambda:eu-west-1:000000000000:function:f' }),
      404,
      'ResourceNotFoundException',
      /not reachable in this region/
    ],
    [
      create({ Role: 'admin' }),
      400,
      V,
      "1 validation error detected: Value 'admin' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+"
    ],
    [
      create({ Role: undefined }),
      400,
      V,
      "1 validation error detected: Value null at 'role' failed to satisfy constraint: Member must not be null"
    ],
    [
      create({ Handler: 'a b' }),
      400,
      V,
      "1 validation error detected: Value 'a b' at 'handler' failed to satisfy constraint: Member must satisfy regular expression pattern: [^\\s]+"
    ],
    [
      create({ Handler: undefined }),
      400,
      P,
      'Runtime and Handler are mandatory parameters for functions created with deployment packages.'
    ],
    [
      create({ Runtime: 'cobol' }),
      400,
      P,
      /^Value cobol at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: \[nodejs20.x, .*\] or be a valid ARN$/
    ],
    [
      create({ Runtime: 'nodejs16.x' }),
      400,
      P,
      /^The runtime parameter of nodejs16.x is no longer supported for creating or updating AWS Lambda functions/
    ],
    [create({ Runtime: 'nodejs26.x' }), 400, P, /no runtime for nodejs26.x/],
    [
      create({ MemorySize: 64 }),
      400,
      V,
      "1 validation error detected: Value '64' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128"
    ],
    [
      create({ Timeout: 901, MemorySize: 20_000 }),
      400,
      V,
      /^2 validation errors detected: Value '901' at 'timeout' .* less than or equal to 900; Value '20000' at 'memorySize' |^2 validation errors/
    ],
    [create({ Timeout: 'soon' }), 400, S, 'STRING_VALUE can not be converted to an Integer'],
    [create({ MemorySize: 128.5 }), 400, S, 'NUMBER_VALUE can not be converted to an Integer'],
    [create({ Description: 5 }), 400, S, 'NUMBER_VALUE can not be converted to a String'],
    [create({ Publish: 'true' }), 400, S, 'STRING_VALUE can not be converted to a Boolean'],
    [create({ Handler: true }), 400, S, 'TRUE_VALUE can not be converted to a String'],
    [create({ TracingConfig: { Mode: {} } }), 400, S, 'Start of structure or map found where not expected.'],
    [create({ TracingConfig: 5 }), 400, S, 'Expected null'],
    [create({ Runtime: ['nodejs20.x'] }), 400, S, 'Start of list found where not expected'],
    [create({ Architectures: 'x86_64' }), 400, S, 'Expected list or null'],
    [create({ Environment: { Variables: { KEY: 1 } } }), 400, S, 'NUMBER_VALUE can not be converted to a String'],
    [
      create({ Description: 'x'.repeat(257) }),
      400,
      V,
      /at 'description' failed to satisfy constraint: Member must have length less than or equal to 256$/
    ],
    [
      create({ EphemeralStorage: { Size: 1 } }),
      400,
      V,
      /at 'ephemeralStorage.size' failed to satisfy constraint: Member must have value greater than or equal to 512$/
    ],
    [
      create({ TracingConfig: { Mode: 'Loud' } }),
      400,
      V,
      "1 validation error detected: Value 'Loud' at 'tracingConfig.mode' failed to satisfy constraint: Member must satisfy enum value set: [Active, PassThrough]"
    ],
    [
      create({ Architectures: ['x86_64', 'arm64'] }),
      400,
      V,
      "1 validation error detected: Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must have length less than or equal to 1"
    ],
    [
      create({ Environment: { Variables: { '1A': 'x' } } }),
      400,
      V,
      /at 'environment.variables.*Map keys must satisfy constraint: \[Member must satisfy regular expression pattern: \[a-zA-Z\]\(\[a-zA-Z0-9_\]\)\+\]$/
    ],
    [
      create({ Environment: { Variables: { AWS_REGION: 'x' } } }),
      400,
      P,
      /Reserved keys used in this request: AWS_REGION$/
    ],
    [
      create({ Environment: { Variables: { LARGE_VAR: 'x'.repeat(5_000) } } }),
      400,
      P,
      /exceeded the 4KB limit. String measured: \{"LARGE_VAR":"xxx/
    ],
    [
      create({ LoggingConfig: { LogFormat: 'Text', ApplicationLogLevel: 'INFO' } }),
      400,
      P,
      /^LogLevel is not supported when LogFormat is set to "Text"/
    ],
    [
      create({ Tags: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v'])) }),
      400,
      P,
      'Number of tags exceeds resource tag limit.'
    ],
    [create({ Code: {} }), 400, P, 'Please provide a source for function code.'],
    [create({ Code: { ZipFile: '' } }), 400, P, 'Uploaded file must be a non-empty zip'],
    [
      create({ Code: { ZipFile: Buffer.from('hello').toString('base64') } }),
      400,
      P,
      'Could not unzip uploaded file. Please check your file, then try to upload again.'
    ],
    [
      create({ Code: { ZipFile: zip({ name: '../x' }).toString('base64') } }),
      400,
      P,
      'Could not unzip uploaded file. Please check your file, then try to upload again.'
    ],
    [
      create({ Code: { ZipFile: zip(bomb('a', LIMITS.unzippedBytes + 1)).toString('base64') } }),
      400,
      P,
      'Unzipped size must be smaller than 262144000 bytes'
    ],
    [create({ Code: { ZipFile: '***' } }), 400, S, /base64/],
    [
      create({ Code: { S3Bucket: 'bucket', S3Key: 'key' } }),
      400,
      P,
      /^Code in S3 is not available on this server: set HEARTH_S3_ENDPOINT/
    ],
    [create({ Code: { ImageUri: 'x' } }), 400, P, /^ImageUri is not supported/],
    [create({ PackageType: 'Image' }), 400, P, /^PackageType is not supported/],
    [
      create({ VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] } }),
      400,
      P,
      /^VpcConfig is not supported/
    ],
    [
      create({ Layers: ['arn:aws:lambda:us-east-1:000000000000:layer:x:1'] }),
      400,
      P,
      /^Layer version .+:x:1 does not exist\.$/
    ],
    [create({ KMSKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/x' }), 400, P, /^KMSKeyArn is not supported/],
    [
      create({ SnapStart: { ApplyOn: 'PublishedVersions' } }),
      400,
      P,
      'nodejs20.x is not supported for SnapStart enabled functions.'
    ],
    [create({ Tags: { 'aws:x': 'y' } }), 400, P, /reserved: keys cannot begin with aws:/],
    [create({ VpcConfig: { Ipv6AllowedForDualStack: true } }), 400, P, /^VpcConfig is not supported/],
    [create({ FileSystemConfigs: [{ Arn: 'a', LocalMountPath: '/mnt/a' }] }), 400, P, /^FileSystemConfigs is not supp/],
    [create({ KMSKeyArn: 'no-arn' }), 400, V, /at 'kMSKeyArn' failed to satisfy constraint/],
    [
      create({ DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:000000000000:q' } }),
      400,
      P,
      /^DeadLetterConfig is not supported/
    ],
    [
      create({ FileSystemConfigs: [{ Arn: 'a', LocalMountPath: '/mnt/a' }] }),
      400,
      P,
      /^FileSystemConfigs is not supported/
    ],
    [create({ DurableConfig: { ExecutionTimeout: 5 } }), 400, P, /^DurableConfig is not supported/],
    [create({ PublishTo: 'LATEST_PUBLISHED' }), 400, P, /^PublishTo is not supported/],
    [
      create({ Architectures: [process.arch === 'arm64' ? 'x86_64' : 'arm64'] }),
      400,
      P,
      /^Architectures is not supported/
    ],
    [create({ FunctionName: 'there' }), 409, 'ResourceConflictException', 'Function already exist: there']
  ]
  const check = (
    res: Awaited<ReturnType<typeof aws>>,
    status: number,
    type: string,
    text: string | RegExp,
    name: string
  ): void => {
    const body = res.json<{ message?: string; Message?: string; Type?: string }>()
    t.equal(res.statusCode, status, `${name}: status`)
    t.equal(res.headers['x-amzn-errortype'], type, `${name}: ${type}`)
    t.equal(res.headers['content-type'], 'application/json', `${name}: content type`)
    t.match(body.message ?? body.Message, text, `${name}: text`)
    t.equal(body.Type, type === V || type === S ? undefined : 'User', `${name}: Type`)
  }
  for (const [body, status, type, text] of cases)
    check(await aws('POST', '/functions', body), status, type, text, String(text).slice(0, 100))
  t.strictSame(await files(), before, 'nothing is left behind')

  const others: readonly (readonly [
    'GET' | 'POST' | 'PUT' | 'DELETE',
    string,
    object | undefined,
    number,
    string,
    string | RegExp
  ])[] = [
    [
      'GET',
      '/functions/absent',
      undefined,
      404,
      'ResourceNotFoundException',
      'Function not found: arn:aws:lambda:us-east-1:000000000000:function:absent'
    ],
    [
      'GET',
      '/functions/there?Qualifier=7',
      undefined,
      404,
      'ResourceNotFoundException',
      'Function not found: arn:aws:lambda:us-east-1:000000000000:function:there:7'
    ],
    ['GET', '/functions/there:prod/configuration', undefined, 404, 'ResourceNotFoundException', /function:there:prod$/],
    [
      'GET',
      '/functions/there:1?Qualifier=2',
      undefined,
      400,
      P,
      'The derived qualifier from the function name does not match the specified qualifier.'
    ],
    [
      'GET',
      '/functions?MaxItems=0',
      undefined,
      400,
      V,
      /at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 1$/
    ],
    ['GET', '/functions?FunctionVersion=LATEST', undefined, 400, V, /at 'functionVersion' .*enum value set: \[ALL\]$/],
    ['GET', '/functions?Marker=zzz', undefined, 400, P, /Marker/],
    ['PUT', '/functions/absent/configuration', { Timeout: 5 }, 404, 'ResourceNotFoundException', /absent$/],
    ['PUT', '/functions/absent/code', { ZipFile }, 404, 'ResourceNotFoundException', /absent$/],
    [
      'PUT',
      '/functions/there/configuration',
      { Timeout: 5, RevisionId: 'other' },
      412,
      'PreconditionFailedException',
      /^The Revision Id provided does not match the latest Revision Id. Call the GetFunction\/GetAlias API/
    ],
    [
      'PUT',
      '/functions/there/code',
      { ZipFile, RevisionId: 'other' },
      412,
      'PreconditionFailedException',
      /Revision Id/
    ],
    [
      'PUT',
      '/functions/there/code',
      { ImageUri: 'x' },
      400,
      P,
      "Please don't provide ImageUri when updating a function with packageType Zip. "
    ],
    ['DELETE', '/functions/absent', undefined, 404, 'ResourceNotFoundException', /absent$/],
    [
      'DELETE',
      '/functions/there?Qualifier=$LATEST',
      undefined,
      400,
      P,
      '$LATEST version cannot be deleted without deleting the function.'
    ],
    ['DELETE', '/functions/there?Qualifier=prod', undefined, 400, P, 'Deletion of aliases is not currently supported.'],
    ['POST', '/functions/there/nothing', {}, 404, 'UnknownOperationException', /There is no POST/],
    ['POST', '/functions/there/invocations', {}, 404, 'UnknownOperationException', /There is no POST/]
  ]
  for (const [method, url, body, status, type, text] of others)
    check(await aws(method, url, body), status, type, text, `${method} ${url}`)
  for (const payload of ['{', '"text"', 'null']) {
    const res = await inject({
      method: 'POST',
      url: '/2015-03-31/functions',
      payload,
      headers: { 'content-type': 'application/json' }
    })
    check(res, 400, 'InvalidRequestContentException', /Could not parse request body into json/, payload)
  }
  const large = await inject({ method: 'POST', url: '/2015-03-31/functions', payload: Buffer.alloc(70_167_212, 32) })
  check(
    large,
    413,
    'RequestEntityTooLargeException',
    'Request must be smaller than 70167211 bytes for the CreateFunction operation',
    'a large request'
  )
  const zipped = await inject({
    method: 'PUT',
    url: '/2015-03-31/functions/there/code',
    payload: JSON.stringify({ ZipFile: Buffer.alloc(52_428_801).toString('base64') })
  })
  check(zipped, 413, 'RequestEntityTooLargeException', 'Zipped size must be smaller than 52428800 bytes', 'a large zip')
  t.strictSame(await files(), before, 'nothing is left behind')
})

t.test('a bug tells the caller nothing about itself', async (t) => {
  const { app, get, aws } = await startControlPlane(t)
  await app.close()
  for (const res of [
    await get('/v1/functions').catch(() => undefined),
    await aws('GET', '/functions').catch(() => undefined)
  ]) {
    if (res !== undefined) t.notMatch(res.body, /database|sqlite|\.ts|\.js/i)
  }
})

t.test('an upload that breaks off, or that never comes, leaves nothing and holds nobody up', async (t) => {
  const { app, dataDir, token, files } = await startControlPlane(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as net.AddressInfo
  const before = await files()
  const head = `PUT /v1/functions/f HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-length: 1000000\r\n\r\n`
  for (let turn = 0; turn < 20; turn += 1) {
    const socket = net.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(head + 'PK\x03\x04'.padEnd(500))
    socket.destroy()
    await once(socket, 'close')
  }
  const stranger = net.connect(port, '127.0.0.1')
  await once(stranger, 'connect')
  stranger.write(head.replace(/authorization: .*\r\n/, ''))
  const [answer] = (await once(stranger, 'data')) as [Buffer]
  t.match(answer.toString(), /^HTTP\/1.1 401 /, 'a stranger is refused before the body')
  stranger.destroy()
  const res = await fetch(`http://127.0.0.1:${port}/v1/functions/good`, {
    method: 'PUT',
    body: SOURCE,
    headers: { authorization: `Bearer ${token}` }
  })
  t.equal(res.status, 201)
  t.strictSame(readdirSync(path.join(dataDir, 'tmp')), [])
  t.equal((await files()).length, before.length + 3, 'one package, one folder, one file')
  t.equal(app.server.requestTimeout, 300_000)
  t.equal(app.server.headersTimeout, 20_000)
})

t.test('a client that is too slow is told so, and hung up on', async (t) => {
  const timeouts = { http: { headersTimeout: 300, connectionsCheckingInterval: 30 }, requestTimeout: 600 }
  const { app, token } = await startControlPlane(t, { server: timeouts })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as net.AddressInfo
  const head = `PUT /v1/functions/slow HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-length: 1000\r\n`
  for (const [name, begun] of [
    ['headers that never end', head],
    ['a body that never comes', `${head}\r\n`],
    ['a body that trickles', `${head}\r\nexport`]
  ] as const) {
    const socket = net.connect(port, '127.0.0.1')
    let answer = ''
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text
    })
    socket.write(begun)
    const trickle = setInterval(() => socket.write('x'), 50)
    socket.on('error', () => undefined)
    const startedAt = performance.now()
    await once(socket, 'close')
    clearInterval(trickle)
    t.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/, name)
    t.match(answer, /"code":"REQUEST_TIMEOUT"/)
    t.ok(performance.now() - startedAt < 5_000)
  }
  const list = await app.inject({ url: '/v1/functions', headers: { authorization: `Bearer ${token}` } })
  t.match(list.json(), { items: [] }, 'nothing came of it')
})
