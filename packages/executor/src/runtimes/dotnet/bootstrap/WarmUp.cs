using System;
using System.Collections.Generic;
using System.IO;
using System.Text;

namespace Hearth
{
    /// <summary>Does before there is a function what the first event would do: the same code, with nobody at the other end.</summary>
    public static class WarmUp
    {
        private const int Rounds = 20;

        public static void Run(string folder)
        {
            var channel = new Channel(new Nowhere());
            var facts = new Dictionary<string, object>
            {
                { "functionName", "" }, { "functionVersion", "" }, { "logGroup", "" }, { "logStream", "" }, { "memoryMiB", 128L }
            };
            var logs = new Logs(channel, "Text", "INFO");
            foreach (var method in new[] { "Echo", "Typed", "Later", "Fail" })
            {
                Program.Serve(new Channel(new Nowhere()), new Handler("Warm::Hearth.Warm.Functions::" + method, folder), facts, logs);
            }
            Environment.SetEnvironmentVariable("_X_AMZN_TRACE_ID", null);
            GC.Collect();
        }

        /// <summary>A transport on which events come as long as the warm-up lasts, and where answers go nowhere.</summary>
        private sealed class Nowhere : ITransport
        {
            private readonly MemoryStream _events = new MemoryStream();

            public Nowhere()
            {
                var payload = Encoding.UTF8.GetBytes("{\"Name\":\"value\",\"List\":[1,2],\"more\":{\"a\":2.5,\"b\":null}}");
                var id = Encoding.ASCII.GetBytes(new string('0', 36));
                var writer = new BinaryWriter(_events);
                var metaLength = 8 + 2 + id.Length + 6;
                for (var round = 1; round <= Rounds; round++)
                {
                    writer.Write(metaLength + payload.Length);
                    writer.Write(Frame.Invoke);
                    writer.Write((byte)0);
                    writer.Write((ushort)metaLength);
                    writer.Write(round);
                    writer.Write(0.0);
                    writer.Write((ushort)id.Length);
                    writer.Write(id);
                    writer.Write(new byte[6]);
                    writer.Write(payload);
                }
                _events.Position = 0;
            }

            public int Read(byte[] buffer, int at, int count)
            {
                return _events.Read(buffer, at, count);
            }

            public void Write(byte[] bytes)
            {
            }
        }
    }
}
