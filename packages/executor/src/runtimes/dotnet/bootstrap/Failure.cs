using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Text;

namespace Hearth
{
    /// <summary>Something that the runtime finds wrong itself.</summary>
    public sealed class LambdaException : Exception
    {
        public LambdaException(string message, Exception inner = null) : base(message, inner)
        {
        }
    }

    /// <summary>Errors as Lambda reports them.</summary>
    public static class Failure
    {
        private const int MaxDepth = 16;
        private static readonly string[] Own = { "at Hearth.", "at System.Reflection.", "at System.RuntimeMethodHandle.", "at InvokeStub_" };

        /// <summary>The error itself, out of what reflection and tasks wrap it in.</summary>
        public static Exception Unwrap(Exception error)
        {
            while ((error is TargetInvocationException || error is AggregateException && ((AggregateException)error).InnerExceptions.Count == 1 || error is TypeInitializationException) && error.InnerException != null) error = error.InnerException;
            return error;
        }

        public static Dictionary<string, object> Describe(Exception error, int depth = 0)
        {
            var described = new Dictionary<string, object>
            {
                { "errorType", error.GetType().Name }, { "errorMessage", error.Message }, { "stackTrace", Frames(error) }
            };
            if (depth >= MaxDepth) return described;
            var many = error as AggregateException;
            if (many != null) described["causes"] = many.InnerExceptions.Select(inner => Describe(inner, depth + 1)).ToList();
            else if (error.InnerException != null) described["cause"] = Describe(error.InnerException, depth + 1);
            return described;
        }

        public static byte[] Encode(Dictionary<string, object> described)
        {
            return Encoding.UTF8.GetBytes(JsonWriter.Write(described));
        }

        /// <summary>Without the frames of this runtime and of reflection, which Mono and .NET name differently.</summary>
        private static List<string> Frames(Exception error)
        {
            var frames = (error.StackTrace ?? "").Split('\n').Select(line => line.Trim())
                .Where(line => line != "" && !Own.Any(line.StartsWith) && !line.Contains("(wrapper managed-to-native)"))
                .ToList();
            // What stood between the function's frames and ours.
            while (frames.Count > 0 && frames[frames.Count - 1].StartsWith("--- ")) frames.RemoveAt(frames.Count - 1);
            return frames;
        }
    }
}
