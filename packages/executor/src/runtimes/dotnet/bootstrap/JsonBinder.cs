using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Reflection;

namespace Hearth
{
    /// <summary>What JsonReader made, as an object of the type that a handler wants. Names match whatever their case.</summary>
    public static class JsonBinder
    {
        private const BindingFlags Members = BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase;

        /// <exception cref="FormatException">The value cannot be of that type.</exception>
        public static object Bind(object value, Type type)
        {
            var inner = Nullable.GetUnderlyingType(type);
            if (value == null)
            {
                if (type.IsValueType && inner == null) throw Wrong("null", type);
                return null;
            }
            if (inner != null) type = inner;
            if (type == typeof(object)) return value;
            if (type == typeof(string)) return value as string ?? Refuse(value, type);
            if (type.IsEnum) return value is string ? Enum.Parse(type, (string)value, true) : Enum.ToObject(type, value);
            if (type == typeof(bool)) return value is bool ? value : Refuse(value, type);
            if (type == typeof(Guid)) return Guid.Parse((string)value);
            if (type == typeof(DateTime)) return DateTime.Parse((string)value, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
            if (type == typeof(DateTimeOffset)) return DateTimeOffset.Parse((string)value, CultureInfo.InvariantCulture);
            if (type == typeof(TimeSpan)) return TimeSpan.Parse((string)value, CultureInfo.InvariantCulture);
            if (type == typeof(byte[]) && value is string) return Convert.FromBase64String((string)value);
            if (type == typeof(char) && value is string && ((string)value).Length == 1) return ((string)value)[0];
            if (type.IsPrimitive || type == typeof(decimal)) return Number(value, type);
            if (value is List<object>) return Items((List<object>)value, type);
            var fields = value as Dictionary<string, object>;
            if (fields == null || type.IsArray || typeof(IList).IsAssignableFrom(type) || type.IsAbstract && !type.IsInterface) return Refuse(value, type);
            return Map(fields, type) ?? Object(fields, type);
        }

        private static object Number(object value, Type type)
        {
            if (!(value is long) && !(value is double)) return Refuse(value, type);
            try
            {
                return Convert.ChangeType(value, type, CultureInfo.InvariantCulture);
            }
            catch (OverflowException)
            {
                throw Wrong(Convert.ToString(value, CultureInfo.InvariantCulture), type);
            }
        }

        private static object Items(List<object> items, Type type)
        {
            if (type.IsAssignableFrom(typeof(List<object>))) return items;
            var element = type.IsArray ? type.GetElementType() : type.IsGenericType ? type.GetGenericArguments()[0] : null;
            if (element == null) return Refuse(items, type);
            var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(element));
            foreach (var item in items) list.Add(Bind(item, element));
            if (!type.IsArray)
            {
                if (type.IsInstanceOfType(list)) return list;
                return Activator.CreateInstance(type, list);
            }
            var array = Array.CreateInstance(element, list.Count);
            list.CopyTo(array, 0);
            return array;
        }

        private static object Map(Dictionary<string, object> fields, Type type)
        {
            if (type.IsAssignableFrom(typeof(Dictionary<string, object>))) return fields;
            if (!type.IsGenericType || type.GetGenericArguments().Length != 2) return null;
            var arguments = type.GetGenericArguments();
            var concrete = typeof(Dictionary<,>).MakeGenericType(arguments);
            if (arguments[0] != typeof(string) || !type.IsAssignableFrom(concrete)) return null;
            var map = (IDictionary)Activator.CreateInstance(concrete);
            foreach (var field in fields) map[field.Key] = Bind(field.Value, arguments[1]);
            return map;
        }

        private static object Object(Dictionary<string, object> fields, Type type)
        {
            var made = Activator.CreateInstance(type);
            foreach (var field in fields)
            {
                var property = type.GetProperty(field.Key, Members);
                if (property != null && property.CanWrite) property.SetValue(made, Bind(field.Value, property.PropertyType), null);
                else
                {
                    var member = type.GetField(field.Key, Members);
                    if (member != null) member.SetValue(made, Bind(field.Value, member.FieldType));
                }
            }
            return made;
        }

        private static object Refuse(object value, Type type)
        {
            throw Wrong(value is string ? "a string" : value is List<object> ? "a list" : value is Dictionary<string, object> ? "an object" : "a number or boolean", type);
        }

        private static FormatException Wrong(string what, Type type)
        {
            return new FormatException("The JSON value could not be converted to " + type.FullName + ": it is " + what + ".");
        }
    }
}
