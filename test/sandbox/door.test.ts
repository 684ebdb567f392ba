import { createServer, type Server } from 'node:net'
import { DOOR_PORT, type Sandbox } from '@hearth/sandbox'
import t from 'tap'
import { isRoot, listen, openHost, perl } from './open-host.ts'

/** Tries on each byte that it is sent, and says what it reached at the door, at its neighbours and elsewhere. */
const TRY = `
  use Socket; use Errno; open(my $c, '+<&=', 3);
  sub reach { my ($ip, $port) = @_; socket(my $s, AF_INET, SOCK_STREAM, 0);
    connect($s, pack_sockaddr_in($port, inet_aton($ip))) or return $! + 0; sysread($s, my $said, 9); $said }
  my $n = 0; while (sysread($c, my $go, 1)) {
    socket(my $s, AF_INET, SOCK_STREAM, 0);
    print join(' ', 'door', reach('127.0.0.1', ${DOOR_PORT}), reach('127.0.0.1', ${DOOR_PORT + 1}), reach('127.0.0.2', ${DOOR_PORT}), reach('192.0.2.1', 80),
      bind($s, pack_sockaddr_in(${DOOR_PORT}, INADDR_ANY)) ? 'taken' : $! + 0, '.' . ++$n), "\\n"; }`
const EACCES = 13
const ENETUNREACH = 101
const ECONNREFUSED = 111
const nowhereElse = `${ECONNREFUSED} ${ECONNREFUSED} ${ENETUNREACH} ${EACCES}`

function saying(word: string): Server {
  return createServer((socket) => socket.on('error', () => {}).end(word))
}

/** Has it try once more. */
function trying(sandbox: Sandbox) {
  const heard = listen(sandbox)
  let tries = 0
  return async () => {
    sandbox.channel.write('1')
    const end = ` .${++tries}\n`
    const text = await heard.says(end)
    return text.slice(text.lastIndexOf('door'), -end.length)
  }
}

t.test('a sandbox reaches its own door and nothing else', async (t) => {
  const host = await openHost(t, { isolation: isRoot ? 'strict' : 'best-effort' })
  const [one, two] = await Promise.all([host.start(perl(TRY)), host.start(perl(TRY))])
  const [tryOne, tryTwo] = [trying(one), trying(two)]
  t.equal(await tryOne(), `door ${ECONNREFUSED} ${nowhereElse}`, 'nothing answers before it is opened')

  const [first, second] = await Promise.all([one.openDoor(), two.openDoor()])
  first.answer(saying('one'))
  second.answer(saying('two'))
  t.equal(await tryOne(), `door one ${nowhereElse}`)
  t.equal(await tryTwo(), `door two ${nowhereElse}`)

  first.close()
  t.equal(await tryOne(), `door ${ECONNREFUSED} ${nowhereElse}`, 'and nothing inside may take its place')
  const again = await one.openDoor()
  again.answer(saying('again'))
  t.equal(await tryOne(), `door again ${nowhereElse}`)

  one.kill()
  await one.exited
  await t.rejects(one.openDoor(), /gone/)
  two.kill()
})
