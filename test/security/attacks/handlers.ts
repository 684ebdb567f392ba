import { buffer } from 'node:stream/consumers'
import { ZipFile } from 'yazl'
import { zipOf } from '../../helpers/zip.ts'
import { type Attack, type Report } from '../attack.ts'

/** Refused when deployed, or an error of the function; never an answer. */
function refused({ status, failure, text }: Report): string | undefined {
  if (text.includes('cannot be parsed')) return text
  if (failure === 'refused') return status >= 400 && status < 500 ? undefined : `deployment: ${status} ${text}`
  return status === 502 && failure !== '' ? undefined : `${status} ${text.slice(0, 500)}`
}

const HANDLERS = {
  'two folders up': '../../etc/passwd.handler',
  'into the runtime': '../runtime/bootstrap.handler',
  'an absolute path': '/etc/passwd.root',
  'a device': '../../dev/zero.x',
  'the first process': '../../proc/1/environ.x',
  'the prototype': 'index.__proto__',
  'the constructor': 'index.constructor.constructor',
  'a NUL byte': 'index%00.handler',
  'a query': 'index?x=1.handler',
  'a scheme': 'data:text/javascript,export const handler = () => 1.handler'
}

/** What is deployed: names of handlers, and archives. */
export default [
  ...Object.entries(HANDLERS).map(
    ([what, handler]): Attack => ({
      name: `names as its handler ${what}`,
      settings: `handler=${handler.includes('%') ? handler : encodeURIComponent(handler)}`,
      body: () => 'answer',
      verdict: refused
    })
  ),
  {
    name: 'unpacks a file above its folder',
    body: () => 'answer',
    async archive(source) {
      const zip = await zipOf({ 'index.mjs': source, 'xx/planted.js': 'planted' })
      // yazl refuses to write such a name itself.
      return Buffer.from(zip.toString('latin1').replaceAll('xx/planted.js', '../planted.js'), 'latin1')
    },
    verdict: (report) =>
      report.failure === 'refused' && report.status < 500 ? undefined : `${report.status} ${report.text}`
  },
  {
    name: 'unpacks a link to the server’s keys and reads through it',
    async archive(source, world) {
      const zip = new ZipFile()
      zip.addBuffer(Buffer.from(source), 'index.mjs')
      zip.addBuffer(Buffer.from(`${world.facts.dataDir}/token`), 'key', { mode: 0o120777 })
      zip.addBuffer(Buffer.from(world.facts.canary.dir), 'folder', { mode: 0o120777 })
      zip.end()
      return buffer(zip.outputStream)
    },
    only: ['ENOENT', 'EACCES', 'ENOTDIR', 'ELOOP'],
    async body({ fs, attempt }) {
      await attempt('key', () => fs.readFileSync('/var/task/key'))
      await attempt('folder', () => fs.readFileSync('/var/task/folder/secret'))
    },
    verdict: (report) =>
      report.failure === 'refused'
        ? report.status < 500
          ? undefined
          : report.text
        : report.loot.length === 0 && report.status === 200
          ? undefined
          : report.text
  },
  {
    name: 'unpacks a setuid program',
    async archive(source) {
      const zip = new ZipFile()
      zip.addBuffer(Buffer.from(source), 'index.mjs')
      zip.addBuffer(Buffer.from('#!/bin/sh\n'), 'program', { mode: 0o106755 })
      zip.end()
      return buffer(zip.outputStream)
    },
    only: ['nothing'],
    async body({ fs, attempt }) {
      await attempt('setuid bit', () => (fs.statSync('/var/task/program').mode & 0o7000) !== 0)
      await attempt('write permission', () => (fs.statSync('/var/task/program').mode & 0o022) !== 0)
    }
  }
] satisfies readonly Attack[]
