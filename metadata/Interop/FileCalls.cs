using System.Runtime.InteropServices;

namespace Overlay.Metadata.Interop;

/// <summary>The file calls of libc that .NET's own file classes do not offer, or not without surprises.</summary>
internal static unsafe partial class FileCalls
{
    internal const int CurrentDirectory = -100;
    internal const int ReadOnly = 0, ReadWrite = 2;
    internal const int Create = 0x40, Exclusive = 0x80, NonBlocking = 0x800, CloseOnExec = 0x80000, PathOnly = 0x200000;

    /// <summary>O_DIRECTORY and O_NOFOLLOW, whose values differ between x86-64 and arm64.</summary>
    internal static readonly int DirectoryOnly =
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;
    internal static readonly int NoFollow =
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    internal const int LockExclusive = 2, LockNoWait = 4, Unlock = 8;

    internal const int StatNoFollow = 0x100, StatEmptyPath = 0x1000;
    internal const uint StatBasic = 0x7ff;

    internal const int GetFlags = 3, SetOwnLock = 37, GetOwnLock = 36;    // F_GETFL, F_OFD_SETLK, F_OFD_GETLK
    internal const int AccessMode = 3, Append = 0x400;

    internal const uint MemoryCloseOnExec = 1, MemoryNeverExecutable = 8;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup3", SetLastError = true)]
    internal static partial int Duplicate(int descriptor, int newDescriptor, int flags);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Stat(int directory, string path, int flags, uint mask, FileStatus* status);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MakeDirectory(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ChangeMode(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    internal static partial int ChangeMode(int descriptor, uint mode);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int Control(int descriptor, int command, nint argument);

    internal const nuint GetFileFlags = 0x80086601, SetFileFlags = 0x40086602; // FS_IOC_GETFLAGS, FS_IOC_SETFLAGS

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int Request(int descriptor, nuint request, int* argument);

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MakeMemoryFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    internal static partial nint ReadAt(int descriptor, byte* data, nuint length, long offset);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    internal static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    internal static partial int Lock(int descriptor, int operation);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    internal static partial int SetLength(int descriptor, long length);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(int descriptor, byte* data, nuint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(int descriptor, byte* data, nuint length);
}

/// <summary>struct flock</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FileLock
{
    internal const short Shared = 0, Exclusive = 1, None = 2;

    internal short Type;
    internal short Whence;
    internal long Start;
    internal long Length;
    internal int ProcessId;
}

/// <summary>struct statx, as far as it is used (256 bytes, the same on every architecture)</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct FileStatus
{
    internal const ushort TypeMask = 0xF000, Directory = 0x4000, Regular = 0x8000, Link = 0xA000, Socket = 0xC000;
    internal const ushort PermissionMask = 0x0FFF;

    [FieldOffset(20)] internal uint UserId;
    [FieldOffset(28)] internal ushort Mode;
    [FieldOffset(32)] internal ulong Inode;
    [FieldOffset(40)] internal ulong Size;
    [FieldOffset(96)] internal long ChangedSeconds;
    [FieldOffset(104)] internal uint ChangedNanoseconds;
    [FieldOffset(112)] internal long ModifiedSeconds;
    [FieldOffset(120)] internal uint ModifiedNanoseconds;
    [FieldOffset(136)] internal uint DeviceMajor;
    [FieldOffset(140)] internal uint DeviceMinor;

    internal readonly ulong Device => ((ulong)DeviceMajor << 32) | DeviceMinor;

    internal readonly int Type => Mode & TypeMask;

    internal readonly int Permissions => Mode & PermissionMask;
}
