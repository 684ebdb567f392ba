using System;
using System.Collections.Generic;

namespace Hearth
{
    /// <summary>Log events of the function's logger; what it writes to the console goes to stdout as it is.</summary>
    public sealed class Logs
    {
        private static readonly Dictionary<string, string> Levels = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            { "Trace", "TRACE" }, { "Debug", "DEBUG" }, { "Information", "INFO" }, { "Info", "INFO" }, { "Warning", "WARN" },
            { "Warn", "WARN" }, { "Error", "ERROR" }, { "Critical", "FATAL" }
        };
        private static readonly string[] Order = { "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL" };
        /// <summary>.NET's own words, which Lambda's JSON lines have.</summary>
        private static readonly string[] Words = { "Trace", "Debug", "Information", "Warning", "Error", "Critical" };
        /// <summary>As .NET's own console logger shortens them.</summary>
        private static readonly string[] Short = { "trce", "dbug", "info", "warn", "fail", "crit" };

        private readonly Channel _channel;
        private readonly bool _json;
        private readonly int _least;
        public uint Sequence;
        public string RequestId = "";

        public Logs(Channel channel, string format, string level)
        {
            _channel = channel;
            _json = format == "JSON";
            _least = _json ? Math.Max(0, Array.IndexOf(Order, level)) : 0;
        }

        public void Write(string level, string text, Exception error = null)
        {
            string name;
            if (!Levels.TryGetValue(level, out name)) name = "INFO";
            var number = Array.IndexOf(Order, name);
            if (number < _least) return;
            var at = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'");
            _channel.Log(Sequence, name, _json ? Json(at, Words[number], text, error) : at + "\t" + RequestId + "\t" + Short[number] + "\t" + text);
        }

        /// <summary>A failure, as the console of the platform shows it.</summary>
        public void Failure(Exception error)
        {
            Write("Error", _json ? error.Message : error.ToString(), error);
        }

        private string Json(string at, string level, string text, Exception error)
        {
            var line = new Dictionary<string, object> { { "timestamp", at }, { "level", level } };
            if (RequestId != "") line["requestId"] = RequestId;
            line["message"] = text;
            if (error != null)
            {
                line["errorType"] = error.GetType().FullName;
                line["errorMessage"] = error.Message;
                var lines = new List<string>();
                foreach (var part in error.ToString().Split('\n')) lines.Add(part.Trim());
                line["stackTrace"] = lines;
            }
            return JsonWriter.Write(line);
        }
    }
}
