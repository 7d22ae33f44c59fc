using System;
using System.Collections.Generic;
using System.Threading;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>Which descriptor the engine works through: a borrowed one while it is fit, else one of our own.</summary>
internal sealed partial class OpenFile
{
    /// <summary>
    /// What we borrowed belongs to a description that others have, too: a child, who has duplicated it or received it. Any of them can make a
    /// write at an offset one at the end of the file, which would destroy it.
    /// </summary>
    private void StayFit()
    {
        if (_isOwn || !IsShared || !IsUnfit(_fd))
            return;
        lock (_flagsByDescriptor)
        {
            if (!_isOwn && IsUnfit(_fd))
                UseOwn();
        }
    }

    private static bool IsUnfit(int fd) => Kernel.Control(fd, Kernel.F_GETFL, 0) is int flags and >= 0 && (flags & Unfit) != 0;

    private void UseOwn() => Use(ReopenBeside(_fd, _canWrite), isOwn: true);

    /// <summary>
    /// Opens the file again behind fd, or behind another of its descriptors: a number that was closed unseen may be another file's.
    /// </summary>
    private int ReopenBehind(int fd)
    {
        int mode = _canWrite ? Kernel.O_RDWR : Kernel.O_RDONLY;
        int opened = IsThisFile(fd) ? ReopenAllowed(fd, mode) : -1;
        foreach (int other in _flagsByDescriptor.Keys)
            if (opened < 0 && IsThisFile(other))
                opened = ReopenAllowed(other, mode);
        return opened;
    }

    private unsafe bool IsThisFile(int fd)
    {
        Kernel.StatusBuffer status;
        byte empty = 0;
        return Kernel.Status(fd, &empty, Kernel.StatusBuffer.EmptyPath, Kernel.StatusBuffer.Basic, &status) == 0 &&
            status.Device == Device && status.Inode == Inode;
    }

    /// <summary>Before the kernel closes the last descriptor of a file that stays mapped: one of our own takes its place.</summary>
    internal bool TryKeep(int fd)
    {
        lock (_flagsByDescriptor)
        {
            if (_isOwn || fd != _fd || TryReplace(fd) || (IsMappedLazily && TryDuplicate(fd)))
                return true;
        }
        EngineLog.Write(Log.Path, IsMappedLazily
            ? "the file cannot be opened a second time; what of its mapping was not touched yet cannot be read any more"
            : "the file cannot be opened a second time; what is changed by mapping it is left to the agent to seal");
        return false;
    }

    /// <summary>We may not open it any more. A copy keeps the program's description open: as its mapping does in the kernel.</summary>
    private bool TryDuplicate(int fd)
    {
        int copy = IsThisFile(fd) ? Kernel.Control(fd, Kernel.F_DUPFD_CLOEXEC, 0) : -1;
        Volatile.Write(ref _fd, Descriptors.MoveAway(copy));
        _isOwn = copy >= 0;
        return _isOwn;
    }

    /// <summary>The program has it open once more: nothing has to be opened, which we may not be allowed to any more.</summary>
    private bool TryBorrowOther()
    {
        foreach (int other in _flagsByDescriptor.Keys)
        {
            int flags = IsThisFile(other) ? Kernel.Control(other, Kernel.F_GETFL, 0) : -1;
            if (flags < 0 || !IsFit(flags, _canWrite))
                continue;
            Volatile.Write(ref _fd, other);
            Volatile.Write(ref _canRead, true);
            return true;
        }
        return false;
    }

    private static bool IsFit(int flags, bool mustWrite) => mustWrite
        ? (flags & Kernel.O_ACCMODE) == Kernel.O_RDWR && (flags & (Unfit | Slow)) == 0
        : AccessMode.MayRead(flags) && (flags & Kernel.O_DIRECT) == 0;

    private bool TryReplace(int fd)
    {
        int replacement = ReopenBehind(fd);
        if (replacement < 0)
            replacement = ReopenByAgent(fd, _canWrite);
        int own = replacement < 0 ? -1 : Descriptors.MoveAway(replacement);
        Volatile.Write(ref _fd, own);
        _isOwn = own >= 0;
        Volatile.Write(ref _canRead, true);
        return _isOwn;
    }

