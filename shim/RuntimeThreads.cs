using System.Runtime.InteropServices;

namespace Overlay.Shim;

/// <summary><c>shim/runtime/threads.c</c>, which is linked into this library.</summary>
internal static unsafe partial class RuntimeThreads
{
    /// <summary>What filter and runtime tell each other; only C reads it.</summary>
    internal struct Hooks;

    /// <returns>0 if this runtime is not the one that the file was written for.</returns>
    [LibraryImport("overlay_runtime", EntryPoint = "overlay_threads_start")]
    internal static partial byte Start(Hooks* hooks);
}
