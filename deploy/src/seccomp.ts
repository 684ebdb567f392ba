import { CALLS_OF_FUNCTIONS } from '@hearth/sandbox'

/**
 * What the server calls beside what functions may: to make sandboxes and put code into them. In a sandbox none of these is
 * left, because each has a filter of its own.
 */
const CALLS_OF_THE_SERVER = [
  // namespaces and mounts: bubblewrap, and the launcher that puts code into a sandbox which runs
  ...['chroot', 'clone3', 'fsconfig', 'fsmount', 'fsopen', 'fspick', 'mount', 'mount_setattr', 'move_mount'],
  ...['open_tree', 'pivot_root', 'setdomainname', 'sethostname', 'setns', 'umount2', 'unshare'],
  // Node.js and its libraries watch files
  ...['inotify_add_watch', 'inotify_init', 'inotify_init1', 'inotify_rm_watch']
]

const EPERM = 1
const ENOSYS = 38

/**
 * The filter of the container around Hearth, as Docker and Podman read it. What neither a function nor the server needs is
 * refused: no tracing of processes, no kernel modules, no keyrings, no io_uring, no BPF, no clocks.
 *
 * @returns deploy/docker/seccomp.json
 */
export function renderContainerSeccomp(): string {
  const names = [...new Set([...CALLS_OF_FUNCTIONS, ...CALLS_OF_THE_SERVER])].sort()
  const profile = {
    defaultAction: 'SCMP_ACT_ERRNO',
    // What libraries take as a call that this kernel has not.
    defaultErrnoRet: ENOSYS,
    // Only the processor's own ABI: numbers of another mean other calls.
    archMap: [
      { architecture: 'SCMP_ARCH_X86_64', subArchitectures: [] },
      { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: [] }
    ],
    syscalls: [
      { names, action: 'SCMP_ACT_ALLOW' },
      { names: ['bpf', 'keyctl', 'perf_event_open', 'ptrace'], action: 'SCMP_ACT_ERRNO', errnoRet: EPERM }
    ]
  }
  return `${JSON.stringify(profile, null, 2)}\n`
}
