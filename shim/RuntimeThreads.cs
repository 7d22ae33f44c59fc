using System.Runtime.InteropServices;

namespace Overlay.Shim;

/// <summary><c>shim/runtime/threads.c</c>, which is linked into this library.</summary>
internal static unsafe partial class RuntimeThreads
{
    /// <returns>What a forked child calls at once; null if this runtime is not the one that it was written for.</returns>
    [LibraryImport("overlay_runtime", EntryPoint = "overlay_threads_start")]
    internal static partial void* Start(delegate* unmanaged<void> enter, delegate* unmanaged<void> leave);
}
