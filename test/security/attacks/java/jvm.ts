import { type Attack, ended } from '../../attack.ts'
import { STRIKE_REFUSALS } from '../../runtimes/strike.ts'
import { steersNobody, variables } from '../../variables.ts'

const READ_ONLY = [
  'FileSystemException EROFS',
  'IOException EROFS',
  'FileNotFoundException EROFS',
  'FileNotFoundException EACCES',
  'ReadOnlyFileSystemException',
  'AccessDeniedException',
  'NoSuchFileException',
  'FileNotFoundException ENOENT',
  'nothing'
]

/** What a JVM brings: native libraries, agents, its shared archive, memory without bounds checks, its helper. */
export default [
  {
    name: 'in java: loads a native library from /tmp',
    in: 'java',
    only: STRIKE_REFUSALS,
    body: `
Files.copy(Path.of("/var/task/strike.so"), Path.of("/tmp/strike.so"));
System.load("/tmp/strike.so");
struck();
`
  },
  {
    name: 'in java: writes into the archive of classes that all JVMs share',
    in: 'java',
    only: READ_ONLY,
    body: `
List<Path> files = new ArrayList<>(List.of(Path.of("/var/runtime/runtime.jar"), Path.of("/var/runtime/start.pl"), Path.of("/var/lang/lib/modules"), Path.of("/var/lang/lib/server/classes.jsa")));
File[] archives = new File("/var/runtime/archives").listFiles();
if (archives != null) for (File archive : archives) files.add(archive.toPath());
for (Path file : files) {
  if (!Files.exists(file)) continue;
  attempt("open " + file, () -> { new RandomAccessFile(file.toFile(), "rw").close(); return true; });
  attempt("map " + file, () -> FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE).map(FileChannel.MapMode.READ_WRITE, 0, 4096) != null);
  attempt("replace " + file, () -> Files.move(Path.of("/var/task/strike.so"), file, StandardCopyOption.REPLACE_EXISTING) != null);
  attempt("writable " + file, () -> file.toFile().setWritable(true, false));
}
attempt("beside them", () -> new File("/var/runtime/archives/evil.jsa").createNewFile());
`
  },
  {
    name: 'in java: attaches to JVMs, and looks for others’ sockets and counters',
    in: 'java',
    only: [
      'nothing',
      'ClassNotFoundException',
      'NoSuchFileException',
      'InvocationTargetException',
      'IOException',
      'AttachNotSupportedException'
    ],
    body: `
attempt("others' counters", () -> { String[] names = new File("/tmp").list((dir, name) -> name.startsWith("hsperfdata") || name.startsWith(".java_pid")); return names != null && names.length > 0; });
attempt("other JVMs", () -> {
  List<?> all = (List<?>) Class.forName("com.sun.tools.attach.VirtualMachine").getMethod("list").invoke(null);
  for (Object one : all) if (!one.toString().contains(String.valueOf(ProcessHandle.current().pid()))) return true;
  return false;
});
for (String pid : facts.get("pids").split(",")) {
  attempt("attach " + pid, () -> Class.forName("com.sun.tools.attach.VirtualMachine").getMethod("attach", String.class).invoke(null, pid) != null);
  attempt("handle " + pid, () -> ProcessHandle.of(Long.parseLong(pid)).map(ProcessHandle::destroyForcibly).orElse(false) && Long.parseLong(pid) > 64);
}
`
  },
  {
    name: 'in java: reads and overwrites memory at will',
    in: 'java',
    settings: 'timeout=5',
    body: `
for (long at = 0x10000; at > 0; at += 4096) unsafe().putLong(at, unsafe().getLong(at));
`,
    verdict: ended()
  },
  {
    name: 'in java: sends the helper that shares its working folder astray, and kills it',
    in: 'java',
    only: [
      'nothing',
      'AccessDeniedException',
      'NoSuchFileException',
      'FileSystemException',
      'FileSystemException EACCES'
    ],
    body: `
long me = ProcessHandle.current().pid();
File[] all = new File("/proc").listFiles((dir, name) -> name.matches("[0-9]+"));
for (File process : all) {
  long pid = Long.parseLong(process.getName());
  if (pid == me) continue;
  attempt("folder of " + pid, () -> Files.exists(Path.of("/proc/" + pid + "/cwd/../../.." + facts.get("canary.file"))));
  attempt("root of " + pid, () -> Files.exists(Path.of("/proc/" + pid + "/root" + facts.get("canary.file"))));
  if (pid != 1) attempt("end of " + pid, () -> ProcessHandle.of(pid).map(ProcessHandle::destroyForcibly).orElse(false) && pid > 64);
}
`
  },
  {
    name: 'in java: opens sockets to the machine',
    in: 'java',
    only: [
      'ConnectException ECONNREFUSED',
      'SocketException',
      'SocketException ENETUNREACH',
      'NoRouteToHostException',
      'SocketException ENOENT',
      'SocketException ECONNREFUSED',
      'ConnectException',
      'ConnectException ENETUNREACH',
      'SocketTimeoutException',
      'SocketException EPERM',
      'UnknownHostException'
    ],
    body: `
for (String port : (facts.get("canary.port") + "," + facts.get("ports")).split(",")) {
  attempt("port " + port, () -> { Socket socket = new Socket("127.0.0.1", Integer.parseInt(port)); socket.getOutputStream().write("sandbox java".getBytes()); return true; });
}
for (String path : new String[] {facts.get("canary.socket"), "/control/socket", "/run/dbus/system_bus_socket"}) {
  attempt("socket " + path, () -> SocketChannel.open(UnixDomainSocketAddress.of(path)).isConnected());
}
attempt("the internet", () -> { new Socket().connect(new InetSocketAddress("1.1.1.1", 80), 1000); return true; });
attempt("names", () -> InetAddress.getByName("example.com") != null);
`
  },
  {
    name: 'in java: sets variables that give the JVM agents and options',
    in: 'java',
    settings: variables({
      JAVA_TOOL_OPTIONS:
        '-agentpath:/var/task/strike.so -agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=*:5005',
      _JAVA_OPTIONS: '-XX:OnError=/var/task/evil -Xmx64g',
      JDK_JAVA_OPTIONS: '@/var/task/evil',
      LD_PRELOAD: '/var/task/strike.so',
      CLASSPATH: '/var/task'
    }),
    body: 'return "loaded";',
    verdict: steersNobody
  }
] satisfies readonly Attack[]
