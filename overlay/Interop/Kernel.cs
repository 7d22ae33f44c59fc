using System.Runtime.InteropServices;

namespace Overlay.Interop;

/// <summary>The calls of libc that the engine makes. In a program they pass the filter untouched (it is marked "in engine").</summary>
internal static unsafe partial class Kernel
{
    internal const int CurrentDirectory = -100;

    internal const int O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_ACCMODE = 3, O_CREAT = 0x40, O_APPEND = 0x400, O_NONBLOCK = 0x800,
        O_DSYNC = 0x1000, O_DIRECT = 0x4000, O_DIRECTORY = 0x10000, O_CLOEXEC = 0x80000, O_SYNC = 0x101000, O_PATH = 0x200000;

    internal const int W_OK = 2, AT_EACCESS = 0x200;

    internal const int F_GETFL = 3, F_DUPFD_CLOEXEC = 1030, F_OFD_GETLK = 36, F_OFD_SETLK = 37, F_OFD_SETLKW = 38;

    internal const int SEEK_SET = 0, SEEK_CUR = 1, SEEK_END = 2, SEEK_DATA = 3, SEEK_HOLE = 4;

    internal const int FALLOC_FL_KEEP_SIZE = 1, FALLOC_FL_PUNCH_HOLE = 2, FALLOC_FL_ZERO_RANGE = 0x10;

    internal const int PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4;
    internal const int MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_SHARED_VALIDATE = 3, MAP_TYPE = 0xF, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20,
        MAP_GROWSDOWN = 0x100, MAP_LOCKED = 0x2000, MAP_NORESERVE = 0x4000, MAP_POPULATE = 0x8000, MAP_SYNC = 0x80000, MAP_FIXED_NOREPLACE = 0x100000;
    internal const int MADV_HUGEPAGE = 14, MADV_DONTDUMP = 16, MADV_POPULATE_WRITE = 23;
    internal const int MS_SYNC = 4;
    internal const int MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2, MREMAP_DONTUNMAP = 4;
    internal const uint MFD_CLOEXEC = 1, MFD_NOEXEC_SEAL = 8;

    /// <summary>Not 0: the program has put a seccomp filter on itself, which may end it for a call that is not foreseen. Null in tests.</summary>
    internal static int* HasFilter { get; set; }

    /// <summary>May calls be made that one can do without?</summary>
    internal static bool IsFree => HasFilter == null || System.Threading.Volatile.Read(ref *HasFilter) == 0;

    internal static int LastError
    {
        get => Marshal.GetLastPInvokeError();
        set => Marshal.SetLastPInvokeError(value);
    }

