using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;

namespace Hearth
{
    /// <summary>One invocation as it came over the channel.</summary>
    public sealed class Event
    {
        public uint Sequence;
        public double DeadlineMs;
        public string RequestId, TraceId, InvokedArn, ClientContext;
        public byte[] Payload;
    }

    /// <summary>One frame; packages/executor/src/protocol.ts describes them.</summary>
    public sealed class Frame
    {
        public const byte Init = 1, Invoke = 2, Ready = 16, InitOk = 17, InitError = 18, Result = 19, Error = 20, Log = 21;

        public byte Type;
        public uint Sequence;
        public byte[] Meta, Payload;

        public Event ToEvent()
        {
            var at = 8;
            Func<string> text = () =>
            {
                var bytes = BitConverter.ToUInt16(Meta, at);
                var value = Encoding.UTF8.GetString(Meta, at + 2, bytes);
                at += 2 + bytes;
                return value;
            };
            return new Event
            {
                Sequence = Sequence, DeadlineMs = BitConverter.ToDouble(Meta, 0), RequestId = text(), TraceId = text(),
                InvokedArn = text(), ClientContext = text(), Payload = Payload
            };
        }
    }

    /// <summary>Where frames come from and go to; both block.</summary>
    public interface ITransport
    {
        /// <summary>Bytes read, 0 at the end.</summary>
        int Read(byte[] buffer, int at, int count);
        void Write(byte[] bytes);
    }

    /// <summary>The socket that this process was started with. Its children do not get it.</summary>
    public sealed class InheritedSocket : ITransport
    {
        [DllImport("libc", SetLastError = true)]
        private static extern IntPtr read(int descriptor, IntPtr buffer, IntPtr count);
        [DllImport("libc", SetLastError = true)]
        private static extern IntPtr write(int descriptor, IntPtr buffer, IntPtr count);
        [DllImport("libc", SetLastError = true)]
        private static extern int fcntl(int descriptor, int command, int argument);

        private const int SetDescriptorFlags = 2, CloseOnExec = 1, Interrupted = 4;
        private readonly int _descriptor;

        public InheritedSocket(int descriptor)
        {
            _descriptor = descriptor;
            fcntl(descriptor, SetDescriptorFlags, CloseOnExec);
        }

        public int Read(byte[] buffer, int at, int count)
        {
            var pinned = GCHandle.Alloc(buffer, GCHandleType.Pinned);
            try
            {
                while (true)
                {
                    var got = (int)read(_descriptor, pinned.AddrOfPinnedObject() + at, (IntPtr)count);
                    if (got >= 0) return got;
                    if (Marshal.GetLastWin32Error() != Interrupted) return 0;
                }
            }
            finally
            {
                pinned.Free();
            }
        }

        public void Write(byte[] bytes)
        {
            var pinned = GCHandle.Alloc(bytes, GCHandleType.Pinned);
            try
            {
                for (var at = 0; at < bytes.Length;)
                {
                    var put = (int)write(_descriptor, pinned.AddrOfPinnedObject() + at, (IntPtr)(bytes.Length - at));
                    if (put >= 0) at += put;
                    else if (Marshal.GetLastWin32Error() != Interrupted) throw new IOException("the channel is closed");
                }
            }
            finally
            {
                pinned.Free();
            }
        }
    }

    /// <summary>Frames between the gateway and this instance. The gateway is trusted.</summary>
    public sealed class Channel
    {
        public const int MaxResponseBytes = 6291556;
        private const int HeaderBytes = 12, MaxLogBytes = 262144, MaxErrorTypeBytes = 256;
        private static readonly string[] Levels = { "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL" };
        private static readonly byte[] Nothing = new byte[0];
        private readonly ITransport _transport;
        private readonly byte[] _header = new byte[HeaderBytes];
        private readonly object _lock = new object();

        public Channel(ITransport transport)
        {
            _transport = transport;
        }

        /// <summary>The next frame, or null when the gateway has closed the channel.</summary>
        public Frame Receive()
        {
            if (!Fill(_header)) return null;
            var length = BitConverter.ToInt32(_header, 0);
            var metaLength = BitConverter.ToUInt16(_header, 6);
            var frame = new Frame
            {
                Type = _header[4], Sequence = BitConverter.ToUInt32(_header, 8),
                Meta = new byte[metaLength], Payload = new byte[length - metaLength]
            };
            return Fill(frame.Meta) && Fill(frame.Payload) ? frame : null;
        }

        public void Ready()
        {
            Send(Frame.Ready, 0, Nothing, Nothing);
        }

        public void InitOk()
        {
            Send(Frame.InitOk, 0, Nothing, Nothing);
        }

        public void InitError(string type, byte[] body)
        {
            Send(Frame.InitError, 0, Short(type), body);
        }

        public void Result(uint sequence, uint micros, byte[] body)
        {
            Send(Frame.Result, sequence, BitConverter.GetBytes(micros), body);
        }

        public void Error(uint sequence, uint micros, string type, byte[] body)
        {
            var name = Short(type);
            var meta = new byte[4 + name.Length];
            BitConverter.GetBytes(micros).CopyTo(meta, 0);
            name.CopyTo(meta, 4);
            Send(Frame.Error, sequence, meta, body);
        }

        /// <summary>Sends one log event; a longer one than a frame takes goes as several.</summary>
        public void Log(uint sequence, string level, string text)
        {
            var meta = new byte[9];
            var now = (DateTime.UtcNow - new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc)).TotalMilliseconds;
            BitConverter.GetBytes(now).CopyTo(meta, 0);
            meta[8] = (byte)Math.Max(0, Array.IndexOf(Levels, level));
            var data = Encoding.UTF8.GetBytes(text);
            var at = 0;
            do
            {
                var part = new byte[Math.Min(MaxLogBytes, data.Length - at)];
                Array.Copy(data, at, part, 0, part.Length);
                Send(Frame.Log, sequence, meta, part);
                at += MaxLogBytes;
            } while (at < data.Length);
        }

        private void Send(byte type, uint sequence, byte[] meta, byte[] payload)
        {
            var frame = new byte[HeaderBytes + meta.Length + payload.Length];
            BitConverter.GetBytes(meta.Length + payload.Length).CopyTo(frame, 0);
            frame[4] = type;
            BitConverter.GetBytes((ushort)meta.Length).CopyTo(frame, 6);
            BitConverter.GetBytes(sequence).CopyTo(frame, 8);
            meta.CopyTo(frame, HeaderBytes);
            payload.CopyTo(frame, HeaderBytes + meta.Length);
            lock (_lock) _transport.Write(frame);
        }

        private bool Fill(byte[] buffer)
        {
            for (var at = 0; at < buffer.Length;)
            {
                var got = _transport.Read(buffer, at, buffer.Length - at);
                if (got <= 0) return false;
                at += got;
            }
            return true;
        }

        private static byte[] Short(string type)
        {
            var bytes = Encoding.GetEncoding("iso-8859-1").GetBytes(type);
            if (bytes.Length > MaxErrorTypeBytes) Array.Resize(ref bytes, MaxErrorTypeBytes);
            return bytes;
        }
    }
}
