import { type Attack } from '../../attack.ts'
import { STRIKE_REFUSALS } from '../../runtimes/strike.ts'

/** Ruby's own ways to the kernel, and to what its runtime keeps. */
export default [
  {
    name: 'in ruby: calls the kernel with Kernel#syscall',
    in: 'ruby',
    only: ['EPERM', 'ENOSYS'],
    body: `
calls = {
  'mount' => ['none', '/tmp', 'tmpfs', 0, 0], 'unshare' => [0x20000], 'setns' => [0, 0], 'ptrace' => [16, 1, 0, 0],
  'pivot_root' => ['/tmp', '/tmp'], 'process_vm_readv' => [1, 0, 0, 0, 0, 0], 'bpf' => [0, 0, 0],
  'add_key' => ['user', 'k', 'v', 1, -3], 'userfaultfd' => [1], 'io_uring_setup' => [4, 0], 'init_module' => [0, 0, '']
}
$VERBOSE = nil
calls.each { |name, args| attempt(name) { syscall(facts["number.#{name}"].to_i, *args) >= 0 } }
`
  },
  {
    name: 'in ruby: loads a native library from /tmp with Fiddle',
    in: 'ruby',
    only: STRIKE_REFUSALS,
    body: `
require 'fiddle'
FileUtils.cp('/var/task/strike.so', '/tmp/strike.so')
Fiddle.dlopen('/tmp/strike.so')
struck
`
  },
  {
    name: 'in ruby: plants code where other instances would load it',
    in: 'ruby',
    only: ['EROFS', 'EACCES', 'EPERM', 'ENOENT', 'EXDEV'],
    body: `
places = $LOAD_PATH.select { |place| place.start_with?('/usr', '/var/runtime', '/var/task') } + ['/var/runtime', Gem.default_dir]
places.each { |place| attempt("in #{place}") { File.write("#{place}/json.rb", 'evil') } }
%w[bootstrap.rb serve.rb channel.rb].each do |name|
  attempt("write #{name}") { File.open("/var/runtime/#{name}", 'r+') }
  attempt("remove #{name}") { File.unlink("/var/runtime/#{name}") }
  attempt("link over #{name}") { File.rename('/var/task/kit.rb', "/var/runtime/#{name}") }
end
`
  },
  {
    name: 'in ruby: takes rights, limits, priorities and other processes',
    in: 'ruby',
    only: ['EPERM', 'EINVAL', 'EACCES', 'ESRCH', 'ENOSYS', 'nothing', 'NotImplementedError'],
    body: `
attempt('setuid') { Process::Sys.setuid(0) || true }
attempt('seteuid') { Process.euid = 0 }
attempt('groups') { Process.groups = [0] }
attempt('priority') { Process.setpriority(Process::PRIO_PROCESS, 0, -20) }
attempt('descriptors') { Process.setrlimit(:NOFILE, 1 << 20, 1 << 20) || true }
attempt('core') { Process.setrlimit(:CORE, 1 << 30, 1 << 30) || true }
[facts['canary.pid'], *facts['pids'].split(',')].each { |pid| attempt("kill #{pid}") { Process.kill(:KILL, pid.to_i) } }
attempt('chroot') { Dir.chroot('/tmp') || true }
`
  },
  {
    name: 'in ruby: opens sockets to the machine and to the kernel',
    in: 'ruby',
    only: [
      'EPERM',
      'EAFNOSUPPORT',
      'EACCES',
      'ECONNREFUSED',
      'ENETUNREACH',
      'ENOENT',
      'EADDRNOTAVAIL',
      'EPROTONOSUPPORT'
    ],
    body: `
attempt('packet') { Socket.new(17, Socket::SOCK_RAW, 0x300) }
attempt('raw') { Socket.new(Socket::AF_INET, Socket::SOCK_RAW, 1) }
attempt('raw6') { Socket.new(Socket::AF_INET6, Socket::SOCK_RAW, 58) }
attempt('vsock') { Socket.new(40, Socket::SOCK_STREAM, 0) }
attempt('crypto') { Socket.new(38, 5, 0) }
[facts['canary.port'], *facts['ports'].split(',')].each do |port|
  attempt("port #{port}") { TCPSocket.new('127.0.0.1', port.to_i).write('sandbox ruby') }
end
attempt('canary socket') { UNIXSocket.new(facts['canary.socket']).read(10) }
attempt('abstract socket') { UNIXSocket.new("\\0" + facts['canary.abstractSocket']).read(10) }
attempt('launcher') { UNIXSocket.new('/control/socket') }
`
  },
  {
    name: 'in ruby: finds the runtime’s channel among its objects and answers for whoever comes next',
    in: 'ruby',
    settings: 'timeout=2',
    calls: 4,
    body: `
answer = ->(seq, text) { [4 + text.bytesize, 19, 0, 4, seq, 0].pack('VCCvVV') + text }
ObjectSpace.each_object(UNIXSocket) do |socket|
  socket.write(answer.(1, '"mine"') + answer.(2, '"forged"') + answer.(3, '"forged"')) unless socket.closed?
end
loop {}
`,
    verdict: ({ status, text }) => (status === 200 && text !== '"mine"' ? `another’s answer: ${text}` : undefined)
  }
] satisfies readonly Attack[]
