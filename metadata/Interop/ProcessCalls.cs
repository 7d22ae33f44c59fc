using System.Runtime.InteropServices;

namespace Overlay.Metadata.Interop;

/// <summary>Who we are, and what others may do to us.</summary>
internal static unsafe partial class ProcessCalls
{
    internal const int SetDumpable = 4;
    internal const int OpenFilesLimit = 7;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial uint EffectiveUserId();

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    internal static partial int Control(int option, nuint argument2, nuint argument3, nuint argument4, nuint argument5);

    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    internal static partial int GetLimit(int resource, ResourceLimit* limit);
}

/// <summary>struct rlimit</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ResourceLimit
{
    internal ulong Soft;
    internal ulong Hard;
}
