using System;
using System.Collections.Generic;

namespace Hearth
{
    /// <summary>What a handler gets beside its event, in whatever shape its own Amazon.Lambda.Core has.</summary>
    public static class Context
    {
        public static object For(Type type, Event e, IDictionary<string, object> facts, Logs logs)
        {
            var deadline = new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddMilliseconds(e.DeadlineMs);
            return Stand.For(type, (name, arguments) =>
            {
                switch (name)
                {
                    case "get_AwsRequestId": return e.RequestId;
                    case "get_FunctionName": return facts["functionName"];
                    case "get_FunctionVersion": return facts["functionVersion"];
                    case "get_InvokedFunctionArn": return e.InvokedArn;
                    case "get_LogGroupName": return facts["logGroup"];
                    case "get_LogStreamName": return facts["logStream"];
                    case "get_MemoryLimitInMB": return (int)(long)facts["memoryMiB"];
                    case "get_RemainingTime":
                        var left = deadline - DateTime.UtcNow;
                        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
                    case "get_TraceId": return e.TraceId;
                    case "get_Logger": return Logger(type.GetProperty("Logger").PropertyType, logs);
                    case "get_ClientContext": return ClientContext(type.GetProperty("ClientContext").PropertyType, e.ClientContext);
                    case "get_Identity": return Stand.For(type.GetProperty("Identity").PropertyType, (member, none) => "");
                    default: return null;
                }
            });
        }

        private static object Logger(Type type, Logs logs)
        {
            return Stand.For(type, (name, arguments) =>
            {
                var last = arguments.Length == 0 ? "" : Convert.ToString(arguments[arguments.Length - 1]);
                var level = name == "Log" && arguments.Length > 1 ? Convert.ToString(arguments[0]) : name.StartsWith("Log") ? name.Substring(3) : "";
                if (level == "" || level == "Line") Console.Write(level == "Line" ? last + "\n" : last);
                else logs.Write(level, last);
                return null;
            });
        }

        private static object ClientContext(Type type, string json)
        {
            if (json == "") return null;
            var fields = JsonReader.Parse(json) as Dictionary<string, object>;
            if (fields == null) return null;
            return Stand.For(type, (name, arguments) =>
            {
                if (name == "get_Custom") return Strings(fields, "custom");
                if (name == "get_Environment") return Strings(fields, "env");
                if (name != "get_Client") return null;
                var client = Strings(fields, "client");
                return Stand.For(type.GetProperty("Client").PropertyType, (member, none) =>
                {
                    string value;
                    return client.TryGetValue(Snake(member.Substring(4)), out value) ? value : null;
                });
            });
        }

        private static IDictionary<string, string> Strings(Dictionary<string, object> fields, string name)
        {
            object value;
            fields.TryGetValue(name, out value);
            return (IDictionary<string, string>)JsonBinder.Bind(value ?? new Dictionary<string, object>(), typeof(Dictionary<string, string>));
        }

        /// <summary>AppTitle is app_title.</summary>
        private static string Snake(string name)
        {
            return System.Text.RegularExpressions.Regex.Replace(name, "(?<!^)([A-Z])", "_$1").ToLowerInvariant();
        }
    }
}
