using System.Runtime.InteropServices;

namespace Overlay.Metadata.Interop;

/// <summary>Pages for secrets: outside the managed heap, whose collector would leave copies behind.</summary>
internal static partial class MemoryCalls
{
    internal const int ReadWrite = 3, PrivateAnonymous = 0x22, Shared = 1;
    internal const int DoNotDump = 16, WipeOnFork = 18;
    internal const int TrimThreshold = -1;

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    internal static partial nint Map(nint address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    internal static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "mlock", SetLastError = true)]
    internal static partial int Lock(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    internal static partial int SetAllocator(int option, int value);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    internal static partial int Advise(nint address, nuint length, int advice);
}
