import { buffer } from 'node:stream/consumers'
import { ZipFile } from 'yazl'
import { type Attack, type Report } from '../../attack.ts'

const SH = '#!/bin/sh\n'

/** Refused, or started and failed; never an answer. */
const fails = ({ status, failure, text }: Report) =>
  (failure === 'refused' && status >= 400 && status < 500) ||
  (failure !== 'refused' && (status === 502 || status === 504))
    ? undefined
    : `${status} ${failure} ${text.slice(0, 300)}`

/** A package with one `bootstrap`. */
function bootstrap(content: Buffer | string, mode = 0o100755): NonNullable<Attack['archive']> {
  return () => {
    const zip = new ZipFile()
    zip.addBuffer(Buffer.from(content as string), 'bootstrap', { mode })
    zip.end()
    return buffer(zip.outputStream)
  }
}

/** The head of an ELF program, and what comes after it. */
function elf(bits: 32 | 64, machine: number, rest = Buffer.alloc(512)): Buffer {
  const head = Buffer.alloc(64)
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, bits === 32 ? 1 : 2, 1, 1]).copy(head)
  head.writeUInt16LE(2, 16)
  head.writeUInt16LE(machine, 18)
  head.writeUInt32LE(1, 20)
  return Buffer.concat([head, rest])
}

/** Tries its attempts as it starts, and tells of them when it is asked. */
const RUN = `
const fs = require('node:fs'), http = require('node:http')
const refused = {}, loot = []
const attempt = (name, act) => { try { act() ? loot.push(name) : (refused[name] = 'nothing') } catch (error) { refused[name] = error.code } }
const file = '/var/task/bootstrap'
attempt('setuid bit', () => (fs.statSync(file).mode & 0o7000) !== 0)
attempt('write permission', () => (fs.statSync(file).mode & 0o022) !== 0)
attempt('capabilities', () => /^Cap(Inh|Prm|Eff|Amb):\\s+(?!0+$)/m.test(fs.readFileSync('/proc/self/status', 'utf8')))
attempt('write', () => fs.openSync(file, 'r+'))
attempt('rename', () => { fs.renameSync(file, file + '.old'); return true })
attempt('unlink', () => { fs.unlinkSync(file); return true })
attempt('chmod', () => { fs.chmodSync(file, 0o4777); return true })
attempt('another runtime', () => { fs.writeFileSync('/var/runtime/bootstrap', ''); return true })
attempt('an extension', () => { fs.mkdirSync('/opt/extensions'); return true })
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':')
const serve = () => http.get({ host, port, path: '/2018-06-01/runtime/invocation/next' }, (res) => {
  res.resume().on('end', () => {
    const lines = [...loot.map((name) => 'loot\\t' + name), ...Object.entries(refused).map(([name, error]) => 'refused\\t' + name + '\\t' + error)]
    const path = '/2018-06-01/runtime/invocation/' + res.headers['lambda-runtime-aws-request-id'] + '/response'
    http.request({ host, port, path, method: 'POST' }, (res) => res.resume().on('end', serve)).end(JSON.stringify(lines.join('\\n')))
  })
})
serve()
`

/** Programs that a package calls its runtime. */
export default [
  ...Object.entries({
    'a program outside': '/usr/bin/perl',
    'the server’s keys': '../../../../data/token',
    'the first process': '/proc/1/exe',
    'a device': '/dev/zero'
  }).map(
    ([what, target]): Attack => ({
      name: `in provided: has a bootstrap that is a link to ${what}`,
      in: 'provided',
      settings: 'timeout=2',
      body: '',
      archive: bootstrap(target, 0o120777),
      verdict: fails
    })
  ),
  {
    name: 'in provided: has a bootstrap for 32 bits',
    in: 'provided',
    settings: 'timeout=2',
    body: '',
    archive: bootstrap(elf(32, 3)),
    verdict: fails
  },
  {
    name: 'in provided: has a bootstrap of the processor’s third ABI',
    in: 'provided',
    settings: 'timeout=2',
    body: '',
    archive: bootstrap(elf(32, 62)),
    verdict: fails
  },
  {
    name: 'in provided: has a bootstrap that is a program cut short',
    in: 'provided',
    settings: 'timeout=2',
    body: '',
    archive: bootstrap(elf(64, process.arch === 'arm64' ? 183 : 62, Buffer.alloc(0))),
    verdict: fails
  },
  {
    name: 'in provided: has a bootstrap whose interpreter is itself, or the server’s',
    in: 'provided',
    settings: 'timeout=2',
    body: '',
    archive: bootstrap('#!/var/task/bootstrap\n'),
    verdict: fails
  },
  {
    name: 'in provided: has a setuid bootstrap, and replaces it while it runs',
    in: 'provided',
    only: ['EROFS', 'EPERM', 'EACCES', 'nothing', 'ENODATA'],
    settings: 'handler=x',
    async archive() {
      const zip = new ZipFile()
      zip.addBuffer(Buffer.from(`${SH}exec /run/hearth/node /var/task/run.cjs\n`), 'bootstrap', { mode: 0o106755 })
      zip.addBuffer(Buffer.from(RUN), 'run.cjs')
      zip.end()
      return buffer(zip.outputStream)
    },
    body: ''
  }
] satisfies readonly Attack[]
