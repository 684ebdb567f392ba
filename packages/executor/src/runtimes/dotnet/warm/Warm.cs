using System;
using System.Collections.Generic;
using System.IO;
using System.Threading.Tasks;
using Amazon.Lambda.Core;

namespace Hearth.Warm
{
    public sealed class Thing
    {
        public string Name { get; set; }
        public List<int> List { get; set; }
    }

    /// <summary>Functions of the usual forms, for the runtime to run before it has a real one.</summary>
    public sealed class Functions
    {
        public Stream Echo(Stream input)
        {
            return input;
        }

        public Thing Typed(Thing input, ILambdaContext context)
        {
            context.Logger.LogInformation(context.AwsRequestId + context.RemainingTime);
            return input;
        }

        public async Task<Dictionary<string, object>> Later(Dictionary<string, object> input)
        {
            await Task.Yield();
            return input;
        }

        public void Fail()
        {
            throw new InvalidOperationException("warm-up");
        }
    }
}
