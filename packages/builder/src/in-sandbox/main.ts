// Runs inside a build's sandbox: takes one job from the channel, does it, and sends back a zip.

import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { Job, Reply } from '../job.ts'
import { assemble } from './assemble.ts'
import { BuildError } from './build-error.ts'
import { install } from './install.ts'
import type { Zip } from './zip-tree.ts'

const channel = new Socket({ fd: 3 })
channel.on('error', () => process.exit(1))

createInterface(channel).once('line', (line) => {
  const job = JSON.parse(line) as Job
  run(job).then(send, fail)
})

function run(job: Job): Promise<Zip> {
  return job.step === 'install' ? install(job) : assemble(job)
}

function send(zip: Zip): void {
  reply({ ok: true })
  zip.on('error', fail)
  zip.pipe(channel, { end: false })
  zip.on('end', () => channel.end(() => process.exit(0)))
}

function fail(thrown: unknown): void {
  const { message, missing, code } = thrown instanceof BuildError ? thrown : new BuildError((thrown as Error).message)
  reply({ ok: false, message, ...(missing === undefined ? {} : { missing }), ...(code === undefined ? {} : { code }) })
  channel.end(() => process.exit(1))
}

function reply(answer: Reply): void {
  channel.write(`${JSON.stringify(answer)}\n`)
}