    [LibraryImport("libc", EntryPoint = "openat64", SetLastError = true)]
    internal static partial int OpenAt(int directory, byte* path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "pread64", SetLastError = true)]
    internal static partial nint PRead(int fd, byte* buffer, nuint size, long offset);

    [LibraryImport("libc", EntryPoint = "pwrite64", SetLastError = true)]
    internal static partial nint PWrite(int fd, byte* buffer, nuint size, long offset);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    internal static partial nint Read(int fd, byte* buffer, nuint size);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    internal static partial nint Write(int fd, byte* buffer, nuint size);

    [LibraryImport("libc", EntryPoint = "lseek64", SetLastError = true)]
    internal static partial long Seek(int fd, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "ftruncate64", SetLastError = true)]
    internal static partial int SetLength(int fd, long length);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int MapExtents(int fd, ulong request, ExtentQuery* query);

    internal const ulong FIONREAD = 0x541B;

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int CountWaiting(int fd, ulong request, int* count);

    [LibraryImport("libc", EntryPoint = "fallocate64", SetLastError = true)]
    internal static partial int Allocate(int fd, int mode, long offset, long length);

    [LibraryImport("libc", EntryPoint = "sync_file_range", SetLastError = true)]
    internal static partial int SyncRange(int fd, long offset, long length, uint flags);

    [LibraryImport("libc", EntryPoint = "posix_fadvise64")]
    internal static partial int AdviseFile(int fd, long offset, long length, int advice);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    internal static partial int Sync(int fd);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    internal static partial int SyncData(int fd);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    internal static partial int ChangeMode(int fd, uint mode);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int Control(int fd, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "faccessat", SetLastError = true)]
    internal static partial int Access(int directory, byte* path, int mode, int flags);

    [LibraryImport("libc", EntryPoint = "fgetxattr", SetLastError = true)]
    internal static partial nint GetAttribute(int fd, byte* name, byte* value, nuint size);

    [LibraryImport("libc", EntryPoint = "fsetxattr", SetLastError = true)]
    internal static partial int SetAttribute(int fd, byte* name, byte* value, nuint size, int flags);

    [LibraryImport("libc", EntryPoint = "futimens", SetLastError = true)]
    internal static partial int SetTimes(int fd, TimeSpec* accessedAndModified);

    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true)]
    internal static partial nint ReadLinkAt(int directory, byte* path, byte* target, nuint size);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    internal static partial int Status(int directory, byte* path, int flags, uint mask, StatusBuffer* status);

    /// <summary>Fills a <c>struct statfs</c> of 120 bytes; the first 8 say of what type the file system is.</summary>
    [LibraryImport("libc", EntryPoint = "fstatfs64", SetLastError = true)]
    internal static partial int FileSystemStatus(int fd, long* status);

    [LibraryImport("libc", EntryPoint = "mmap64", SetLastError = true)]
    internal static partial nint Map(nint address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    internal static partial int Unmap(nint address, nuint length);

    /// <summary>Variadic in C; on x86-64 an integer argument more is passed alike.</summary>
    [LibraryImport("libc", EntryPoint = "mremap", SetLastError = true)]
    internal static partial nint Remap(nint address, nuint length, nuint newLength, int flags, nint newAddress);

    [LibraryImport("libc", EntryPoint = "msync", SetLastError = true)]
    internal static partial int SyncMemory(nint address, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    internal static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    internal static partial int Advise(nint address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true)]
    internal static partial int CreateMemoryFile(byte* name, uint flags);

    [LibraryImport("libc", EntryPoint = "getrlimit64", SetLastError = true)]
    internal static partial int GetLimit(int resource, Limit* limit);

    [LibraryImport("libc", EntryPoint = "setrlimit64", SetLastError = true)]
    internal static partial int SetLimit(int resource, Limit* limit);

    [LibraryImport("libc", EntryPoint = "sysinfo", SetLastError = true)]
    internal static partial int Information(SystemInformation* information);

    internal const int FUTEX_WAIT = 0, FUTEX_WAKE = 1;

    /// <summary>The system call has no function of its own in libc.</summary>
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Call(nint number, uint* word, nint operation, nint value, TimeSpec* timeout, nint second, nint third);

    internal static nint Futex(uint* word, int operation, uint value, TimeSpec* timeout) => Call(202, word, operation, (nint)value, timeout, 0, 0);

    [LibraryImport("libc", EntryPoint = "getpid")]
    internal static partial int ProcessId();

    /// <summary>To this thread. (Not pthread_kill: what is linked here is the runtime's own, shim/runtime/threads.c.)</summary>
    [LibraryImport("libc", EntryPoint = "raise")]
    internal static partial int Signal(int signal);

    /// <summary>Takes back a signal that is pending, and blocked as all are in engine calls. -1: it is not.</summary>
    internal static int TakeSignal(int signal)
    {
        ulong* set = stackalloc ulong[16]; // sigset_t of libc
        new System.Span<ulong>(set, 16).Clear();
        set[0] = 1UL << (signal - 1);
        TimeSpec none = default;
        return WaitForSignal(set, null, &none);
    }

    [LibraryImport("libc", EntryPoint = "sigtimedwait")]
    private static partial int WaitForSignal(ulong* set, void* information, TimeSpec* timeout);

    /// <summary>struct rlimit.</summary>
    internal struct Limit
    {
        internal ulong Soft;
        internal ulong Hard;
    }

    /// <summary>struct sysinfo, 112 bytes, as far as it is used.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 112)]
    internal struct SystemInformation
    {
        /// <summary>In units of <see cref="Unit"/> bytes.</summary>
        [FieldOffset(32)] internal ulong TotalMemory;
        [FieldOffset(104)] internal uint Unit;
    }

    /// <summary>struct flock.</summary>
    internal struct FileLock
    {
        internal short Type;
        internal short Whence;
        internal long Start;
        internal long Length;
        internal int ProcessId;
    }

    /// <summary>struct statx_timestamp; on a little-endian machine also struct timespec, but for what lies behind the nanoseconds.</summary>
    internal struct TimeSpec
    {
        internal long Seconds;
        internal uint Nanoseconds;
        internal uint Padding;
    }

    /// <summary>struct iovec.</summary>
    internal struct IoVector
    {
        internal byte* Base;
        internal nuint Length;
    }

    /// <summary>struct fiemap, 32 bytes, and one struct fiemap_extent, 56 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct ExtentQuery
    {
        internal const ulong Request = 0xC020660B;
        internal const uint Unwritten = 0x800;

        internal ulong Start, Length;
        internal uint Flags, MappedExtents, ExtentCount, Reserved;
        internal ulong ExtentStart, ExtentPhysical, ExtentLength, Reserved1, Reserved2;
        internal uint ExtentFlags, Reserved3, Reserved4, Reserved5;
    }

    /// <summary>struct statx, 256 bytes, as far as it is used.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct StatusBuffer
    {
        internal const uint Basic = 0x7FF, DirectAlignment = 0x2000;
        internal const int EmptyPath = 0x1000, NoFollow = 0x100;
        internal const ushort TypeMask = 0xF000, Regular = 0x8000, Sticky = 0x200;

        [FieldOffset(0)] internal uint Mask;
        [FieldOffset(20)] internal uint UserId;
        [FieldOffset(24)] internal uint GroupId;
        [FieldOffset(28)] internal ushort Mode;
        [FieldOffset(32)] internal ulong Inode;
        [FieldOffset(40)] internal long Size;
        [FieldOffset(48)] internal long Sectors;
        [FieldOffset(64)] internal TimeSpec Accessed;
        [FieldOffset(112)] internal TimeSpec Modified;
        [FieldOffset(136)] internal uint DeviceMajor;
        [FieldOffset(140)] internal uint DeviceMinor;

        [FieldOffset(152)] internal uint DirectMemoryAlignment;
        [FieldOffset(156)] internal uint DirectOffsetAlignment;

        internal readonly long AllocatedBytes => Sectors * 512;

        internal readonly ulong Device => (ulong)(DeviceMajor & 0xFFFFF000) << 32 | (ulong)(DeviceMajor & 0xFFF) << 8 |
            (ulong)(DeviceMinor & 0xFFFFFF00) << 12 | (DeviceMinor & 0xFF);
    }
}
