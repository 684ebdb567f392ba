import type { Attack } from '../attack.ts'

/** What other functions may do as their roles, and the platform's API as a way to it. Attackers may write logs. */
export default [
  {
    name: 'looks for another function’s credentials, in processes, files and doors',
    only: ['nothing', 'ECONNREFUSED', 'EADDRNOTAVAIL', 'EACCES', 'EADDRINUSE', 'ENOENT'],
    async body({ fs, net, attempt, connect }) {
      const own = process.env['AWS_ACCESS_KEY_ID']
      if (own === undefined) throw new Error('it has no credentials of its own')
      const strange = (text: string) => (text.match(/ASIA[A-Z2-7]{16}/g) ?? []).some((id) => id !== own)
      const read = (file: string) => {
        try {
          return fs.statSync(file).isFile() ? fs.readFileSync(file, 'latin1') : ''
        } catch {
          return ''
        }
      }
      await attempt('processes', () =>
        fs
          .readdirSync('/proc')
          .filter((name) => /^\d+$/.test(name))
          .some((pid) => strange(read(`/proc/${pid}/environ`)) || strange(read(`/proc/${pid}/cmdline`)))
      )
      for (const folder of ['/tmp', '/dev/shm', '/run', '/var/task', '/var/runtime'])
        await attempt(folder, () => fs.readdirSync(folder).some((name) => strange(read(`${folder}/${name}`))))
      const door = Number(new URL(process.env['AWS_ENDPOINT_URL']!).port)
      for (const host of ['127.0.0.2', '127.255.255.254', '::1']) await connect(`door at ${host}`, host, door)
      for (const host of ['127.0.0.1', '0.0.0.0', '127.0.0.2'])
        await attempt(
          `in place of the door at ${host}`,
          () =>
            new Promise((resolve, reject) => {
              const server = net.createServer().once('error', reject)
              server.listen(door, host, () => server.close(() => resolve(true)))
            })
        )
    }
  },
  {
    name: 'asks the platform for another function’s code, settings, answers and role',
    only: ['403'],
    async body({ ask, demand }) {
      const other = 'arn:aws:lambda:us-east-1:000000000000:function:neighbour'
      const role = 'arn:aws:iam::000000000000:role/neighbour'
      const self = await ask({ service: 'sts', body: 'Action=GetCallerIdentity&Version=2011-06-15' })
      const name = process.env['AWS_LAMBDA_FUNCTION_NAME']!
      if (self.status !== 200 || !self.text.includes(`:assumed-role/hearth-default/${name}<`))
        throw new Error(`it is not itself: ${self.text}`)
      const path = `/2015-03-31/functions/neighbour`
      const get = (name: string, path: string) => demand(name, { method: 'GET', path })
      await get('code', path)
      await get('settings', `${path}/configuration`)
      await get('policy', `${path}/policy`)
      await get('list', '/2015-03-31/functions/')
      await get('versions', `${path}/versions`)
      await get('URL', '/2021-10-31/functions/neighbour/url')
      await get('tags', `/2017-03-31/tags/${other}`)
      await demand('invoke', { path: `${path}/invocations`, body: '{}' })
      await demand('invoke by ARN', { path: `/2015-03-31/functions/${other}/invocations`, body: '{}' })
      await demand('invoke later', {
        path: `${path}/invocations`,
        body: '{}',
        headers: { 'x-amz-invocation-type': 'Event' }
      })
      const stream = '/2021-11-15/functions/neighbour/response-streaming-invocations'
      await demand('stream', { path: stream, body: '{}' })
      await demand('new settings', { method: 'PUT', path: `${path}/configuration`, body: `{"Timeout":1}` })
      await demand('new code', {
        method: 'PUT',
        path: `${path}/code`,
        body: '{"ZipFile":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="}'
      })
      await demand('end', { method: 'DELETE', path })
      await demand('its role for itself', {
        method: 'PUT',
        path: `/2015-03-31/functions/${name}/configuration`,
        body: JSON.stringify({ Role: role })
      })
      const query = (name: string, service: string, body: string) =>
        demand(name, { service, body: `${body}&Version=${service === 'sts' ? '2011-06-15' : '2010-05-08'}` })
      await query('role', 'sts', `Action=AssumeRole&RoleSessionName=neighbour&RoleArn=${encodeURIComponent(role)}`)
      await query('roles', 'iam', 'Action=ListRoles')
      await query('key', 'iam', 'Action=CreateAccessKey&UserName=admin')
      const admin = encodeURIComponent('arn:aws:iam::aws:policy/AdministratorAccess')
      await query('rights', 'iam', `Action=AttachRolePolicy&RoleName=hearth-default&PolicyArn=${admin}`)
    }
  },
  {
    name: 'forges credentials and signatures',
    only: ['400', '401', '403'],
    async body({ demand }) {
      const identity = { service: 'sts', body: 'Action=GetCallerIdentity&Version=2011-06-15' }
      const { AWS_SESSION_TOKEN: token = '', AWS_ACCESS_KEY_ID: keyId = '' } = process.env
      const bytes = Buffer.from(token, 'base64')
      for (const at of [0, 20, bytes.length >> 1, bytes.length - 1]) {
        const other = Buffer.from(bytes)
        other[at]! ^= 1
        await demand(`token with byte ${at} changed`, { ...identity, token: other.toString('base64') })
      }
      await demand('half a token', { ...identity, token: bytes.subarray(0, bytes.length >> 1).toString('base64') })
      await demand('no token', { ...identity, token: '' })
      await demand('another key’s token', { ...identity, keyId: `ASIA${'A'.repeat(16)}` })
      await demand('a user’s key', { ...identity, keyId: keyId.replace('ASIA', 'AKIA') })
      await demand('another secret', { ...identity, secret: 'A'.repeat(40) })
      await demand('no secret', { ...identity, secret: '' })
      for (const authorization of ['Bearer ', 'Bearer null', `Bearer ${token}`, 'Basic YWRtaW46YWRtaW4=', ''])
        await demand(authorization.slice(0, 12), { ...identity, headers: { authorization } })
    }
  },
  {
    name: 'goes to other parts of the server by its door',
    only: ['400', '401', '403', '404', '405', '417', '501', 'no answer'],
    async body({ facts, net, attempt }) {
      const { port } = new URL(process.env['AWS_ENDPOINT_URL']!)
      const status = (request: string) =>
        new Promise<string>((resolve) => {
          let text = ''
          const socket = net.connect({ host: '127.0.0.1', port: Number(port) })
          socket.setTimeout(2_000, () => socket.destroy())
          socket.on('error', () => {})
          socket.on('data', (data) => (text += data.toString()))
          socket.on('close', () => resolve(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 'no answer'))
          socket.write(request)
        })
      const paths =
        '/v1/functions /v1/keys /v1/functions/neighbour /fn/neighbour /fn/neighbour/x /url/neighbour /metrics /healthz /readyz /openapi.json /console /.function-host //v1/keys /./v1/keys /2015-03-31/../v1/keys /2015-03-31/%2e%2e/v1/keys /2015-03-31/functions/../../v1/keys /%76%31/keys /\\v1/keys http://127.0.0.1/v1/keys http://x@127.0.0.1/metrics * 127.0.0.1:22'
      const lines = (path: string, method = 'GET', headers: string[] = []) =>
        [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close', ...headers, '', ''].join('\r\n')
      const send = (name: string, request: string) =>
        attempt(name, async () => {
          const code = await status(request)
          if (code.startsWith('2')) return true
          throw Object.assign(new Error('refused'), { code })
        })
      for (const path of paths.split(' ')) await send(path, lines(path))
      const proof = ['X-Hearth-Gateway: 1', 'X-Forwarded-For: 127.0.0.1', 'X-Forwarded-Proto: https']
      await send('as the gateway', lines('/2015-03-31/functions/', 'GET', proof))
      await send('as a function’s host', lines('/', 'GET', ['X-Forwarded-Host: neighbour.lambda-url.localhost']))
      await send('tunnel', lines(`127.0.0.1:${facts.ports[1]}`, 'CONNECT'))
      await send('trace', lines('/2015-03-31/functions/', 'TRACE'))
      const upgrade = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==']
      await send('upgrade', lines('/v1/functions', 'GET', upgrade))
      const inner = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
      const both = ['Content-Length: 5', 'Transfer-Encoding: chunked']
      await send('smuggled by both lengths', `${lines('/2015-03-31/functions/', 'POST', both)}0\r\n\r\n${inner}`)
      await send(
        'smuggled behind a body',
        `${lines('/2015-03-31/functions/', 'POST', ['Content-Length: 3'])}abc${inner}`
      )
      await send('not HTTP', `\x16\x03\x01${'\0'.repeat(64)}\r\n\r\n`)
    }
  },
  {
    name: 'keeps the platform busy at its door: connections, floods, requests behind requests, answers unread',
    alone: true,
    elsewhere: 'nowhere',
    only: ['bounded'],
    async body({ net, attempt, sleep }) {
      const { port } = new URL(process.env['AWS_ENDPOINT_URL']!)
      const open = () => {
        const socket = net.connect({ host: '127.0.0.1', port: Number(port) })
        socket.on('error', () => {})
        return socket
      }
      const bounded = (name: string, isFree: () => boolean | Promise<boolean>) =>
        attempt(name, async () => {
          if (await isFree()) return true
          throw Object.assign(new Error('bounded'), { code: 'bounded' })
        })
      await bounded('connections', async () => {
        const sockets = Array.from({ length: 200 }, open)
        await sleep(500)
        const standing = sockets.filter(({ readyState }) => readyState === 'open').length
        for (const socket of sockets) socket.destroy()
        return standing > 64
      })
      await bounded('requests behind requests', async () => {
        const socket = open()
        let text = ''
        socket.on('data', (data) => (text += data.toString()))
        const closed = new Promise((resolve) => socket.on('close', resolve))
        // Each of these waits for the control plane.
        socket.write('GET /2015-03-31/functions/ HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5_000))
        await closed
        return text.split('HTTP/1.1 ').length > 10
      })
      await sleep(1_200)
      await bounded('flood', async () => {
        let answered = 0
        const until = Date.now() + 2_000
        const one = async () => {
          while (Date.now() < until) {
            const { status } = await fetch(`http://127.0.0.1:${port}/v1/x`).catch(() => ({ status: 0 }))
            if (status === 403) answered++
            if (status === 0) await sleep(20)
          }
        }
        await Promise.all(Array.from({ length: 50 }, one))
        return answered > 8_000
      })
    }
  }
] satisfies readonly Attack[]
