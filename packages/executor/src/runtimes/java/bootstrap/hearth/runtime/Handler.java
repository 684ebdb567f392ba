package hearth.runtime;

import hearth.runtime.json.Binder;
import hearth.runtime.json.Bytes;
import hearth.runtime.json.JsonWriter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;

/** A method that takes events, and how it is called. */
abstract class Handler {
  private static final byte[] NULL = {'n', 'u', 'l', 'l'};

  private final Method method;
  private final Object instance;

  private Handler(Method method, Object instance) {
    this.method = method;
    this.instance = instance;
  }

  /**
   * Runs the handler.
   *
   * @param context the function's context object
   * @return the answer; valid until the next call
   * @throws Throwable what the handler threw
   */
  abstract ByteBuffer call(byte[] payload, Object context) throws Throwable;

  Object invoke(Object... arguments) throws Throwable {
    try {
      return method.invoke(instance, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  /**
   * A method that takes and gives values.
   *
   * @param input type of its parameter, or null when it has none
   * @param hasAnswer whether it returns anything
   */
  static Handler ofValues(Method method, Object instance, Type input, boolean takesContext, boolean hasAnswer) {
    Binder binder = new Binder();
    Bytes answer = new Bytes();
    return new Handler(method, instance) {
      @Override
      ByteBuffer call(byte[] payload, Object context) throws Throwable {
        Object result;
        if (input == null) {
          result = takesContext ? invoke(context) : invoke();
        } else {
          Object value = read(payload);
          result = takesContext ? invoke(value, context) : invoke(value);
        }
        if (!hasAnswer) return ByteBuffer.wrap(NULL);
        answer.clear();
        write(result);
        return ByteBuffer.wrap(answer.array(), 0, answer.length());
      }

      private Object read(byte[] payload) {
        try {
          return binder.read(payload, input);
        } catch (IOException e) {
          throw new RuntimeException("An error occurred during JSON parsing", new UncheckedIOException(e));
        }
      }

      private void write(Object result) {
        try {
          JsonWriter.write(result, answer);
        } catch (IOException e) {
          throw new RuntimeException("An error occurred during JSON serialization of response", new UncheckedIOException(e));
        }
      }
    };
  }

  /** A method that takes and gives bytes; with no stream to write to its answer is null. */
  static Handler ofStreams(Method method, Object instance, boolean reads, boolean writes, boolean takesContext) {
    return new Handler(method, instance) {
      @Override
      ByteBuffer call(byte[] payload, Object context) throws Throwable {
        InputStream input = new ByteArrayInputStream(payload);
        ByteArrayOutputStream output = new ByteArrayOutputStream(1024);
        Object[] arguments = new Object[method.getParameterCount()];
        int count = 0;
        if (reads) arguments[count++] = input;
        if (writes) arguments[count++] = (OutputStream) output;
        if (takesContext) arguments[count] = context;
        invoke(arguments);
        return ByteBuffer.wrap(writes ? output.toByteArray() : NULL);
      }
    };
  }
}
