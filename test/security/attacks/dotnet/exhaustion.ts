import { type Attack, ended } from '../../attack.ts'
import { exhausted, outOfMemory } from '../../exhausted.ts'

/** Everything that there is only so much of, as .NET asks for it. */
export default [
  {
    name: 'in dotnet: takes memory that its own collector does not see',
    in: 'dotnet',
    body: `
attempt("600 MiB", () => {
    for (var n = 0; n < 60; n++)
    {
        var block = Marshal.AllocHGlobal(10 << 20);
        for (var at = 0; at < 10 << 20; at += 4096) Marshal.WriteByte(block, at, 1);
    }
    return true;
});
`,
    verdict: outOfMemory
  },
  {
    name: 'in dotnet: takes descriptors, files and threads without end',
    in: 'dotnet',
    settings: 'memory=512',
    body: `
attempt("2,000 descriptors", () => {
    var kept = new List<FileStream>();
    try
    {
        while (kept.Count < 2000) kept.Add(File.OpenRead("/dev/zero"));
        return true;
    }
    finally
    {
        foreach (var file in kept) file.Close();
    }
});
attempt("200,000 files", () => {
    var made = 0;
    for (var watch = Stopwatch.StartNew(); made < 200000 && watch.ElapsedMilliseconds < 700; made++)
        File.Create("/tmp/file-with-a-long-name-number-" + made).Close();
    return made == 200000;
});
attempt("1,100 threads", () => {
    for (var n = 0; n < 1100; n++) new Thread(() => Thread.Sleep(Timeout.Infinite), 65536) { IsBackground = true }.Start();
    return true;
});
`,
    verdict: exhausted
  },
  {
    name: 'in dotnet: forks without end, keeps every CPU busy and floods its log',
    in: 'dotnet',
    settings: 'timeout=1',
    body: `
Process.Start(new ProcessStartInfo("/bin/sh", "-c \\"f() { f | f & f; }; f\\"") { UseShellExecute = false, RedirectStandardError = true });
var line = new string('x', 1000);
for (;;) Console.WriteLine(line);
`,
    verdict: ended('Sandbox.Timedout', 'Runtime.OutOfMemory')
  }
] satisfies readonly Attack[]
