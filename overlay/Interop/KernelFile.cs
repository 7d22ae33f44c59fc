using System;
using System.Runtime.CompilerServices;
using System.Text;
using Overlay.Crypto;
using Overlay.Files;

namespace Overlay.Interop;

/// <summary>Calls on one descriptor, with short transfers and EINTR seen to; failures are <see cref="ErrnoException"/>.</summary>
internal static unsafe class KernelFile
{
    /// <summary>
    /// A descriptor of /proc, kept from the start: relative to it, <c>self/fd/N</c> is reached even after a chroot. Set once.
    /// </summary>
    internal static int Proc { get; set; } = Kernel.CurrentDirectory;

    private const int LongestProcPath = 32;

    internal static ErrnoException Failure(string what) => new(Kernel.LastError, what);

    internal static int Open(int directory, string path, int flags, uint mode = 0)
    {
        Span<byte> name = stackalloc byte[Encoding.UTF8.GetMaxByteCount(path.Length) + 1];
        int length = Encoding.UTF8.GetBytes(path, name);
        name[length] = 0;
        fixed (byte* start = name)
            return Kernel.OpenAt(directory, start, flags | Kernel.O_CLOEXEC, mode);
    }

    /// <summary>Opens the inode behind <paramref name="fd"/> anew: a description of its own. -1 on failure.</summary>
    internal static int Reopen(int fd, int flags)
    {
        Span<byte> name = stackalloc byte[LongestProcPath];
        bool isOfThread = false;
        int opened;
        do
        {
            ProcPath(fd, isOfThread, name);
            fixed (byte* start = name)
                opened = Kernel.OpenAt(Proc, start, flags | Kernel.O_CLOEXEC | Kernel.O_NONBLOCK, 0);
        }
        while (opened < 0 && MayBeOfThread(ref isOfThread));
        return opened;
    }

    /// <summary>The right to write the file, which a descriptor for reading does not tell. False: <see cref="Kernel.LastError"/> says why.</summary>
    internal static bool MayWrite(int fd)
    {
        Span<byte> name = stackalloc byte[LongestProcPath];
        bool isOfThread = false;
        int result;
        do
        {
            ProcPath(fd, isOfThread, name);
            fixed (byte* start = name)
                result = Kernel.Access(Proc, start, Kernel.W_OK, Kernel.AT_EACCESS);
        }
        while (result != 0 && MayBeOfThread(ref isOfThread));
        return result == 0;
    }

    /// <summary>The real path behind a descriptor, or "" where /proc does not tell.</summary>
    [SkipLocalsInit]
    internal static string PathOf(int fd)
    {
        const int LongestPath = 4096;
        Span<byte> name = stackalloc byte[LongestProcPath];
        byte* target = stackalloc byte[LongestPath];
        bool isOfThread = false;
        nint length;
        do
        {
            ProcPath(fd, isOfThread, name);
            fixed (byte* start = name)
                length = Kernel.ReadLinkAt(Proc, start, target, LongestPath);
        }
        while (length < 0 && MayBeOfThread(ref isOfThread));
        return length <= 0 ? "" : Encoding.UTF8.GetString(target, (int)length);
    }

    internal static Kernel.StatusBuffer Status(int fd)
    {
        Kernel.StatusBuffer status;
        byte empty = 0;
        if (Kernel.Status(fd, &empty, Kernel.StatusBuffer.EmptyPath, Kernel.StatusBuffer.Basic, &status) != 0)
            throw Failure("stat failed");
        return status;
    }

    /// <summary>A change of what is allocated needs no new room; file systems of which we do not know it are said to need it.</summary>
    internal static bool WritesInPlace(int fd)
    {
        const int Words = 15;
        const long Extended = 0xEF53, Memory = 0x01021994; // ext2 to ext4; tmpfs
        long* status = stackalloc long[Words];
        return Kernel.FileSystemStatus(fd, status) == 0 && status[0] is Extended or Memory;
    }

