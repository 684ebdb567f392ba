import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { endsItself, indent, type RuntimeUnderAttack } from './runtime.ts'

const KIT = `
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;

public abstract class Kit
{
    [DllImport("libc", SetLastError = true)] protected static extern IntPtr write(int fd, byte[] bytes, IntPtr count);
    [DllImport("libc", SetLastError = true)] protected static extern long syscall(long number, long a, long b, long c, long d, long e);
    [DllImport("libdl.so.2")] protected static extern IntPtr dlopen(string file, int flags);

    protected readonly List<string> loot = new List<string>();
    protected readonly Dictionary<string, string> refused = new Dictionary<string, string>();

    protected void attempt(string name, Func<bool> act)
    {
        try
        {
            if (act()) loot.Add(name); else refused[name] = "nothing";
        }
        catch (Exception error)
        {
            refused[name] = error.GetType().Name;
        }
    }

    /// <summary>A bare system call.</summary>
    protected void call(string name, long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0)
    {
        if (syscall(number, a, b, c, d, e) >= 0) { loot.Add(name); return; }
        var error = Marshal.GetLastWin32Error();
        refused[name] = error == 1 ? "EPERM" : error == 38 ? "ENOSYS" : "errno " + error;
    }

    protected void struck()
    {
        foreach (var line in File.ReadAllLines("/tmp/strike-report"))
        {
            var parts = line.Split(' ');
            if (parts[1] == "0") loot.Add(parts[0]); else refused[parts[0]] = parts[1];
        }
    }

    protected static void send(string hex)
    {
        var bytes = Enumerable.Range(0, hex.Length / 2).Select(n => Convert.ToByte(hex.Substring(2 * n, 2), 16)).ToArray();
        for (var at = 0; at < bytes.Length;)
        {
            var sent = (int)write(3, bytes.Skip(at).ToArray(), (IntPtr)(bytes.Length - at));
            if (sent < 0) throw new IOException("write: " + Marshal.GetLastWin32Error());
            at += sent;
        }
    }

    protected static string run(string file, string arguments, string input)
    {
        var start = new ProcessStartInfo(file, arguments) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        using (var process = Process.Start(start))
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
            return process.StandardOutput.ReadToEnd();
        }
    }

    protected abstract string Attack(Dictionary<string, string> facts);

    public string Handle(string ev)
    {
        var answer = Attack(ev.Split('\\n').Select(line => line.Split(new[] { '=' }, 2)).ToDictionary(pair => pair[0], pair => pair[1]));
        if (answer != null) return answer;
        return string.Join("\\n", loot.Select(name => "loot\\t" + name).Concat(refused.Select(pair => "refused\\t" + pair.Key + "\\t" + pair.Value)).ToArray());
    }
}
`

export const DOTNET: RuntimeUnderAttack = {
  name: 'dotnet',
  identifier: 'dotnet8',
  memoryMiB: 256,
  carrier: 'return run(facts["node"], "/var/task/carried.mjs", facts["facts"]);',
  build(bodies, dir) {
    writeFileSync(path.join(dir, 'Kit.cs'), KIT)
    bodies.forEach((body, n) => {
      const source = `
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Threading;

public sealed class Attack${n} : Kit
{
    protected override string Attack(Dictionary<string, string> facts)
    {
        ${indent(body, 8)}
        ${endsItself(body) ? '' : 'return null;'}
    }
}
`
      writeFileSync(path.join(dir, `Attack${n}.cs`), source)
    })
    const sources = readdirSync(dir)
      .filter((name) => name.endsWith('.cs'))
      .map((name) => path.join(dir, name))
    const out = path.join(dir, 'Attacks.dll')
    const flags = [
      '-nologo',
      '-unsafe',
      '-warn:0',
      '-target:library',
      '-r:System.Core.dll',
      '-r:System.dll',
      `-out:${out}`
    ]
    execFileSync('mcs', [...flags, ...sources], { stdio: 'pipe' })
    return { 'Attacks.dll': { content: readFileSync(out) } }
  },
  handlerOf: (n) => `Attacks::Attack${n}::Handle`
}
