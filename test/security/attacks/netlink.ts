import type { Attack } from '../attack.ts'
import type { World } from '../world.ts'

/** Makes the kernel speak: sandboxes come and go, and with them disks, links and processes. */
async function startOthers({ hearth }: World): Promise<string | undefined> {
  for (let n = 0; n < 3; n++) {
    const made = await hearth.deploy(`passer-by-${n}`, `export const handler = async () => ${n}`, 'memory=192')
    await made.body?.cancel()
    const answer = await hearth.invoke(`passer-by-${n}`, {})
    await answer.body?.cancel()
    await (await hearth.request(`/v1/functions/passer-by-${n}`, { method: 'DELETE' })).body?.cancel()
    if (answer.status !== 200) return `another function: ${answer.status}`
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return undefined
}

const body: Attack['body'] = async ({ attempt, perl }) => {
  // Every protocol of netlink but routing, which tells of the sandbox's own network; all groups of each.
  const script = `
    use Socket; my (%sockets, %told);
    for my $protocol (1 .. 22) {
      socket(my $s, 16, 3, $protocol) or do { $told{$protocol} = $! + 0; next };
      $told{$protocol} = bind($s, pack('S S L L', 16, 0, 0, 0xffffffff)) || bind($s, pack('S S L L', 16, 0, 0, 1)) ? 0 : $! + 0;
      $sockets{$protocol} = $s if $told{$protocol} == 0;
    }
    my $until = time + 4;
    while (time < $until && %sockets) {
      my $wanted = ''; vec($wanted, fileno $_, 1) = 1 for values %sockets;
      select($wanted, undef, undef, 0.5) > 0 or next;
      for my $protocol (keys %sockets) {
        vec($wanted, fileno $sockets{$protocol}, 1) or next;
        recv($sockets{$protocol}, my $text, 4096, 0); $told{$protocol} = 'told'; delete $sockets{$protocol};
      }
    }
    print join(',', map { "$_=$told{$_}" } sort { $a <=> $b } keys %told)`
  for (const outcome of perl(script).split(',')) {
    const [protocol, told] = outcome.split('=')
    await attempt(`protocol ${protocol}`, () => {
      if (told === 'told') return true
      throw Object.assign(new Error(told), {
        code: { 0: 'silence', 1: 'EPERM', 93: 'EPROTONOSUPPORT' }[Number(told)] ?? `errno ${told}`
      })
    })
  }
}

/** Whoever may listen sees other functions start and end. */
export default [
  {
    name: 'listens to what the kernel tells of devices, audits and processes',
    // What may listen and heard nothing was only lucky.
    only: ['EPERM', 'EPROTONOSUPPORT'],
    elsewhere: 'together',
    during: startOthers,
    body
  },
  {
    name: 'with a network: listens to what the kernel tells of devices, audits and processes',
    settings: 'network=internet',
    skip: (world) => (world.weak.has('network-internet') ? 'this server gives no function a network' : undefined),
    only: ['EPERM', 'EPROTONOSUPPORT'],
    elsewhere: 'together',
    during: startOthers,
    body
  }
] satisfies readonly Attack[]
