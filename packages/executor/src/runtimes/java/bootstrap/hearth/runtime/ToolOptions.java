package hearth.runtime;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * JAVA_TOOL_OPTIONS of a function. The JVM is up before its function is known, so that only system properties can still
 * be set; what else is in it has no effect, which the log says.
 */
final class ToolOptions {
  private static final Pattern OPTION = Pattern.compile("(?:[^\\s\"']|\"[^\"]*\"|'[^']*')+");

  private ToolOptions() {}

  /** @param options the variable's value, or null @return what the log has to say of it, or null */
  static String apply(String options) {
    if (options == null) return null;
    List<String> useless = new ArrayList<>();
    Matcher matcher = OPTION.matcher(options);
    while (matcher.find()) {
      String option = matcher.group().replaceAll("[\"']", "");
      if (!option.startsWith("-D") || option.length() == 2) {
        useless.add(option);
        continue;
      }
      int equals = option.indexOf('=');
      String name = equals < 0 ? option.substring(2) : option.substring(2, equals);
      if (!name.isEmpty()) System.setProperty(name, equals < 0 ? "" : option.substring(equals + 1));
    }
    if (useless.isEmpty()) return null;
    return "JAVA_TOOL_OPTIONS: no effect of " + String.join(" ", useless)
        + ", since the JVM is started ahead of its function; only -D options are taken over.";
  }
}
