using System;
using System.Collections.Generic;
using System.Reflection;
using System.Reflection.Emit;

namespace Hearth
{
    /// <summary>Answers the calls of an interface that is known only when a function is loaded.</summary>
    public abstract class Stand
    {
        private static readonly Dictionary<Type, Type> Made = new Dictionary<Type, Type>();
        private static readonly MethodInfo CallMethod = typeof(Stand).GetMethod("Call");

        private Func<string, object[], object> _answer;

        public object Call(string name, object[] arguments)
        {
            return _answer(name, arguments);
        }

        /// <summary>An object of this interface. Properties are asked for by name; what has no answer is null or zero.</summary>
        public static object For(Type type, Func<string, object[], object> answer)
        {
            Type made;
            if (!Made.TryGetValue(type, out made)) Made[type] = made = Make(type);
            var stand = (Stand)Activator.CreateInstance(made);
            stand._answer = answer;
            return stand;
        }

        private static Type Make(Type type)
        {
            var name = new AssemblyName("Hearth.Stands." + type.Name + Made.Count);
            var module = AssemblyBuilder.DefineDynamicAssembly(name, AssemblyBuilderAccess.Run).DefineDynamicModule(name.Name);
            var made = module.DefineType(type.Name + "Stand", TypeAttributes.Public | TypeAttributes.Class, typeof(Stand), new[] { type });
            foreach (var method in Methods(type)) Implement(made, method);
            return made.CreateTypeInfo().AsType();
        }

        private static IEnumerable<MethodInfo> Methods(Type type)
        {
            foreach (var method in type.GetMethods()) yield return method;
            foreach (var parent in type.GetInterfaces())
            {
                foreach (var method in parent.GetMethods()) yield return method;
            }
        }

        private static void Implement(TypeBuilder made, MethodInfo method)
        {
            if (!method.IsAbstract || method.IsGenericMethodDefinition) return;
            var parameters = Array.ConvertAll(method.GetParameters(), parameter => parameter.ParameterType);
            const MethodAttributes attributes = MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.NewSlot | MethodAttributes.HideBySig;
            var body = made.DefineMethod(method.Name, attributes, method.ReturnType, parameters);
            var il = body.GetILGenerator();
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldstr, method.Name);
            il.Emit(OpCodes.Ldc_I4, parameters.Length);
            il.Emit(OpCodes.Newarr, typeof(object));
            for (var i = 0; i < parameters.Length; i++)
            {
                il.Emit(OpCodes.Dup);
                il.Emit(OpCodes.Ldc_I4, i);
                il.Emit(OpCodes.Ldarg, i + 1);
                if (parameters[i].IsValueType) il.Emit(OpCodes.Box, parameters[i]);
                il.Emit(OpCodes.Stelem_Ref);
            }
            il.Emit(OpCodes.Call, CallMethod);
            if (method.ReturnType == typeof(void)) il.Emit(OpCodes.Pop);
            else if (method.ReturnType.IsValueType) il.Emit(OpCodes.Unbox_Any, method.ReturnType);
            else il.Emit(OpCodes.Castclass, method.ReturnType);
            il.Emit(OpCodes.Ret);
            made.DefineMethodOverride(body, method);
        }
    }
}
