using System;
using System.Threading;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using Overlay.Metadata.Protocol;

namespace Overlay.Engine;

/// <summary>
/// Bytes of <c>.overlay/locks</c> as open-file-description locks, which the kernel frees when the process dies: the number by which a process
/// is known in shared memory (<see cref="ProcessMark"/>), and, where memory cannot be locked, the write locks of inodes (design D13).
/// </summary>
/// <param name="open">A description of its own of the lock file, or -1 on a read-only volume.</param>
internal sealed unsafe class LockFile(Func<int> open)
{
    private const short ReadLock = 0, WriteLock = 1, Unlock = 2;

    /// <summary>Where the locks of offsets begin; those of inodes lie below, those of mapped inodes above.</summary>
    private const long OffsetBase = 1L << 61;

    /// <summary>Where the numbers of processes begin; beyond what mapped inodes use.</summary>
    private const long ProcessBase = long.MaxValue - 2 * CoherenceLayout.Processes;

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
    /// In a forked child: the description is the parent's, and so would be its locks; the filter has closed it, since the parent's would
    /// outlive the parent with it. A new one is opened on first use.
    /// </summary>
    internal void AfterFork() => _fd = -1;

    internal void Close()
    {
        if (_fd >= 0)
            Descriptors.CloseOwn(_fd);
        _fd = -1;
    }

    internal IFileLock ForOffset(ulong inode) => new InodeLock(this, OffsetBase + (long)(inode & (OffsetBase - 1)));

    /// <summary>Locks the byte of a process number until this process dies. False: another one has it.</summary>
    internal bool TryLockProcess(uint number)
    {
        Kernel.FileLock request = new() { Type = WriteLock, Start = ProcessBase + number, Length = 1 };
        return Kernel.Control(Open(), Kernel.F_OFD_SETLK, (nint)(&request)) == 0 ||
            (Kernel.LastError is Errno.EAGAIN or Errno.EACCES ? false : throw KernelFile.Failure("the volume's lock file failed"));
    }

    internal bool IsProcessLocked(uint number)
    {
        Kernel.FileLock request = new() { Type = WriteLock, Start = ProcessBase + number, Length = 1 };
        KernelFile.Check(Kernel.Control(Open(), Kernel.F_OFD_GETLK, (nint)(&request)), "the volume's lock file failed");
        return request.Type != Unlock;
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
        fd = Descriptors.MoveAway(fd, isPrivate: true);
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
