using System;
using System.Diagnostics;
using System.IO;
using System.Runtime.CompilerServices;

namespace Overlay.Shim.Tests;

/// <summary>Builds the native programs once and runs them.</summary>
internal static class NativeBuild
{
    private static readonly Lazy<string> s_folder = new(Build);

    public static string Folder => s_folder.Value;

    public static string PathOf(string program) => Path.Combine(Folder, program);

    public sealed record Outcome(int ExitCode, string Output, string Errors);

    public static Outcome Run(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
            WorkingDirectory = "/",
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(120_000))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end");
        }
        return new Outcome(process.ExitCode, output.GetAwaiter().GetResult(), errors.GetAwaiter().GetResult());
    }

    private static string Build()
    {
        var sources = Path.Combine(TestFolder(), "native");
        var made = Run("make", ["-s", "-C", sources]);
        if (made.ExitCode != 0)
            throw new InvalidOperationException(made.Output + made.Errors);
        return Path.GetFullPath(Path.Combine(sources, "../../../out/tests/shim-native"));
    }

    private static string TestFolder([CallerFilePath] string thisFile = "") => Path.GetDirectoryName(thisFile)!;
}
