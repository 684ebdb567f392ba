package hearth.runtime;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Loads the function's classes: from its package, then from the package's lib/*.jar, then from layers. Classes of the
 * JDK and of this runtime come first, except for Lambda's interfaces: a package that brings aws-lambda-java-core uses
 * its own.
 */
final class FunctionLoader extends URLClassLoader {
  static final String CORE_PACKAGE = "com.amazonaws.services.lambda.runtime.";
  private static final String LAYERS = "/opt/java";

  static {
    registerAsParallelCapable();
  }

  FunctionLoader(String taskRoot) throws MalformedURLException {
    super(classPath(taskRoot), FunctionLoader.class.getClassLoader());
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    if (!name.startsWith(CORE_PACKAGE)) return super.loadClass(name, resolve);
    synchronized (getClassLoadingLock(name)) {
      Class<?> loaded = findLoadedClass(name);
      if (loaded != null) return loaded;
      try {
        return findClass(name);
      } catch (ClassNotFoundException e) {
        return super.loadClass(name, resolve);
      }
    }
  }

  private static URL[] classPath(String taskRoot) throws MalformedURLException {
    List<URL> urls = new ArrayList<>();
    urls.add(new URL("file:" + taskRoot + "/"));
    addJars(taskRoot, urls);
    addJars(LAYERS, urls);
    return urls.toArray(new URL[0]);
  }

  private static void addJars(String folder, List<URL> urls) throws MalformedURLException {
    String[] jars = new File(folder, "lib").list((lib, name) -> name.endsWith(".jar"));
    if (jars == null) return;
    Arrays.sort(jars);
    for (String jar : jars) urls.add(new File(folder + "/lib/" + jar).toURI().toURL());
  }
}
