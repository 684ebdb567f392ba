import { readdirSync } from 'node:fs'
import t from 'tap'
import { startHearth } from '../helpers/hearth.ts'

const SOURCE = `
import { readFileSync, writeFileSync } from 'node:fs'
export const handler = async ({ mib }) => {
  for (let i = 0; i < mib; i++) writeFileSync('/tmp/big', Buffer.alloc(1048576, i), { flag: i === 0 ? 'w' : 'a' })
  return { bytes: mib * 1048576, mounts: readFileSync('/proc/self/mounts', 'utf8').split('\\n').filter((line) => line.includes(' /tmp ')) }
}`

t.test(
  'a function of 128 MiB may fill the 512 MiB of its /tmp',
  { skip: process.getuid?.() !== 0 && 'needs root' },
  async (t) => {
    const hearth = await startHearth({ env: { HEARTH_TMP_DISK: '2048' } })
    t.teardown(() => hearth.stop())
    await hearth.deploy('files', SOURCE, 'timeout=60')
    const answer = await hearth.invoke('files', { mib: 480 })
    t.match(await answer.json(), { bytes: 480 * 1_048_576, mounts: [/ext4/] })
    t.notOk(readdirSync(hearth.dataDir).includes('tmp.img'))
    const tooMuch = await hearth.invoke('files', { mib: 600 })
    t.match(await tooMuch.json(), { errorType: 'Error', errorMessage: /ENOSPC/ })
  }
)