    /// <param name="likelyEnd">A read that falls short there has met the end of the file.</param>
    internal static int Read(int fd, long offset, Span<byte> buffer, long likelyEnd = -1)
    {
        int done = 0;
        fixed (byte* start = buffer)
        {
            while (done < buffer.Length)
            {
                nint count = Kernel.PRead(fd, start + done, (nuint)(buffer.Length - done), offset + done);
                if (count < 0 && Kernel.LastError == Errno.EINTR)
                    continue;
                if (count < 0)
                    throw Failure("reading the backing file failed");
                done += (int)count;
                if (count == 0 || offset + done == likelyEnd)
                    break;
            }
        }
        return done;
    }

    /// <summary>The kernel takes at most some hundred KiB a call.</summary>
    internal static void WillRead(int fd, long offset, long length)
    {
        const int WillNeed = 3, Most = 128 << 10;
        for (long done = 0; done < length; done += Most)
            _ = Kernel.AdviseFile(fd, offset + done, Math.Min(Most, length - done), WillNeed);
    }

    /// <summary>Is the range on the disk, or about to be? True where the file system does not say.</summary>
    internal static unsafe bool HasRoom(int fd, long offset, long length)
    {
        Kernel.ExtentQuery query = new() { Start = (ulong)offset, Length = (ulong)length, ExtentCount = 1 };
        if (Kernel.MapExtents(fd, Kernel.ExtentQuery.Request, &query) != 0)
            return true;
        return query.MappedExtents > 0 && query.ExtentStart <= query.Start && query.ExtentStart + query.ExtentLength >= query.Start + query.Length &&
            (query.ExtentFlags & Kernel.ExtentQuery.Unwritten) == 0;
    }

    internal static void Write(int fd, long offset, ReadOnlySpan<byte> data)
    {
        int done = 0;
        fixed (byte* start = data)
        {
            while (done < data.Length)
            {
                nint count = Kernel.PWrite(fd, start + done, (nuint)(data.Length - done), offset + done);
                if (count > 0)
                    done += (int)count;
                else if (count == 0 || Kernel.LastError != Errno.EINTR)
                    throw Failure("writing the backing file failed");
            }
        }
    }

    internal static void SetLength(int fd, long length)
    {
        while (Kernel.SetLength(fd, length) != 0)
            ThrowUnlessInterrupted("changing the backing file's length failed");
    }

    /// <summary>A file system without holes keeps the space: a cost, not a fault.</summary>
    internal static void PunchHole(int fd, long offset, long length)
    {
        const int PunchKeepingSize = Kernel.FALLOC_FL_PUNCH_HOLE | Kernel.FALLOC_FL_KEEP_SIZE;
        while (Kernel.Allocate(fd, PunchKeepingSize, offset, length) != 0 && Kernel.LastError != Errno.EOPNOTSUPP)
            ThrowUnlessInterrupted("punching a hole failed");
    }

    internal static void Sync(int fd, bool dataOnly)
    {
        while ((dataOnly ? Kernel.SyncData(fd) : Kernel.Sync(fd)) != 0)
            ThrowUnlessInterrupted("syncing the backing file failed");
    }

    private static void ThrowUnlessInterrupted(string what)
    {
        if (Kernel.LastError != Errno.EINTR)
            throw Failure(what);
    }

    internal static void Check(int result, string what)
    {
        if (result != 0)
            throw Failure(what);
    }

    /// <summary>/proc/self is the first thread's, and has no descriptors any more once that has ended before others. Tried when it fails: it is the longer way.</summary>
    private static bool MayBeOfThread(ref bool isOfThread) => !isOfThread && Kernel.LastError == Errno.ENOENT && (isOfThread = true);

    private static void ProcPath(int fd, bool isOfThread, Span<byte> name)
    {
        ReadOnlySpan<byte> path = isOfThread ? "/proc/thread-self/fd/"u8 : "/proc/self/fd/"u8;
        ReadOnlySpan<byte> prefix = Proc == Kernel.CurrentDirectory ? path : path["/proc/".Length..];
        prefix.CopyTo(name);
        fd.TryFormat(name[prefix.Length..], out int digits);
        name[prefix.Length + digits] = 0;
    }
}
