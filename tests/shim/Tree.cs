using System;
using System.Diagnostics;
using System.IO;

namespace Overlay.Shim.Tests;

/// <summary>The repository and what was built of it.</summary>
internal static class Tree
{
    internal static string Root { get; } = FindRoot();

    internal static string Out => Environment.GetEnvironmentVariable("OVERLAY_OUT") ?? Path.Combine(Root, "out");

    internal static string Shim
    {
        get
        {
            var path = Path.Combine(Out, "lib/overlay/liboverlay-shim.so");
            return File.Exists(path) ? path : throw new FileNotFoundException("run 'make build' first", path);
        }
    }

    internal static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>Runs a command to its end; standard output, or an exception with everything it said.</summary>
    internal static string Run(string file, params string[] arguments)
    {
        var info = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(info)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{file} ended with {process.ExitCode}: {output}{errors.Result}");
    }

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Overlay.sln")))
            directory = directory.Parent ?? throw new DirectoryNotFoundException("no Overlay.sln above the tests");
        return directory.FullName;
    }
}
