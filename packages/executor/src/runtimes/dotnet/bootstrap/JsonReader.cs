using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Hearth
{
    /// <summary>JSON text to dictionaries, lists, strings, numbers (long or double), booleans and null.</summary>
    public sealed class JsonReader
    {
        private const int MaxDepth = 512;
        private readonly string _text;
        private int _at;
        private int _depth;

        private JsonReader(string text)
        {
            _text = text;
        }

        /// <exception cref="FormatException">The text is not JSON.</exception>
        public static object Parse(string text)
        {
            var reader = new JsonReader(text);
            var value = reader.Value();
            reader.Blank();
            if (reader._at < text.Length) throw reader.Wrong();
            return value;
        }

        private object Value()
        {
            Blank();
            if (_at >= _text.Length) throw Wrong();
            switch (_text[_at])
            {
                case '{': return Object();
                case '[': return List();
                case '"': return Text();
                case 't': return Word("true", true);
                case 'f': return Word("false", false);
                case 'n': return Word("null", null);
                default: return Number();
            }
        }

        private object Object()
        {
            Enter();
            var fields = new Dictionary<string, object>();
            Blank();
            if (!Take('}'))
            {
                do
                {
                    Blank();
                    if (_at >= _text.Length || _text[_at] != '"') throw Wrong();
                    var name = Text();
                    Blank();
                    if (!Take(':')) throw Wrong();
                    fields[name] = Value();
                    Blank();
                } while (Take(','));
                if (!Take('}')) throw Wrong();
            }
            _depth--;
            return fields;
        }

        private object List()
        {
            Enter();
            var items = new List<object>();
            Blank();
            if (!Take(']'))
            {
                do
                {
                    items.Add(Value());
                    Blank();
                } while (Take(','));
                if (!Take(']')) throw Wrong();
            }
            _depth--;
            return items;
        }

        private string Text()
        {
            var from = ++_at;
            while (_at < _text.Length && _text[_at] != '"' && _text[_at] != '\\') _at++;
            if (_at < _text.Length && _text[_at] == '"') return _text.Substring(from, _at++ - from);
            var built = new StringBuilder(_text, from, _at - from, (_at - from) * 2 + 16);
            while (_at < _text.Length)
            {
                var c = _text[_at++];
                if (c == '"') return built.ToString();
                if (c != '\\')
                {
                    built.Append(c);
                    continue;
                }
                if (_at >= _text.Length) break;
                c = _text[_at++];
                if (c == 'u')
                {
                    ushort code;
                    if (_at + 4 > _text.Length || !ushort.TryParse(_text.Substring(_at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out code)) throw Wrong();
                    built.Append((char)code);
                    _at += 4;
                    continue;
                }
                var known = "\"\\/bfnrt".IndexOf(c);
                if (known < 0) throw Wrong();
                built.Append("\"\\/\b\f\n\r\t"[known]);
            }
            throw Wrong();
        }

        private object Number()
        {
            var from = _at;
            while (_at < _text.Length && "+-0123456789.eE".IndexOf(_text[_at]) >= 0) _at++;
            var text = _text.Substring(from, _at - from);
            long whole;
            if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out whole)) return whole;
            double number;
            if (text.Length == 0 || !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number)) throw Wrong();
            return number;
        }

        private object Word(string word, object value)
        {
            if (string.CompareOrdinal(_text, _at, word, 0, word.Length) != 0) throw Wrong();
            _at += word.Length;
            return value;
        }

        private void Blank()
        {
            while (_at < _text.Length && " \t\r\n".IndexOf(_text[_at]) >= 0) _at++;
        }

        private bool Take(char c)
        {
            if (_at >= _text.Length || _text[_at] != c) return false;
            _at++;
            return true;
        }

        private void Enter()
        {
            _at++;
            if (++_depth > MaxDepth) throw new FormatException("JSON is nested too deeply");
        }

        private FormatException Wrong()
        {
            return new FormatException("invalid JSON at character " + _at);
        }
    }
}
