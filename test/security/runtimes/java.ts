import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { SHORT_LIVED } from '../../runtimes/java-classes.ts'
import { endsItself, indent, type RuntimeUnderAttack } from './runtime.ts'

const KIT = `
import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.Callable;

public abstract class Kit {
  protected static final List<String> loot = new ArrayList<>();
  protected static final Map<String, String> refused = new LinkedHashMap<>();

  protected static void attempt(String name, Callable<Boolean> act) {
    try {
      if (act.call()) loot.add(name); else refused.put(name, "nothing");
    } catch (Throwable error) {
      refused.put(name, error.getClass().getSimpleName() + codeOf(String.valueOf(error.getMessage())));
    }
  }

  /** Java tells the kernel's error only in words. */
  private static String codeOf(String message) {
    String[][] words = {
      {"Read-only file system", "EROFS"}, {"Permission denied", "EACCES"}, {"Operation not permitted", "EPERM"},
      {"No such file", "ENOENT"}, {"Connection refused", "ECONNREFUSED"}, {"unreachable", "ENETUNREACH"}
    };
    for (String[] word : words) if (message.contains(word[0])) return " " + word[1];
    return "";
  }

  protected static void struck() throws IOException {
    for (String line : Files.readAllLines(Path.of("/tmp/strike-report"))) {
      String[] parts = line.split(" ");
      if (parts[1].equals("0")) loot.add(parts[0]); else refused.put(parts[0], parts[1]);
    }
  }

  @SuppressWarnings("deprecation")
  protected static sun.misc.Unsafe unsafe() throws Exception {
    var field = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
    field.setAccessible(true);
    return (sun.misc.Unsafe) field.get(null);
  }

  /** A descriptor that Java would not give out, forged in memory. */
  @SuppressWarnings({"deprecation", "removal"})
  protected static void send(String hex) throws Exception {
    FileDescriptor channel = new FileDescriptor();
    unsafe().putInt(channel, unsafe().objectFieldOffset(FileDescriptor.class.getDeclaredField("fd")), 3);
    new FileOutputStream(channel).write(HexFormat.of().parseHex(hex));
  }

  public static String run(Process process) throws IOException {
    return new String(process.getInputStream().readAllBytes());
  }

  protected abstract String attack(Map<String, String> facts) throws Exception;

  public String handle(String event) throws Exception {
    Map<String, String> facts = new HashMap<>();
    for (String line : event.split("\\n")) facts.put(line.split("=", 2)[0], line.split("=", 2)[1]);
    String answer = attack(facts);
    if (answer != null) return answer;
    List<String> lines = new ArrayList<>();
    for (String name : loot) lines.add("loot\\t" + name);
    refused.forEach((name, error) -> lines.add("refused\\t" + name + "\\t" + error));
    return String.join("\\n", lines);
  }
}
`

export const JAVA: RuntimeUnderAttack = {
  name: 'java',
  identifier: 'java17',
  memoryMiB: 256,
  carrier: `
Files.writeString(Path.of("/tmp/facts"), facts.get("facts"));
Process process = new ProcessBuilder(facts.get("node"), "/var/task/carried.mjs")
  .redirectInput(new File("/tmp/facts")).redirectError(ProcessBuilder.Redirect.INHERIT).start();
return run(process);
`,
  build(bodies, dir) {
    const classes = path.join(dir, 'classes')
    mkdirSync(classes)
    writeFileSync(path.join(dir, 'Kit.java'), KIT)
    bodies.forEach((body, n) => {
      const source = `
import java.io.*;
import java.net.*;
import java.nio.*;
import java.nio.channels.*;
import java.nio.file.*;
import java.util.*;

public final class Attack${n} extends Kit {
  @Override protected String attack(Map<String, String> facts) throws Exception {
    ${indent(body, 4)}
    ${endsItself(body) ? '' : 'return null;'}
  }
}
`
      writeFileSync(path.join(dir, `Attack${n}.java`), source)
    })
    const sources = readdirSync(dir)
      .filter((name) => name.endsWith('.java'))
      .map((name) => path.join(dir, name))
    execFileSync('javac', [...SHORT_LIVED, '-nowarn', '-Xlint:none', '-d', classes, ...sources], { stdio: 'pipe' })
    return Object.fromEntries(
      readdirSync(classes).map((name) => [name, { content: readFileSync(path.join(classes, name)) }])
    )
  },
  handlerOf: (n) => `Attack${n}::handle`
}
