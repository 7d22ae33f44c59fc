using System.Runtime.InteropServices;

namespace Overlay.Ctl.Doctor;

/// <summary>Calls that only the checks make.</summary>
internal static unsafe partial class Native
{
    internal const int WipeOnFork = 18, CloseOnExecFlag = 1;
    internal const int LimitOfFileSize = 1, LimitOfDescriptors = 7, LimitOfLockedMemory = 8, LimitOfAddressSpace = 9;
    internal const int MayExecute = 1, MayWrite = 2;

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MakeMemoryFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int Lock(int descriptor, int command, Overlay.Interop.Kernel.FileLock* fileLock);

    [LibraryImport("libc", EntryPoint = "getxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint GetAttribute(string path, string name, byte* value, nuint size);

    [LibraryImport("libc", EntryPoint = "fsetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SetAttribute(int descriptor, string name, byte* value, nuint size, int flags);

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "getegid")]
    internal static partial uint EffectiveGroup();
}
