import type { Attack } from '../../attack.ts'
import { STRIKE_REFUSALS } from '../../runtimes/strike.ts'

/** Python's ways to code that is not Python. */
export default [
  {
    name: 'in python: calls the kernel with ctypes',
    in: 'python',
    only: ['EPERM', 'ENOSYS'],
    body: `
libc = ctypes.CDLL(None, use_errno=True)

def call(name, *args):
    def act():
        if libc.syscall(ctypes.c_long(int(facts["number." + name])), *args) >= 0:
            return True
        raise OSError(ctypes.get_errno(), name)
    attempt(name, act)

call("mount", b"none", b"/tmp", b"tmpfs", 0, 0)
call("unshare", 0x10000000)
call("setns", 0, 0)
call("ptrace", 16, 1, 0, 0)
call("process_vm_writev", 1, 0, 0, 0, 0, 0)
call("bpf", 0, 0, 0)
call("keyctl", 0, -3, 0)
call("open_by_handle_at", 0, 0, 0)
call("perf_event_open", 0, 0, -1, -1, 0)
call("kexec_load", 0, 0, 0, 0)
`
  },
  {
    name: 'in python: loads a native library from /tmp',
    in: 'python',
    only: STRIKE_REFUSALS,
    body: `
shutil.copy("/var/task/strike.so", "/tmp/strike.so")
ctypes.CDLL("/tmp/strike.so")
struck()
`
  },
  {
    name: 'in python: preloads a library into setuid programs',
    in: 'python',
    only: [...STRIKE_REFUSALS, 'nothing'],
    body: `
for name in ("su", "mount", "passwd", "chsh", "newgrp"):
    program = "/usr/bin/" + name
    if not os.path.exists(program):
        continue
    subprocess.run([program, "--version"], env={"LD_PRELOAD": "/var/task/strike.so"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=3)
    attempt("report of " + name, lambda: open("/tmp/strike-report").read().startswith("root 0"))
struck()
`
  }
] satisfies readonly Attack[]
