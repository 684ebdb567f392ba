import type childProcess from 'node:child_process'
import type dgram from 'node:dgram'
import type fs from 'node:fs'
import type net from 'node:net'
import type os from 'node:os'

/** What an attacker may know: where things are. Never what is in them. */
export interface Facts {
  readonly who: 'sandbox' | 'control'
  /** Its name, so that what it reaches can say who came. */
  readonly attack: string
  /** Files at the top of its own package. */
  readonly files: readonly string[]
  /** Numbers of system calls on this machine. */
  readonly numbers: Readonly<Record<string, number>>
  readonly dataDir: string
  /** Things on this machine that no sandbox may reach; each gives away a secret to those who do. */
  readonly canary: {
    readonly dir: string
    readonly file: string
    readonly socket: string
    readonly abstractSocket: string
    /** In /dev/shm. */
    readonly shmName: string
    readonly sysvKey: number
    readonly pid: number
    readonly port: number
  }
  /** The server's own ports and processes. */
  readonly ports: readonly number[]
  readonly pids: readonly number[]
  /** Where another function listens, within its sandbox. */
  readonly neighbourPort: number
  /** Addresses of this machine that others may use. */
  readonly addresses: readonly string[]
}

/** A number, `{ text }` for a pointer to a string, `{ hex }` to bytes, `{ room }` to that many zeros. */
export type Argument = number | { readonly text: string } | { readonly hex: string } | { readonly room: number }

/** One system call as an attacker would make it, bare. */
export interface SystemCall {
  /** What to call it in the report, if not by its name. */
  readonly as?: string
  readonly name: string
  /** For calls that are newer than the table. */
  readonly number?: number
  readonly with?: readonly Argument[]
  /** Harmless enough to be made outside of a sandbox by root, to see that there it does what it does. */
  readonly control?: true
}

/** A request to the platform from inside. */
export interface PlatformRequest {
  readonly service?: string
  readonly method?: string
  readonly path?: string
  readonly body?: string
  /** Unsigned. */
  readonly headers?: Readonly<Record<string, string>>
  /** The function's own unless told. */
  readonly keyId?: string
  readonly secret?: string
  readonly token?: string
}

/** Tools of an attack, the same inside a sandbox and outside. */
export interface Kit {
  readonly facts: Facts
  readonly fs: typeof fs
  readonly net: typeof net
  readonly dgram: typeof dgram
  readonly os: typeof os
  readonly childProcess: typeof childProcess
  /** What the attack got hold of. */
  readonly loot: string[]
  /** What was refused, and with which error. */
  readonly refused: Record<string, string>
  /** Numbers and texts for the attack's own verdict. */
  readonly notes: Record<string, unknown>
  /** Loot if `act` comes back with anything true; else what it threw. */
  readonly attempt: (name: string, act: () => unknown) => Promise<void>
  /** Runs a perl script and answers what it printed. */
  readonly perl: (script: string, args?: readonly string[], options?: childProcess.ExecFileSyncOptions) => string
  /** Makes each call in a process of its own; loot is what did not fail. */
  readonly systemCalls: (calls: readonly SystemCall[]) => void
  /** Opens a TCP connection and says who it is; loot if there is an answer or the connection stands. */
  readonly connect: (name: string, host: string, port: number) => Promise<void>
  /** Sends a request to the platform, signed as AWS's clients do; answers its status and text. */
  readonly ask: (request: PlatformRequest) => Promise<{ status: number; text: string }>
  /** Asks; loot if the platform does it, else refused with the status. */
  readonly demand: (name: string, request: PlatformRequest) => Promise<void>
  /** A frame of the channel between an instance and the gateway. */
  readonly frame: (type: number, seq: number, meta: Uint8Array, payload: string | Uint8Array, flags?: number) => Buffer
  /** Writes all of it to a descriptor, whatever mode that is in. */
  readonly write: (fd: number, bytes: Uint8Array) => void
  readonly sleep: (ms: number) => Promise<void>
}