    /// <summary>Gives the file a descriptor to read or write through before it is attached.</summary>
    internal void UseOrReopen(int fd, int flags, bool mustWrite)
    {
        int mode = flags & Kernel.O_ACCMODE;
        bool isFit = IsFit(flags, mustWrite);
        Use(isFit ? fd : ReopenBeside(fd, mustWrite), isOwn: !isFit);
        _canWrite = mustWrite || (isFit && mode == Kernel.O_RDWR && (flags & (Unfit | Slow)) == 0);
    }

    /// <summary>Behind a descriptor for reading, with no more rights than the program has now.</summary>
    internal void OpenToTruncate(int fd)
    {
        lock (_flagsByDescriptor)
        {
            Use(OpenOwn(() => Reopen(fd)), isOwn: true);
            _canWrite = true;
        }
    }

    /// <summary>What a newborn file is written through: it is read when a part of a block is written, if ever, and needs no other one until then.</summary>
    internal void UseToBear(int fd, int flags)
    {
        bool isForWriting = (flags & (Kernel.O_ACCMODE | Unfit | Slow)) == Kernel.O_WRONLY;
        if (!isForWriting)
        {
            UseOrReopen(fd, flags, mustWrite: true);
            return;
        }
        Use(fd, isOwn: false);
        _canWrite = true;
        Volatile.Write(ref _canRead, false);
    }

    /// <summary>Before reading, and before the process may give up the right to open the file anew.</summary>
    internal void BecomeReadable()
    {
        if (Volatile.Read(ref _canRead))
            return;
        lock (_flagsByDescriptor)
        {
            if (!_canRead && _fd >= 0)
                UseOwn();
        }
    }

    private void Use(int fd, bool isOwn)
    {
        if (_isOwn)
            _retired.Add(_fd); // closing it now would drop the program's POSIX locks
        Volatile.Write(ref _fd, fd);
        _isOwn = isOwn;
        Volatile.Write(ref _canRead, true);
        if (isOwn)
            RecentFile.KeepOpen(this);
    }

    private bool TryExchange()
    {
        lock (_flagsByDescriptor)
        {
            int opened = OpenOwn(() => _reopenByAgent(_fd));
            if (opened >= 0)
                Use(opened, isOwn: true);
            return opened >= 0;
        }
    }

    /// <summary>Without descriptors of the program's that are known here there are no locks either.</summary>
    private int OpenOwn(Func<int> open) => _flagsByDescriptor.Count > 0 ? Descriptors.OpenBeside(open) : Descriptors.MoveAway(open());

    private int ReopenBeside(int fd, bool mustWrite) => OpenOwn(() => ReopenOrExplain(fd, mustWrite));

    private static int Reopen(int fd)
    {
        int own = KernelFile.Reopen(fd, Kernel.O_RDWR);
        return own >= 0 ? own : throw KernelFile.Failure("the file may not be cut");
    }

    /// <summary>It opens as fd is open: one for reading is not even asked for where we must write, since closing it again would drop POSIX locks.</summary>
    private int ReopenByAgent(int fd, bool mustWrite) =>
        mustWrite && (Kernel.Control(fd, Kernel.F_GETFL, 0) & Kernel.O_ACCMODE) == Kernel.O_RDONLY ? -1 : _reopenByAgent(fd);

    private int ReopenOrExplain(int fd, bool mustWrite)
    {
        int own = ReopenAllowed(fd, mustWrite ? Kernel.O_RDWR : Kernel.O_RDONLY);
        if (own >= 0)
            return own;
        ErrnoException failure = KernelFile.Failure("the file cannot be opened for the engine");
        own = ReopenByAgent(fd, mustWrite);
        return own >= 0 ? own : throw failure;
    }

    /// <summary>What denies its own owner (created with 0200 or 0400, or made so since) is allowed for a moment. Negative: errno says why not.</summary>
    private static int ReopenAllowed(int fd, int flags)
    {
        int own = KernelFile.Reopen(fd, flags);
        if (own >= 0 || Kernel.LastError != Errno.EACCES)
            return own;
        uint mode = KernelFile.Status(fd).Mode & 0xFFFu;
        if (Kernel.ChangeMode(fd, mode | 0x180) == 0)
        {
            own = KernelFile.Reopen(fd, flags);
            _ = Kernel.ChangeMode(fd, mode);
        }
        if (own < 0)
            Kernel.LastError = Errno.EACCES;
        return own;
    }
}
