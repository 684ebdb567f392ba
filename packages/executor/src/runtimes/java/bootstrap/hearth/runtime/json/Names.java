package hearth.runtime.json;

import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;

/** How beans name their properties. */
final class Names {
  private Names() {}

  /** The property that a method with this name belongs to, or null: {@code getName} is {@code name}, {@code getURL} is {@code URL}. */
  static String property(Method method, String prefix) {
    String name = method.getName();
    if (!name.startsWith(prefix) || name.length() == prefix.length()) return null;
    String rest = name.substring(prefix.length());
    boolean isAcronym = rest.length() > 1 && Character.isUpperCase(rest.charAt(0)) && Character.isUpperCase(rest.charAt(1));
    return isAcronym ? rest : Character.toLowerCase(rest.charAt(0)) + rest.substring(1);
  }

  static boolean isBeanMethod(Method method) {
    return !Modifier.isStatic(method.getModifiers()) && !method.isBridge() && !method.isSynthetic()
        && method.getDeclaringClass() != Object.class;
  }

  static boolean isInstanceField(Member field) {
    return !Modifier.isStatic(field.getModifiers()) && !field.isSynthetic();
  }

  /** Members of classes that are not public are open to us, but for those that the JDK keeps to itself. */
  static boolean open(AccessibleObject member) {
    try {
      member.setAccessible(true);
      return true;
    } catch (RuntimeException e) {
      return false;
    }
  }
}
