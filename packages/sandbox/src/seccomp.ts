import type { Architecture } from './syscall-numbers.ts'

/** Everything ordinary programs and language runtimes call. Docker's default list, less what shares state between sandboxes. */
const ALLOWED = `
  accept accept4 access alarm arch_prctl bind brk capget capset chdir chmod chown clock_getres clock_gettime
  clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl
  epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64
  fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork
  fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex futex_requeue futex_wait futex_waitv futex_wake futimesat
  get_mempolicy get_robust_list getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups getitimer
  getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid
  getsockname getsockopt gettid gettimeofday getuid getxattr io_cancel io_destroy io_getevents io_pgetevents io_setup
  io_submit ioprio_get kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lgetxattr link
  linkat listen listxattr llistxattr lremovexattr lseek lsetxattr lstat madvise map_shadow_stack mbind membarrier
  memfd_create mincore mkdir mkdirat mlock mlock2 mlockall mmap mprotect mremap msgctl msgget msgrcv msgsnd msync
  munlock munlockall munmap nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2
  pkey_alloc pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64 pselect6 pwrite64 pwritev
  pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg recvmsg remap_file_pages removexattr rename
  renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
  rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity
  sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
  sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto
  set_mempolicy set_robust_list set_tid_address setfsgid setfsuid setgid setgroups setitimer setpgid setpriority
  setregid setresgid setresuid setreuid setrlimit setsid setsockopt setuid setxattr shmat shmctl shmdt shmget shutdown
  sigaltstack signalfd signalfd4 socketpair splice stat statfs statx symlink symlinkat sync_file_range sysinfo tee
  tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime
  timerfd_settime times tkill truncate umask uname unlink unlinkat utime utimensat utimes vfork wait4 waitid write
  writev`

/**
 * Refused with EPERM. inotify is here because a watch on the shared /usr sees other sandboxes start; mq_* because
 * nothing bounds its kernel memory; sync because it stalls the whole machine. All the rest, known or not, is ENOSYS,
 * on which libc falls back.
 */
const REFUSED = `
  _sysctl acct add_key adjtimex bpf chroot clock_adjtime clock_settime delete_module fanotify_init fanotify_mark
  finit_module fsconfig fsmount fsopen fspick init_module inotify_add_watch inotify_init inotify_init1 io_uring_enter
  io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie memfd_secret mknod
  mknodat modify_ldt mount mount_setattr move_mount mq_open mq_unlink name_to_handle_at nfsservctl open_by_handle_at
  open_tree perf_event_open personality pidfd_getfd pivot_root process_madvise process_vm_readv process_vm_writev ptrace
  quotactl quotactl_fd reboot request_key setdomainname sethostname setns settimeofday swapoff swapon sync syncfs sysfs
  syslog umount2 unshare uselib userfaultfd ustat vhangup vmsplice`

/** What code in a sandbox may call, by name; `clone`, `socket` and `ioctl` with some of their arguments only. */
export const CALLS_OF_FUNCTIONS: readonly string[] = [...ALLOWED.trim().split(/\s+/), 'clone', 'socket', 'ioctl']

/** Memory that the watchdog of a sandbox without cgroups cannot see: it looks at processes. */
const OWNERLESS_MEMORY = 'memfd_create shmget msgget'

/** AF_UNIX, AF_INET, AF_INET6: no raw packets, no AF_VSOCK to a hypervisor, no AF_ALG. */
const SOCKET_FAMILIES = [1, 2, 10]
/**
 * AF_NETLINK only for NETLINK_ROUTE, which getifaddrs asks: another protocol tells who listens of every device of the
 * machine, and so of the disks of other sandboxes, wherever the network namespace was made by root.
 */
const AF_NETLINK = 16
const NETLINK_ROUTE = 0
/** Every CLONE_NEW… flag that clone takes: no new namespaces. */
const NAMESPACE_FLAGS = 0x7e020000
const TIOCSTI = 0x5412
const TIOCLINUX = 0x541c

const EPERM = 1
const ENOSYS = 38
const EPROTONOSUPPORT = 93
const EAFNOSUPPORT = 97
const RET_ALLOW = 0x7fff0000
const RET_KILL_PROCESS = 0x80000000
const errno = (n: number) => 0x00050000 | n

const OFFSET_NUMBER = 0
const OFFSET_ARCH = 4
const OFFSET_ARG0 = 16
const OFFSET_ARG1 = 24
const OFFSET_ARG2 = 32

const LOAD = 0x20
const RETURN = 0x06
const JUMP = 0x05
const IF_EQUAL = 0x15
const IF_AT_LEAST = 0x35
const IF_ANY_BIT = 0x45

type Verdict = 'allow' | 'refuse' | 'unknown' | 'clone' | 'socket' | 'ioctl'
interface Instruction {
  readonly code: number
  k: number
  readonly onTrue: number
  readonly onFalse: number
}

