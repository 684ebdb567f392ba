using System;
using System.Collections;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text;

namespace Hearth
{
    /// <summary>
    /// Started ahead of need in a sandbox of its own, it gets ready, waits for INIT, becomes an instance of that function
    /// and serves events until the gateway ends it.
    /// </summary>
    public static class Program
    {
        private const int ChannelDescriptor = 3, InitFailed = 1;
        private const string Trace = "_X_AMZN_TRACE_ID";
        private static string[] _codeFolders = { "/var/task", "/opt/dotnet", "/opt/lib", AppDomain.CurrentDomain.BaseDirectory };

        /// <param name="frameworks">Folders of frameworks that functions may use beside .NET itself.</param>
        public static int Main(string[] frameworks)
        {
            _codeFolders = _codeFolders.Concat(frameworks).ToArray();
            AppDomain.CurrentDomain.AssemblyResolve += Resolve;
            var channel = new Channel(new InheritedSocket(ChannelDescriptor));
            WarmUp.Run(AppDomain.CurrentDomain.BaseDirectory);
            channel.Ready();
            var frame = channel.Receive();
            if (frame == null) return 0;
            var facts = (Dictionary<string, object>)JsonReader.Parse(Encoding.UTF8.GetString(frame.Payload));
            Enter(facts);
            var logs = new Logs(channel, (string)facts["logFormat"], (string)facts["logLevel"]);
            Handler handler;
            try
            {
                handler = new Handler((string)facts["handler"], (string)facts["taskRoot"]);
            }
            catch (Exception error)
            {
                error = Failure.Unwrap(error);
                var described = Failure.Describe(error);
                logs.Failure(error);
                channel.InitError((string)described["errorType"], Failure.Encode(described));
                return InitFailed;
            }
            channel.InitOk();
            Serve(channel, handler, facts, logs);
            return 0;
        }

        /// <summary>Serves events until the channel is closed.</summary>
        public static void Serve(Channel channel, Handler handler, IDictionary<string, object> facts, Logs logs)
        {
            for (var frame = channel.Receive(); frame != null; frame = channel.Receive())
            {
                if (frame.Type == Frame.Invoke) Invoke(channel, handler, facts, logs, frame.ToEvent());
            }
        }

        private static void Invoke(Channel channel, Handler handler, IDictionary<string, object> facts, Logs logs, Event e)
        {
            logs.Sequence = e.Sequence;
            logs.RequestId = e.RequestId;
            Environment.SetEnvironmentVariable(Trace, e.TraceId == "" ? null : e.TraceId);
            var watch = Stopwatch.StartNew();
            byte[] answer;
            string errorType = null;
            try
            {
                answer = handler.Call(e, type => Context.For(type, e, facts, logs));
                if (answer.Length > Channel.MaxResponseBytes)
                {
                    errorType = "Function.ResponseSizeTooLarge";
                    answer = Failure.Encode(new Dictionary<string, object>
                    {
                        { "errorType", errorType },
                        { "errorMessage", "Response payload size exceeded maximum allowed payload size (" + Channel.MaxResponseBytes + " bytes)." }
                    });
                }
            }
            catch (Exception error)
            {
                error = Failure.Unwrap(error);
                var described = Failure.Describe(error);
                errorType = (string)described["errorType"];
                answer = Failure.Encode(described);
                Console.Out.Flush();
                logs.Failure(error);
            }
            Console.Out.Flush();
            Console.Error.Flush();
            var micros = (uint)Math.Min(uint.MaxValue, watch.Elapsed.TotalMilliseconds * 1000);
            logs.Sequence = 0;
            if (errorType == null) channel.Result(e.Sequence, micros, answer);
            else channel.Error(e.Sequence, micros, errorType, answer);
        }

        /// <summary>Makes the environment and the working folder those of the function.</summary>
        private static void Enter(IDictionary<string, object> facts)
        {
            var wanted = (Dictionary<string, object>)facts["env"];
            foreach (var name in Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(name => !wanted.ContainsKey(name)).ToList())
            {
                Environment.SetEnvironmentVariable(name, null);
            }
            foreach (var variable in wanted) Environment.SetEnvironmentVariable(variable.Key, (string)variable.Value);
            Directory.SetCurrentDirectory((string)facts["taskRoot"]);
        }

        /// <summary>Finds what assemblies refer to: in the package, in layers, then here.</summary>
        private static Assembly Resolve(object sender, ResolveEventArgs wanted)
        {
            var name = new AssemblyName(wanted.Name).Name;
            var file = _codeFolders.SelectMany(folder => new[] { Path.Combine(folder, name + ".dll"), Path.Combine(folder, name + ".exe") }).FirstOrDefault(File.Exists);
            return file == null ? null : Assembly.LoadFrom(file);
        }
    }
}
