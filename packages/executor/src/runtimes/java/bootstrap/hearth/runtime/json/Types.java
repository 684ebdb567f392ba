package hearth.runtime.json;

import java.lang.reflect.Array;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** What generic types stand for. */
public final class Types {
  private Types() {}

  /** The class behind a type; of a variable or wildcard the class of its upper bound. */
  public static Class<?> rawOf(Type type) {
    if (type instanceof Class) return (Class<?>) type;
    if (type instanceof ParameterizedType) return (Class<?>) ((ParameterizedType) type).getRawType();
    if (type instanceof GenericArrayType) {
      return Array.newInstance(rawOf(((GenericArrayType) type).getGenericComponentType()), 0).getClass();
    }
    if (type instanceof WildcardType) return rawOf(((WildcardType) type).getUpperBounds()[0]);
    return rawOf(((TypeVariable<?>) type).getBounds()[0]);
  }

  /**
   * What {@code type}, a class that extends or implements {@code generic}, puts in for one of its parameters.
   *
   * @return a TypeVariable when nothing is put in for it
   */
  public static Type argumentOf(Type type, Class<?> generic, int parameter) {
    return resolvedIn(type, generic.getTypeParameters()[parameter]);
  }

  /** What a type that is named inside of {@code owner} stands for there. */
  public static Type resolvedIn(Type owner, Type type) {
    return resolve(type, variablesOf(owner));
  }

  /** What the type variables of {@code type} and of all that is above it stand for. */
  static Map<TypeVariable<?>, Type> variablesOf(Type type) {
    Map<TypeVariable<?>, Type> variables = new HashMap<>();
    collect(type, variables);
    return variables;
  }

  private static void collect(Type type, Map<TypeVariable<?>, Type> variables) {
    if (type == null || type == Object.class) return;
    Class<?> raw = rawOf(type);
    if (type instanceof ParameterizedType) {
      Type[] arguments = ((ParameterizedType) type).getActualTypeArguments();
      TypeVariable<?>[] parameters = raw.getTypeParameters();
      for (int i = 0; i < parameters.length; i++) variables.put(parameters[i], resolve(arguments[i], variables));
      collect(((ParameterizedType) type).getOwnerType(), variables);
    }
    collect(raw.getGenericSuperclass(), variables);
    for (Type above : raw.getGenericInterfaces()) collect(above, variables);
  }

  /** The type with what is known put in for its variables. */
  static Type resolve(Type type, Map<TypeVariable<?>, Type> variables) {
    if (variables.isEmpty() || type instanceof Class) return type;
    if (type instanceof TypeVariable) {
      Type known = variables.get(type);
      return known == null || known == type ? type : known;
    }
    if (type instanceof WildcardType) return resolve(((WildcardType) type).getUpperBounds()[0], variables);
    if (type instanceof ParameterizedType) {
      ParameterizedType generic = (ParameterizedType) type;
      return new Parameterized(rawOf(type), resolveAll(generic.getActualTypeArguments(), variables), generic.getOwnerType());
    }
    Type component = resolve(((GenericArrayType) type).getGenericComponentType(), variables);
    return component instanceof Class ? Array.newInstance((Class<?>) component, 0).getClass() : new ArrayOf(component);
  }

  private static Type[] resolveAll(Type[] types, Map<TypeVariable<?>, Type> variables) {
    Type[] resolved = new Type[types.length];
    for (int i = 0; i < types.length; i++) resolved[i] = resolve(types[i], variables);
    return resolved;
  }

  private static final class Parameterized implements ParameterizedType {
    private final Class<?> raw;
    private final Type[] arguments;
    private final Type owner;

    Parameterized(Class<?> raw, Type[] arguments, Type owner) {
      this.raw = raw;
      this.arguments = arguments;
      this.owner = owner;
    }

    @Override
    public Type[] getActualTypeArguments() {
      return arguments.clone();
    }

    @Override
    public Type getRawType() {
      return raw;
    }

    @Override
    public Type getOwnerType() {
      return owner;
    }

    @Override
    public boolean equals(Object other) {
      if (!(other instanceof ParameterizedType)) return false;
      ParameterizedType that = (ParameterizedType) other;
      return raw == that.getRawType() && Arrays.equals(arguments, that.getActualTypeArguments());
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(arguments) ^ raw.hashCode();
    }

    @Override
    public String toString() {
      return raw.getTypeName() + Arrays.toString(arguments);
    }
  }

  private static final class ArrayOf implements GenericArrayType {
    private final Type component;

    ArrayOf(Type component) {
      this.component = component;
    }

    @Override
    public Type getGenericComponentType() {
      return component;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof GenericArrayType && component.equals(((GenericArrayType) other).getGenericComponentType());
    }

    @Override
    public int hashCode() {
      return component.hashCode();
    }
  }
}