/** Self-contained, since its source text is what goes into the function. */
export function makeKit(facts: Facts): Kit {
  const fs = process.getBuiltinModule('node:fs')
  const net = process.getBuiltinModule('node:net')
  const os = process.getBuiltinModule('node:os')
  const childProcess = process.getBuiltinModule('node:child_process')
  const loot: string[] = []
  const refused: Record<string, string> = {}
  const nameOf = (number: number): string =>
    Object.entries(os.constants.errno).find(([, value]) => value === number)?.[0] ?? `errno ${number}`
  const CALLER = String.raw`
    $| = 1;
    for (@ARGV) {
      my ($name, $number, @given) = split /;/;
      my @args = map { /^n(.*)/ ? 0 + $1 : /^t(.*)/ ? "$1\0" : /^h(.*)/ ? pack('H*', $1) : /^r(\d+)/ ? "\0" x $1 : () } @given;
      defined(my $child = fork()) or die "fork: $!";
      if ($child == 0) {
        my $me = $$;
        $! = 0;
        my $result = syscall(0 + $number, @args);
        my $error = $! + 0;
        exit 0 if $$ != $me;
        print "$name $result $error\n";
        exit 0;
      }
      waitpid $child, 0;
      print "$name signal ", $? & 127, "\n" if $? & 127;
    }`

  const kit: Kit = {
    facts,
    fs,
    net,
    os,
    childProcess,
    dgram: process.getBuiltinModule('node:dgram'),
    loot,
    refused,
    notes: {},
    async attempt(name, act) {
      try {
        if (await act()) loot.push(name)
        else refused[name] = 'nothing'
      } catch (error) {
        refused[name] = (error as NodeJS.ErrnoException).code ?? String(error)
      }
    },
    perl(script, args = [], options = {}) {
      return childProcess
        .execFileSync('/usr/bin/perl', ['-e', script, ...args], { stdio: ['ignore', 'pipe', 'ignore'], ...options })
        .toString()
    },
    systemCalls(calls) {
      const given = (value: Argument) => {
        if (typeof value === 'number') return `n${value}`
        if ('text' in value) return `t${value.text}`
        return 'hex' in value ? `h${value.hex}` : `r${value.room}`
      }
      const wanted = calls.filter(({ control }) => facts.who === 'sandbox' || control === true)
      const args: string[] = []
      for (const call of wanted) {
        const number = call.number ?? facts.numbers[call.name]
        if (number === undefined) continue
        args.push([call.as ?? call.name, number, ...(call.with ?? []).map(given)].join(';'))
      }
      for (const line of kit.perl(CALLER, args).trim().split('\n')) {
        const [name = '', result = '', error = ''] = line.split(' ')
        if (result === 'signal') refused[name] = `signal ${error}`
        else if (Number(result) < 0) refused[name] = nameOf(Number(error))
        else loot.push(name)
      }
    },
    connect(name, host, port) {
      return kit.attempt(
        name,
        () =>
          new Promise((resolve, reject) => {
            const socket = net.connect({ host, port })
            // Filtered packets are never answered.
            socket.setTimeout(1_000, () => {
              socket.destroy()
              reject(new Error('no answer'))
            })
            socket.once('error', reject)
            socket.once('connect', () => {
              socket.write(`${facts.who} ${facts.attack}`)
              setTimeout(() => {
                socket.destroy()
                resolve(true)
              }, 50)
            })
          })
      )
    },
    async ask({ service = 'lambda', method = 'POST', path = '/', body = '', headers = {}, keyId, secret, token }) {
      const crypto = process.getBuiltinModule('node:crypto')
      const sha = (text: string) => crypto.createHash('sha256').update(text).digest('hex')
      const mac = (key: string | Buffer, text: string) => crypto.createHmac('sha256', key).update(text).digest()
      const { env } = process
      const url = new URL(env['AWS_ENDPOINT_URL']!)
      const at = `${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
      const day = at.slice(0, 8)
      const signed: Record<string, string> = {
        host: url.host,
        'x-amz-date': at,
        'x-amz-security-token': token ?? env['AWS_SESSION_TOKEN']!
      }
      const names = Object.keys(signed).join(';')
      const lines = Object.entries(signed).map(([name, value]) => `${name}:${value}\n`)
      const encoded = encodeURIComponent(path.split('?')[0]!).replaceAll('%2F', '/')
      const canonical = [method, encoded, path.split('?')[1] ?? '', lines.join(''), names, sha(body)].join('\n')
      const region = 'us-east-1'
      const scope = `${day}/${region}/${service}/aws4_request`
      let key = mac(`AWS4${secret ?? env['AWS_SECRET_ACCESS_KEY']}`, day)
      for (const part of [region, service, 'aws4_request']) key = mac(key, part)
      const signature = mac(key, ['AWS4-HMAC-SHA256', at, scope, sha(canonical)].join('\n')).toString('hex')
      const credential = `${keyId ?? env['AWS_ACCESS_KEY_ID']}/${scope}`
      const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`
      const type = service === 'lambda' ? 'application/json' : 'application/x-www-form-urlencoded'
      const answer = await fetch(`${url.origin}${path}`, {
        method,
        headers: { ...signed, 'content-type': type, authorization, ...headers },
        ...(method === 'GET' ? {} : { body })
      })
      return { status: answer.status, text: await answer.text() }
    },
    demand(name, request) {
      return kit.attempt(name, async () => {
        const { status } = await kit.ask(request)
        if (status >= 400) throw Object.assign(new Error('refused'), { code: String(status) })
        return true
      })
    },
    frame(type, seq, meta, payload, flags = 0) {
      const body = Buffer.concat([meta, typeof payload === 'string' ? Buffer.from(payload) : payload])
      const header = Buffer.alloc(12)
      header.writeUInt32LE(body.length, 0)
      header.writeUInt8(type, 4)
      header.writeUInt8(flags, 5)
      header.writeUInt16LE(meta.length, 6)
      header.writeUInt32LE(seq, 8)
      return Buffer.concat([header, body])
    },
    write(fd, bytes) {
      for (let at = 0; at < bytes.length; ) {
        try {
          at += fs.writeSync(fd, bytes, at)
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
        }
      }
    },
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms))
  }
  return kit
}
