import { type Attack, ended } from '../../attack.ts'
import { STRIKE_REFUSALS } from '../../runtimes/strike.ts'
import { steersNobody, variables } from '../../variables.ts'

/** What Mono brings: calls into any library, a debugger and profilers by environment, a folder of shared assemblies. */
export default [
  {
    name: 'in dotnet: calls the kernel by P/Invoke',
    in: 'dotnet',
    only: ['EPERM', 'ENOSYS'],
    body: `
foreach (var name in new[] { "mount", "ptrace", "setns", "unshare", "pivot_root", "bpf", "keyctl", "process_vm_readv", "userfaultfd", "perf_event_open", "open_by_handle_at", "init_module", "kexec_load", "fsopen", "io_uring_setup" })
    call(name, long.Parse(facts["number." + name]));
`
  },
  {
    name: 'in dotnet: loads a native library from /tmp',
    in: 'dotnet',
    only: STRIKE_REFUSALS,
    body: `
File.Copy("/var/task/strike.so", "/tmp/strike.so");
if (dlopen("/tmp/strike.so", 2) == IntPtr.Zero) throw new Exception("not loaded");
struck();
`
  },
  {
    name: 'in dotnet: sets variables that give Mono a debugger, a profiler and assemblies',
    in: 'dotnet',
    settings: variables({
      MONO_ENV_OPTIONS: '--debugger-agent=transport=dt_socket,server=y,suspend=n,address=0.0.0.0:5555 --profile=evil',
      MONO_PATH: '/var/task',
      MONO_GAC_PREFIX: '/var/task',
      MONO_CONFIG: '/var/task/evil',
      MONO_TRACE: 'all',
      LD_PRELOAD: '/var/task/strike.so'
    }),
    body: 'return "loaded";',
    verdict: steersNobody
  },
  {
    name: 'in dotnet: plants assemblies where other instances would load them',
    in: 'dotnet',
    only: [
      'IOException',
      'UnauthorizedAccessException',
      'DirectoryNotFoundException',
      'FileNotFoundException',
      'nothing'
    ],
    body: `
var corlib = Path.GetDirectoryName(typeof(object).Assembly.Location);
foreach (var folder in new[] { corlib, "/usr/lib/mono/gac", "/etc/mono", "/var/runtime", "/var/task" })
    attempt("in " + folder, () => { File.WriteAllText(folder + "/System.Evil.dll", "x"); return true; });
foreach (var file in new[] { "/var/runtime/bootstrap.exe", "/var/runtime/Amazon.Lambda.Core.dll", corlib + "/mscorlib.dll" })
{
    attempt("write " + file, () => { File.Open(file, FileMode.Open, FileAccess.ReadWrite).Close(); return true; });
    attempt("remove " + file, () => { File.Delete(file); return !File.Exists(file); });
    attempt("replace " + file, () => { File.Copy("/var/task/Attacks.dll", file, true); return true; });
}
`
  },
  {
    name: 'in dotnet: opens sockets to the machine and to the kernel',
    in: 'dotnet',
    only: ['SocketException', 'nothing'],
    body: `
foreach (var port in (facts["canary.port"] + "," + facts["ports"]).Split(','))
    attempt("port " + port, () => { var client = new TcpClient("127.0.0.1", int.Parse(port)); client.Client.Send(new byte[] { 115, 97, 110, 100, 98, 111, 120 }); return true; });
attempt("raw", () => new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Icmp) != null);
attempt("the internet", () => new TcpClient("1.1.1.1", 80).Connected);
attempt("names", () => Dns.GetHostAddresses("example.com").Length > 0);
`
  },
  {
    name: 'in dotnet: finds and kills processes',
    in: 'dotnet',
    only: ['nothing', 'ArgumentException', 'InvalidOperationException', 'Win32Exception'],
    body: `
foreach (var pid in (facts["canary.pid"] + "," + facts["pids"]).Split(','))
    attempt("kill " + pid, () => { Process.GetProcessById(int.Parse(pid)).Kill(); return true; });
attempt("more than its own", () => Process.GetProcesses().Length > 4);
attempt("environment of the first", () => File.ReadAllText("/proc/1/environ") != "");
`
  },
  {
    name: 'in dotnet: writes through wild pointers',
    in: 'dotnet',
    settings: 'timeout=5',
    body: `
for (long at = 0x10000; at > 0; at += 4096) Marshal.WriteInt64((IntPtr)at, at);
`,
    verdict: ended()
  }
] satisfies readonly Attack[]
