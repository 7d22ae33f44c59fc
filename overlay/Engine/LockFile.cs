using System;
using System.Threading;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using Overlay.Metadata.Protocol;

namespace Overlay.Engine;

/// <summary>
/// The write locks of a volume's inodes: byte <c>inode number</c> of <c>.overlay/locks</c> as an open-file-description lock, which
/// the kernel frees when the process dies (design D13).
/// </summary>
/// <param name="open">A description of its own of the lock file, or -1 on a read-only volume.</param>
internal sealed unsafe class LockFile(Func<int> open)
{
    private const short ReadLock = 0, WriteLock = 1, Unlock = 2;

    /// <summary>Where the locks of offsets begin; those of inodes lie below, those of mapped inodes above.</summary>
    private const long OffsetBase = 1L << 61;

    private int _fd = -1;

    /// <summary>Locks, shared with other processes, the byte that says that an inode is mapped (<see cref="LiveTable.HoldBase"/>).</summary>
    /// <param name="fd">A description of its own.</param>
    internal static bool TryHold(int fd, ulong inode)
    {
        Kernel.FileLock request = new() { Type = ReadLock, Start = LiveTable.HoldBase + (long)inode, Length = 1 };
        return Kernel.Control(fd, Kernel.F_OFD_SETLK, (nint)(&request)) == 0;
    }

    internal IFileLock For(ulong inode) => new InodeLock(this, (long)inode);

    /// <summary>
    /// In a forked child: the description is the parent's, and so would be its locks. A new one is opened on first use.
    /// </summary>
    internal void Forget()
    {
        if (_fd >= 0)
            Descriptors.CloseOwn(_fd);
        _fd = -1;
    }

    /// <summary>
    /// Between processes that share a description, whoever holds this reads its offset, uses it and moves it in one step. Taken before the
    /// inode's write lock. On a read-only volume, where nothing can be locked, it is held by nobody.
    /// </summary>
    internal OffsetLock HoldOffset(ulong inode)
    {
        long start = OffsetBase + (long)(inode & (OffsetBase - 1));
        try
        {
            Set(start, WriteLock);
        }
        catch (ErrnoException exception) when (exception.Errno == Errno.EROFS)
        {
            return default;
        }
        return new OffsetLock(this, start);
    }

    internal readonly ref struct OffsetLock(LockFile file, long start)
    {
        public void Dispose() => file?.Set(start, Unlock);
    }

    private void Set(long start, short type)
    {
        Kernel.FileLock request = new() { Type = type, Start = start & long.MaxValue, Length = 1 };
        while (Kernel.Control(Open(), Kernel.F_OFD_SETLKW, (nint)(&request)) != 0)
        {
            if (Kernel.LastError != Errno.EINTR)
                throw KernelFile.Failure("the volume's lock file failed");
        }
    }

    /// <summary>Opens it now, before the program may cut itself off.</summary>
    internal int Open()
    {
        if (_fd >= 0)
            return _fd;
        int fd = open();
        if (fd < 0)
            throw new ErrnoException(Errno.EROFS, "the volume is read-only");
        fd = Descriptors.MoveAway(fd);
        // Two threads may come here at once: one of the two descriptions is used, by both.
        if (Interlocked.CompareExchange(ref _fd, fd, -1) != -1)
            Descriptors.CloseOwn(fd);
        return _fd;
    }

    private sealed class InodeLock(LockFile file, long inode) : IFileLock
    {
        public void Enter() => file.Set(inode, WriteLock);

        public void Exit() => file.Set(inode, Unlock);
    }
}
