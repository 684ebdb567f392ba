import { type Attack, ended } from '../../attack.ts'
import { exhausted, outOfMemory } from '../../exhausted.ts'

/** Everything that there is only so much of, as Python asks for it. */
export default [
  {
    name: 'in python: takes memory that its own allocator does not see',
    in: 'python',
    body: `
import mmap, time

def take():
    blocks = []
    for n in range(40):
        block = mmap.mmap(-1, 10 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for at in range(0, 10 << 20, 4096):
            block[at] = 1
        blocks.append(block)
    # Without cgroups memory is looked at five times a second: what counts is what one may keep.
    time.sleep(1)
    return True

attempt("400 MiB", take)
`,
    verdict: outOfMemory
  },
  {
    name: 'in python: takes descriptors, files and threads without end',
    in: 'python',
    settings: 'memory=512',
    body: `
import threading

def files():
    made, end = 0, time.monotonic() + 0.7
    while made < 200_000 and time.monotonic() < end:
        os.close(os.open("/tmp/file-with-a-long-name-number-%d" % made, os.O_CREAT | os.O_WRONLY))
        made += 1
    return made == 200_000

def descriptors():
    kept = []
    try:
        while len(kept) < 2000:
            kept.append(os.open("/dev/null", os.O_RDONLY))
        return True
    finally:
        for fd in kept:
            os.close(fd)

def threads():
    threading.stack_size(65536)
    gate = threading.Event()
    try:
        for n in range(1100):
            threading.Thread(target=gate.wait, daemon=True).start()
        return True
    finally:
        gate.set()

attempt("2,000 descriptors", descriptors)
attempt("200,000 files", files)
attempt("1,100 threads", threads)
`,
    verdict: exhausted
  },
  {
    name: 'in python: forks without end, keeps every CPU busy and floods its log',
    in: 'python',
    settings: 'timeout=1',
    body: `
if os.fork() == 0:
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(0.05)
while True:
    print("x" * 1000)
`,
    verdict: ended('Sandbox.Timedout', 'Runtime.OutOfMemory')
  }
] satisfies readonly Attack[]
