import { type Attack, ended } from '../../attack.ts'
import { exhausted, outOfMemory } from '../../exhausted.ts'

/** Everything that there is only so much of, as Java asks for it. */
export default [
  {
    name: 'in java: takes memory outside of the heap',
    in: 'java',
    body: `
attempt("600 MiB", () -> {
  for (int n = 0; n < 60; n++) unsafe().setMemory(unsafe().allocateMemory(10 << 20), 10 << 20, (byte) 1);
  return true;
});
`,
    verdict: outOfMemory
  },
  {
    name: 'in java: takes descriptors, files and threads without end',
    in: 'java',
    settings: 'memory=512',
    body: `
attempt("2,000 descriptors", () -> {
  List<InputStream> kept = new ArrayList<>();
  try {
    while (kept.size() < 2000) kept.add(new FileInputStream("/dev/null"));
    return true;
  } finally {
    for (InputStream file : kept) file.close();
  }
});
attempt("200,000 files", () -> {
  int made = 0;
  for (long end = System.nanoTime() + 700_000_000L; made < 200_000 && System.nanoTime() < end; made++)
    new FileOutputStream("/tmp/file-with-a-long-name-number-" + made).close();
  return made == 200_000;
});
attempt("1,100 threads", () -> {
  for (int n = 0; n < 1100; n++) {
    Thread thread = new Thread(null, () -> { while (true) java.util.concurrent.locks.LockSupport.park(); }, "t", 65536);
    thread.setDaemon(true);
    thread.start();
  }
  return true;
});
`,
    verdict: exhausted
  },
  {
    name: 'in java: forks without end, keeps every CPU busy and floods its log',
    in: 'java',
    settings: 'timeout=1',
    body: `
new ProcessBuilder("/bin/sh", "-c", "f() { f | f & f; }; f").redirectErrorStream(true).start();
for (;;) System.out.println("x".repeat(1000));
`,
    verdict: ended('Sandbox.Timedout', 'Runtime.OutOfMemory', 'java.lang.OutOfMemoryError')
  }
] satisfies readonly Attack[]
