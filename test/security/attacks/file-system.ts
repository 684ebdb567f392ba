import type { Attack } from '../attack.ts'
import type { SystemCall } from '../kit.ts'

/** struct fstrim_range over everything. */
const ALL = `${'00'.repeat(8)}${'ff'.repeat(8)}${'00'.repeat(8)}`

/** Requests of ioctl(2) on its own /tmp, which lies on a disk image that is one of many. */
const REQUESTS: readonly (readonly [string, number, string])[] = [
  ['freezes', 0xc0045877, '00000000'],
  ['thaws', 0xc0045878, '00000000'],
  ['trims', 0xc0185879, ALL],
  ['resizes', 0x40086610, 'ffff0f0000000000'],
  ['swaps the boot inode', 0x6611, ''],
  ['makes immutable', 0x40086602, '1000000000000000'],
  ['shuts down', 0x8004587d, '00000000'],
  ['clears the image', 0x4c01, ''],
  ['enlarges the image', 0x4c07, ''],
  ['takes another image', 0x4c0a, '00'.repeat(304)]
]

const script = `
  sysopen(my $folder, '/tmp', 0x10000) or die; open(my $file, '+>', '/tmp/own') or die;
  for (@ARGV) {
    my ($name, $request, $hex) = split /;/;
    for my $on ($folder, $file) { my $data = pack('H*', $hex // ''); my $r = ioctl($on, $request, $data); print "$name;", defined $r ? 0 : $! + 0, "\\n" }
  }`

/** What the file system of /tmp could do to its disk, and marks on files that outlive their writer. */
export default {
  name: 'freezes, resizes and marks the file system of its /tmp',
  only: ['EPERM', 'EACCES', 'ENOTTY', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EBADF'],
  body: `async ({ attempt, perl, os, systemCalls }) => {
    const requests = ${JSON.stringify(REQUESTS)}
    const output = perl(${JSON.stringify(script)}, requests.map((request) => request.join(';')))
    for (const line of output.trim().split('\\n')) {
      const [name, errno] = line.split(';')
      await attempt(name, () => {
        if (errno === '0') return true
        const code = Object.entries(os.constants.errno).find(([, value]) => value === Number(errno))?.[0]
        throw Object.assign(new Error(errno), { code: code === 'ENOTSUP' ? 'EOPNOTSUPP' : code })
      })
    }
    systemCalls(${JSON.stringify([
      {
        as: 'file-capability',
        name: 'setxattr',
        with: [{ text: '/tmp/own' }, { text: 'security.capability' }, { hex: `01000002${'ff'.repeat(16)}` }, 20, 0]
      },
      {
        as: 'trusted-mark',
        name: 'setxattr',
        with: [{ text: '/tmp/own' }, { text: 'trusted.x' }, { text: 'x' }, 1, 0]
      },
      { as: 'owner-root', name: 'chown', with: [{ text: '/tmp/own' }, 0, 0] },
      { as: 'swap-file', name: 'swapon', with: [{ text: '/tmp/own' }, 0] }
    ] satisfies SystemCall[])})
  }`
} satisfies Attack
