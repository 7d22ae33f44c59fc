using System.Runtime.InteropServices;

namespace Overlay.Ctl.Data;

/// <summary>The file calls for whole trees: relative to a directory's descriptor, and with names as bytes, since not every name is UTF-8.</summary>
internal static unsafe partial class Calls
{
    internal const int ReadOnly = 0, WriteOnly = 1, ReadWrite = 2, CreateNew = 0xC0, Truncate = 0x200, NonBlocking = 0x800, DirectoryOnly = 0x10000,
        NoFollow = 0x20000, NoAccessTime = 0x40000, CloseOnExec = 0x80000;
    internal const int RemoveDirectory = 0x200, FollowLink = 0x400, NoFollowLink = 0x100, EmptyPath = 0x1000;
    internal const uint DoNotReplace = 1, Exchange = 2;
    internal const int SetSignal = 10, SetLease = 1024, GetLease = 1025;
    internal const int ReadLease = 0, NoLease = 2;
    internal const int LockExclusive = 2, LockNoWait = 4;

    internal const int NotADirectory = 20, NoSuchCall = 38, NoData = 61, NotSupported = 95, QuotaExceeded = 122;

    internal static int LastError => Marshal.GetLastPInvokeError();

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    internal static partial int OpenAt(int directory, byte[] name, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup", SetLastError = true)]
    internal static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    internal static partial int Status(int directory, byte[] name, int flags, uint mask, NodeStatus* status);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true)]
    internal static partial int MakeDirectory(int directory, byte[] name, uint mode);

    [LibraryImport("libc", EntryPoint = "mknodat", SetLastError = true)]
    internal static partial int MakeNode(int directory, byte[] name, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "linkat", SetLastError = true)]
    internal static partial int Link(int fromDirectory, byte[] from, int toDirectory, byte[] to, int flags);

    [LibraryImport("libc", EntryPoint = "symlinkat", SetLastError = true)]
    internal static partial int MakeLink(byte[] target, int directory, byte[] name);

    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true)]
    internal static partial nint ReadLink(int directory, byte[] name, byte* target, nuint size);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    internal static partial int Unlink(int directory, byte[] name, int flags);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true)]
    internal static partial int Rename(int fromDirectory, byte[] from, int toDirectory, byte[] to, uint flags);

    [LibraryImport("libc", EntryPoint = "fchownat", SetLastError = true)]
    internal static partial int ChangeOwner(int directory, byte[] name, uint user, uint group, int flags);

    [LibraryImport("libc", EntryPoint = "fchmodat", SetLastError = true)]
    internal static partial int ChangeMode(int directory, byte[] name, uint mode, int flags);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    internal static partial int ChangeMode(int descriptor, uint mode);

    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true)]
    internal static partial int SetTimes(int directory, byte[] name, NodeTime* accessedAndModified, int flags);

    [LibraryImport("libc", EntryPoint = "llistxattr", SetLastError = true)]
    internal static partial nint ListAttributes(byte[] path, byte* names, nuint size);

    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true)]
    internal static partial nint GetAttribute(byte[] path, byte[] name, byte* value, nuint size);

    [LibraryImport("libc", EntryPoint = "lsetxattr", SetLastError = true)]
    internal static partial int SetAttribute(byte[] path, byte[] name, byte* value, nuint size, int flags);

    [LibraryImport("libc", EntryPoint = "lremovexattr", SetLastError = true)]
    internal static partial int RemoveAttribute(byte[] path, byte[] name);

    [LibraryImport("libc", EntryPoint = "syncfs", SetLastError = true)]
    internal static partial int SyncFileSystem(int descriptor);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    internal static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    internal static partial int Lock(int descriptor, int operation);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int Control(int descriptor, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "fdopendir", SetLastError = true)]
    internal static partial nint OpenListing(int descriptor);

    [LibraryImport("libc", EntryPoint = "readdir64", SetLastError = true)]
    internal static partial byte* ReadListing(nint listing);

    [LibraryImport("libc", EntryPoint = "closedir", SetLastError = true)]
    internal static partial int CloseListing(nint listing);
}
