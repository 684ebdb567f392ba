using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Text;
using System.Threading.Tasks;

namespace Hearth
{
    /// <summary>The method that `Assembly::Namespace.Class::Method` names, and how its event and its answer travel.</summary>
    public sealed class Handler
    {
        private const string Form = "Invalid lambda function handler: '{0}'. The valid format is 'ASSEMBLY::TYPE::METHOD'.";
        private readonly MethodInfo _method;
        private readonly object _target;
        private readonly Type _input;
        private readonly bool _takesContext;
        private readonly object _serializer;
        private readonly Type _context;

        /// <exception cref="LambdaException">There is no such method, or it is none that can be called.</exception>
        public Handler(string name, string folder)
        {
            var parts = name.Split(new[] { "::" }, StringSplitOptions.None);
            if (parts.Length != 3 || parts.Any(part => part.Trim() == "")) throw new LambdaException(string.Format(Form, name));
            var file = new[] { ".dll", ".exe" }.Select(extension => Path.Combine(folder, parts[0] + extension)).FirstOrDefault(File.Exists);
            if (file == null) throw new LambdaException("Could not find the specified handler assembly with the file name '" + parts[0] + ", Culture=neutral, PublicKeyToken=null'. The assembly should be located in the root of your uploaded .zip file.");
            var assembly = Assembly.LoadFrom(file);
            var type = assembly.GetType(parts[1]);
            if (type == null) throw new LambdaException("Unable to load type '" + parts[1] + "' from assembly '" + parts[0] + "'.");
            _method = Find(type, parts[2], parts[0]);
            _target = _method.IsStatic ? null : Activator.CreateInstance(type);
            if (_method.IsStatic) System.Runtime.CompilerServices.RuntimeHelpers.RunClassConstructor(type.TypeHandle);

            var parameters = _method.GetParameters();
            var last = parameters.LastOrDefault();
            _takesContext = last != null && last.ParameterType.FullName == "Amazon.Lambda.Core.ILambdaContext";
            _context = _takesContext ? last.ParameterType : null;
            var inputs = _takesContext ? parameters.Length - 1 : parameters.Length;
            if (inputs > 1) throw new LambdaException("The method '" + parts[2] + "' has more parameters than an event and a context.");
            _input = inputs == 1 ? parameters[0].ParameterType : null;
            _serializer = Serializer(assembly, _method);
        }

        /// <summary>Runs it with an event of JSON; answers JSON.</summary>
        public byte[] Call(Event e, Func<Type, object> context)
        {
            var arguments = new List<object>();
            if (_input != null) arguments.Add(Read(e.Payload));
            if (_takesContext) arguments.Add(context(_context));
            object result;
            try
            {
                result = _method.Invoke(_target, arguments.ToArray());
            }
            catch (TargetInvocationException error)
            {
                ExceptionDispatchInfo.Capture(error.InnerException).Throw();
                throw;
            }
            var type = _method.ReturnType;
            var task = result as Task;
            if (task != null)
            {
                task.GetAwaiter().GetResult();
                type = type.IsGenericType ? type.GetGenericArguments()[0] : typeof(void);
                result = type == typeof(void) ? null : task.GetType().GetProperty("Result").GetValue(task, null);
            }
            return type == typeof(void) ? Encoding.UTF8.GetBytes("null") : Write(result, type);
        }

        private object Read(byte[] payload)
        {
            if (typeof(Stream).IsAssignableFrom(_input)) return new MemoryStream(payload);
            if (_serializer != null)
            {
                return _serializer.GetType().GetMethod("Deserialize").MakeGenericMethod(_input).Invoke(_serializer, new object[] { new MemoryStream(payload) });
            }
            return JsonBinder.Bind(payload.Length == 0 ? new Dictionary<string, object>() : JsonReader.Parse(Encoding.UTF8.GetString(payload)), _input);
        }

        private byte[] Write(object result, Type type)
        {
            var stream = result as Stream;
            if (stream == null && _serializer == null) return Encoding.UTF8.GetBytes(JsonWriter.Write(result));
            var bytes = new MemoryStream();
            if (stream != null)
            {
                if (stream.CanSeek) stream.Position = 0;
                stream.CopyTo(bytes);
            }
            else
            {
                _serializer.GetType().GetMethod("Serialize").MakeGenericMethod(type).Invoke(_serializer, new[] { result, bytes });
            }
            return bytes.ToArray();
        }

        private static MethodInfo Find(Type type, string name, string assembly)
        {
            const BindingFlags all = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.FlattenHierarchy;
            var found = type.GetMethods(all).Where(method => method.Name == name).ToArray();
            if (found.Length == 0) throw new LambdaException("Unable to find method '" + name + "' in type '" + type.FullName + "' from assembly '" + assembly + "'.");
            if (found.Length > 1) throw new LambdaException("The method '" + name + "' in type '" + type.FullName + "' appears to be overloaded. Specifying the complete method signature is not supported; give it a name of its own.");
            if (found[0].IsGenericMethodDefinition) throw new LambdaException("Handler method '" + name + "' in type '" + type.FullName + "' is generic, which is not allowed.");
            return found[0];
        }

        /// <summary>The one that the method or its assembly names, or null: then this runtime's own JSON is used.</summary>
        private static object Serializer(Assembly assembly, MethodInfo method)
        {
            var attribute = method.GetCustomAttributes(true).Concat(assembly.GetCustomAttributes(true)).FirstOrDefault(candidate => candidate.GetType().FullName == "Amazon.Lambda.Core.LambdaSerializerAttribute");
            if (attribute == null) return null;
            return Activator.CreateInstance((Type)attribute.GetType().GetProperty("SerializerType").GetValue(attribute, null));
        }
    }
}