/**
 * Compiles the filter of every sandbox into a classic BPF program for seccomp(2): a binary search over the numbers of
 * system calls, then a look at the arguments of clone, socket and ioctl.
 *
 * @param countsMemory - False where no cgroup counts memory: calls that make memory which belongs to no process are
 *   then ENOSYS too
 * @returns `struct sock_filter[]` as bubblewrap's --seccomp reads it
 */
export function compileSeccomp({ audit, foreignFrom, numbers }: Architecture, countsMemory = true): Buffer {
  const program: Instruction[] = []
  const jumps: { at: number; to: Verdict }[] = []
  const emit = (code: number, k: number, onTrue = 0, onFalse = 0) => program.push({ code, k, onTrue, onFalse }) - 1
  const ret = (k: number) => emit(RETURN, k)

  emit(LOAD, OFFSET_ARCH)
  emit(IF_EQUAL, audit, 1, 0)
  ret(RET_KILL_PROCESS) // another ABI of this processor, whose numbers mean other calls
  emit(LOAD, OFFSET_NUMBER)
  if (foreignFrom !== undefined) {
    emit(IF_AT_LEAST, foreignFrom, 0, 1)
    ret(RET_KILL_PROCESS)
  }

  const ranges = verdictRanges(numbers, countsMemory)
  // A conditional jump reaches 255 instructions only, so each one skips an unconditional jump that reaches all.
  const search = (low: number, high: number): void => {
    const range = ranges[low]
    if (range === undefined) throw new Error('empty range')
    if (low === high) {
      jumps.push({ at: emit(JUMP, 0), to: range.verdict })
      return
    }
    const middle = (low + high + 1) >> 1
    emit(IF_AT_LEAST, ranges[middle]?.from ?? 0, 0, 1)
    const toUpper = emit(JUMP, 0)
    search(low, middle - 1)
    patch(program, toUpper)
    search(middle, high)
  }
  search(0, ranges.length - 1)

  const start: Record<Verdict, number> = { allow: 0, refuse: 0, unknown: 0, clone: 0, socket: 0, ioctl: 0 }
  start.allow = ret(RET_ALLOW)
  start.refuse = ret(errno(EPERM))
  start.unknown = ret(errno(ENOSYS))
  start.clone = emit(LOAD, OFFSET_ARG0)
  emit(IF_ANY_BIT, NAMESPACE_FLAGS, 0, 1)
  ret(errno(EPERM))
  ret(RET_ALLOW)
  start.socket = emit(LOAD, OFFSET_ARG0)
  for (const family of SOCKET_FAMILIES) {
    emit(IF_EQUAL, family, 0, 1)
    ret(RET_ALLOW)
  }
  emit(IF_EQUAL, AF_NETLINK, 0, 4)
  emit(LOAD, OFFSET_ARG2)
  emit(IF_EQUAL, NETLINK_ROUTE, 0, 1)
  ret(RET_ALLOW)
  ret(errno(EPROTONOSUPPORT))
  ret(errno(EAFNOSUPPORT))
  start.ioctl = emit(LOAD, OFFSET_ARG1)
  emit(IF_EQUAL, TIOCSTI, 2, 0)
  emit(IF_EQUAL, TIOCLINUX, 1, 0)
  ret(RET_ALLOW)
  ret(errno(EPERM))
  for (const { at, to } of jumps) patch(program, at, start[to])

  const bytes = Buffer.alloc(program.length * 8)
  program.forEach(({ code, k, onTrue, onFalse }, i) => {
    bytes.writeUInt16LE(code, i * 8)
    bytes.writeUInt8(onTrue, i * 8 + 2)
    bytes.writeUInt8(onFalse, i * 8 + 3)
    bytes.writeUInt32LE(k >>> 0, i * 8 + 4)
  })
  return bytes
}

function patch(program: Instruction[], at: number, target = program.length): void {
  const jump = program[at]
  if (jump !== undefined) jump.k = target - at - 1
}

/** Neighbouring numbers with the same verdict, as one range each, from 0 to the highest number there is. */
function verdictRanges(
  numbers: ReadonlyMap<string, number>,
  countsMemory: boolean
): { from: number; verdict: Verdict }[] {
  const verdicts = new Map<number, Verdict>()
  const set = (names: string, verdict: Verdict) => {
    for (const name of names.trim().split(/\s+/)) {
      const number = numbers.get(name) // not every architecture has every call
      if (number !== undefined) verdicts.set(number, verdict)
    }
  }
  set(REFUSED, 'refuse')
  set(ALLOWED, 'allow')
  if (!countsMemory) set(OWNERLESS_MEMORY, 'unknown')
  set('clone', 'clone')
  set('clone3', 'unknown') // its flags are in memory, where a filter cannot look; libc falls back to clone
  set('socket', 'socket')
  set('ioctl', 'ioctl')
  const highest = Math.max(...verdicts.keys())
  const ranges: { from: number; verdict: Verdict }[] = []
  for (let number = 0; number <= highest + 1; number++) {
    const verdict = verdicts.get(number) ?? 'unknown'
    if (ranges.at(-1)?.verdict !== verdict) ranges.push({ from: number, verdict })
  }
  return ranges
}
