using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;

namespace Overlay.Metadata.Tests.Support;

/// <summary>Other programs: this assembly as a process of its own, the compiler, the client in C.</summary>
internal static class ChildProcess
{
    public const int Killed = 128 + 9;

    public static Process StartSelf(params string[] arguments) =>
        Start("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "Overlay.Metadata.Tests.dll"), .. arguments]);

    public static Process Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        return Process.Start(start)!;
    }

    public static (int Status, string Output, string Errors) Finish(Process process)
    {
        using (process)
        {
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(TimeSpan.FromSeconds(60)))
            {
                process.Kill();
                throw new TimeoutException("the child did not end");
            }
            Task.WaitAll(output, errors);
            return (process.ExitCode, output.Result, errors.Result);
        }
    }

    public static (int Status, string Output, string Errors) Run(string program, params string[] arguments) =>
        Finish(Start(program, arguments));

    /// <summary>Compiles client.c, which speaks the protocol on its own account.</summary>
    public static string CompileClient(string directory)
    {
        var source = Path.Combine(AppContext.BaseDirectory, "Support", "client.c");
        var program = Path.Combine(directory, "client");
        var (status, _, errors) = Run("gcc", "-Wall", "-Werror", "-O1", "-o", program, source);
        return status == 0 ? program : throw new InvalidOperationException(errors);
    }
}
