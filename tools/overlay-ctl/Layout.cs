using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Overlay.Ctl;

/// <summary>Where things lie in an installed or built tree: bin/overlay-ctl, lib/overlay/.</summary>
internal static class Layout
{
    private static string Library { get; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../lib/overlay"));

    internal static string Shim => Existing("liboverlay-shim.so");

    internal static string Engine => Existing("liboverlay-engine.so");

    /// <summary>Becomes, under the shim, the program that is to run.</summary>
    internal static string Exec => Existing("overlay-exec");

    /// <summary>What should lie beside the engine, and does not.</summary>
    internal static string[] Missing()
    {
        string[] names = ["liboverlay-shim.so", "liboverlay-engine.so", "libsodium.so", "libe_sqlite3.so", "overlay-start", "overlay-copy", "overlay-exec"];
        return names.Where(name => !File.Exists(Path.Combine(Library, name))).ToArray();
    }

    internal static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        string path = Path.Combine(Library, name.StartsWith("lib", StringComparison.Ordinal) ? $"{name}.so" : $"lib{name}.so");
        return NativeLibrary.TryLoad(path, out nint handle) ? handle : 0;
    }

    private static string Existing(string name)
    {
        string path = Path.Combine(Library, name);
        return File.Exists(path) ? path : throw new ControlException(ExitCodes.Failed, $"{path} is missing; run 'make build', or install again.");
    }
}
