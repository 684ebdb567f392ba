using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Reflection;
using System.Text;

namespace Hearth
{
    /// <summary>Values to JSON: public properties and fields of objects, under their own names.</summary>
    public static class JsonWriter
    {
        private const int MaxDepth = 64;

        /// <exception cref="NotSupportedException">Nested more than 64 deep: most likely a circle.</exception>
        public static string Write(object value)
        {
            var text = new StringBuilder();
            Put(text, value, 0);
            return text.ToString();
        }

        private static void Put(StringBuilder text, object value, int depth)
        {
            if (depth > MaxDepth) throw new NotSupportedException("A possible object cycle was detected: JSON is nested more than " + MaxDepth + " deep.");
            if (value == null) text.Append("null");
            else if (value is string) PutText(text, (string)value);
            else if (value is bool) text.Append((bool)value ? "true" : "false");
            else if (value is char || value is Guid || value is Uri || value is TimeSpan || value is Enum) PutText(text, value.ToString());
            else if (value is DateTime) PutText(text, ((DateTime)value).ToString("o", CultureInfo.InvariantCulture));
            else if (value is DateTimeOffset) PutText(text, ((DateTimeOffset)value).ToString("o", CultureInfo.InvariantCulture));
            else if (value is double || value is float) PutReal(text, Convert.ToDouble(value, CultureInfo.InvariantCulture), value);
            else if (value is IFormattable && value.GetType().IsPrimitive || value is decimal) text.Append(((IFormattable)value).ToString(null, CultureInfo.InvariantCulture));
            else if (value is byte[]) PutText(text, Convert.ToBase64String((byte[])value));
            else if (value is Delegate || value is Type || value is MemberInfo) throw new NotSupportedException("Serialization of " + value.GetType().Name + " is not supported.");
            else if (value is IDictionary) PutDictionary(text, (IDictionary)value, depth);
            else if (value is IEnumerable) PutList(text, (IEnumerable)value, depth);
            else PutObject(text, value, depth);
        }

        private static void PutReal(StringBuilder text, double number, object value)
        {
            if (double.IsNaN(number) || double.IsInfinity(number)) throw new NotSupportedException("NaN and infinities cannot be written as JSON.");
            text.Append(((IFormattable)value).ToString("R", CultureInfo.InvariantCulture));
        }

        private static void PutDictionary(StringBuilder text, IDictionary fields, int depth)
        {
            text.Append('{');
            var first = true;
            foreach (DictionaryEntry field in fields)
            {
                if (!first) text.Append(',');
                first = false;
                PutText(text, Convert.ToString(field.Key, CultureInfo.InvariantCulture));
                text.Append(':');
                Put(text, field.Value, depth + 1);
            }
            text.Append('}');
        }

        private static void PutList(StringBuilder text, IEnumerable items, int depth)
        {
            text.Append('[');
            var first = true;
            foreach (var item in items)
            {
                if (!first) text.Append(',');
                first = false;
                Put(text, item, depth + 1);
            }
            text.Append(']');
        }

        private static void PutObject(StringBuilder text, object value, int depth)
        {
            text.Append('{');
            var first = true;
            foreach (var field in Fields(value))
            {
                if (!first) text.Append(',');
                first = false;
                PutText(text, field.Key);
                text.Append(':');
                Put(text, field.Value, depth + 1);
            }
            text.Append('}');
        }

        private static IEnumerable<KeyValuePair<string, object>> Fields(object value)
        {
            const BindingFlags visible = BindingFlags.Public | BindingFlags.Instance;
            foreach (var property in value.GetType().GetProperties(visible))
            {
                if (property.CanRead && property.GetIndexParameters().Length == 0) yield return new KeyValuePair<string, object>(property.Name, property.GetValue(value, null));
            }
            foreach (var field in value.GetType().GetFields(visible)) yield return new KeyValuePair<string, object>(field.Name, field.GetValue(value));
        }

        private static void PutText(StringBuilder text, string value)
        {
            text.Append('"');
            foreach (var c in value)
            {
                var known = "\"\\\b\f\n\r\t".IndexOf(c);
                if (known >= 0) text.Append('\\').Append("\"\\bfnrt"[known]);
                else if (c < ' ') text.Append("\\u").Append(((int)c).ToString("x4"));
                else text.Append(c);
            }
            text.Append('"');
        }
    }
}
