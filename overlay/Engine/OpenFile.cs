using System;
using System.Collections.Generic;
using System.Threading;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>
/// One inode of a volume that this process has open: its sealed file, the program's descriptors of it, and the descriptor
/// that the engine reads and writes through.
/// </summary>
/// <remarks>
/// That descriptor is borrowed from the program where its mode allows (design D6), else one of our own. A borrowed number may be
/// closed by the program at any time, and be another file a moment later: so operations are counted, and the engine is
/// told of a close beforehand (<see cref="Detach"/>), which waits for them and puts another descriptor in its place. Our own
/// is closed only together with the program's last one, since closing any drops the POSIX locks of the inode (design §5).
/// </remarks>
internal sealed partial class OpenFile : IBackingFile
{
    /// <summary>With these a description writes elsewhere than we ask it to, or not at all.</summary>
    private const int Unfit = Kernel.O_APPEND | Kernel.O_DIRECT;

    private readonly Dictionary<int, int> _flagsByDescriptor = [];
    /// <summary>Own descriptors that were replaced: they are closed with the last one.</summary>
    private readonly List<int> _retired = [];
    private int _fd = -1;
    private bool _isOwn, _canWrite;
    private int _operations;
    private (uint Memory, uint Offset) _directAlignment;

    private readonly int _forkCount;
    private readonly Func<int, int> _reopenByAgent;

    /// <param name="forkCount">The process's when the file was first opened.</param>
    /// <param name="reopenByAgent">Where we may not: a read-write descriptor of the file behind one that may write, or -1.</param>
    internal OpenFile(ulong device, ulong inode, int forkCount, Func<int, int> reopenByAgent)
    {
        _forkCount = forkCount;
        Device = device;
        Inode = inode;
        _reopenByAgent = reopenByAgent;
    }

    internal ulong Device { get; }

    internal ulong Inode { get; }

    internal SealedFile File { get; private set; } = null!;

    internal Volume Volume { get; private set; } = null!;

    internal FileLog Log { get; private set; } = null!;

    /// <summary>Keeps "read the descriptor's offset, use it, move it" of processes together that share the description.</summary>
    internal IFileLock OffsetLock { get; private set; } = null!;

    /// <summary>Keeps "read the descriptor's offset, use it, move it" of reading threads together.</summary>
    internal Lock OffsetGate { get; } = new();

    internal bool IsUnused => _flagsByDescriptor.Count == 0;

    internal bool CanWrite => _canWrite;

    /// <summary>Made a sealed file by the attach that made this object: empty, so that its O_TRUNC has nothing to do.</summary>
    internal bool IsBorn { get; set; }

    /// <summary>It came from another process, or this one has forked since it was opened.</summary>
    internal bool MayShareOffset(int forkCount) => IsInherited || forkCount != _forkCount;

    internal bool IsInherited { get; set; }

    /// <summary>What the engine reads and writes through.</summary>
    internal int Descriptor => _fd;

    public long Length => KernelFile.Status(_fd).Size;

    public int Read(long offset, Span<byte> buffer)
    {
        try
        {
            return KernelFile.Read(_fd, offset, buffer);
        }
        catch (ErrnoException exception) when (exception.Errno == Errno.EINVAL && !_isOwn)
        {
            StayFit(); // it was O_DIRECT by now
            return KernelFile.Read(_fd, offset, buffer);
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        StayFit();
        if (!FileSizeLimit.IsExceeded(offset + data.Length))
        {
            KernelFile.Write(_fd, offset, data);
            return;
        }
        using (FileSizeLimit.Lift(offset + data.Length))
            KernelFile.Write(_fd, offset, data);
    }

    public void SetLength(long length)
    {
        try
        {
            SetLengthWithin(length);
        }
        catch (ErrnoException exception) when (exception.Errno == Errno.EACCES && TryExchange())
        {
            // Opened inside a sandbox (Landlock), a descriptor may write but not change the length.
            SetLengthWithin(length);
        }
    }

    private void SetLengthWithin(long length)
    {
        if (!FileSizeLimit.IsExceeded(length))
        {
            KernelFile.SetLength(_fd, length);
            return;
        }
        using (FileSizeLimit.Lift(length))
            KernelFile.SetLength(_fd, length);
    }

    public void PunchHole(long offset, long length) => KernelFile.PunchHole(_fd, offset, length);

    public void Sync(bool dataOnly) => KernelFile.Sync(_fd, dataOnly);

    /// <summary>What O_DIRECT asks of memory and of offsets on this file system; 1 where it does not say (before Linux 6.1), or asks nothing.</summary>
    internal unsafe (uint Memory, uint Offset) DirectAlignment
    {
        get
        {
            if (_directAlignment.Memory == 0)
            {
                Kernel.StatusBuffer status = default;
                byte empty = 0;
                bool isKnown = Kernel.Status(_fd, &empty, Kernel.StatusBuffer.EmptyPath, Kernel.StatusBuffer.DirectAlignment, &status) == 0 &&
                    (status.Mask & Kernel.StatusBuffer.DirectAlignment) != 0;
                _directAlignment = isKnown ? (Math.Max(status.DirectMemoryAlignment, 1), Math.Max(status.DirectOffsetAlignment, 1)) : (1, 1);
            }
            return _directAlignment;
        }
    }

    internal void Bind(SealedFile file, Volume volume, FileLog log)
    {
        File = file;
        Volume = volume;
        OffsetLock = volume.Coherence.OffsetLockOf(Inode);
        Log = log;
    }

    internal void BeginOperation() => Interlocked.Increment(ref _operations);

    internal void EndOperation() => Interlocked.Decrement(ref _operations);

    internal int FlagsOf(int fd)
    {
        lock (_flagsByDescriptor)
            return _flagsByDescriptor.GetValueOrDefault(fd, -1);
    }

    /// <summary>Adds a program's descriptor, and sees to it that the engine can do with the file what the program may.</summary>
    internal void Attach(int fd, int flags)
    {
        lock (_flagsByDescriptor)
        {
            bool mustWrite = (flags & Kernel.O_ACCMODE) != Kernel.O_RDONLY;
            if (_fd < 0 || (mustWrite && !_canWrite))
                UseOrReopen(fd, flags, mustWrite);
            _flagsByDescriptor[fd] = flags;
        }
    }

    /// <summary>
    /// The flags of one of the program's descriptors change, and with them those of all that share its description, perhaps the one that we use.
    /// </summary>
    internal void Refresh(int coming)
    {
        lock (_flagsByDescriptor)
        {
            foreach (int fd in new List<int>(_flagsByDescriptor.Keys))
                if (Kernel.Control(fd, Kernel.F_GETFL, 0) is int flags and >= 0)
                    _flagsByDescriptor[fd] = flags;
            if ((coming & Unfit) == 0 || _isOwn || _fd < 0)
                return;
            UseOwn();
        }
        WaitForOperations();
    }

    /// <summary>
    /// What we borrowed belongs to a description that others have, too: a child, who has duplicated it or received it. Any of them can make a
    /// write at an offset one at the end of the file, which would destroy it.
    /// </summary>
    private void StayFit()
    {
        if (_isOwn || !IsUnfit(_fd))
            return;
        lock (_flagsByDescriptor)
        {
            if (!_isOwn && IsUnfit(_fd))
                UseOwn();
        }
    }

    private static bool IsUnfit(int fd) => Kernel.Control(fd, Kernel.F_GETFL, 0) is int flags and >= 0 && (flags & Unfit) != 0;

    private void UseOwn() => Use(ReopenBeside(_fd, _canWrite), isOwn: true);

    /// <summary>Before the kernel closes fd. True: it was the last one.</summary>
    internal bool Detach(int fd)
    {
        lock (_flagsByDescriptor)
        {
            if (!_flagsByDescriptor.Remove(fd))
                return false;
            if (_flagsByDescriptor.Count == 0)
                return true;
            if (fd != _fd || _isOwn)
                return false;
            if (!TryReplace(fd))
                EngineLog.Write(Log.Path, "the file cannot be opened a second time; its other descriptors will fail");
        }
        // Outside of the lock: what is under way may need it to go on.
        WaitForOperations();
        return false;
    }

    /// <summary>
    /// Opens the file again behind fd, or behind another of its descriptors: a number that was closed unseen may be another file's.
    /// </summary>
    private int ReopenBehind(int fd)
    {
        int mode = _canWrite ? Kernel.O_RDWR : Kernel.O_RDONLY;
        int opened = IsThisFile(fd) ? KernelFile.Reopen(fd, mode) : -1;
        foreach (int other in _flagsByDescriptor.Keys)
            if (opened < 0 && IsThisFile(other))
                opened = KernelFile.Reopen(other, mode);
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
            if (_isOwn || fd != _fd || TryReplace(fd))
                return true;
        }
        EngineLog.Write(Log.Path, "the file cannot be opened a second time; what is changed by mapping it is left to the agent to seal");
        return false;
    }

    private bool TryReplace(int fd)
    {
        int replacement = ReopenBehind(fd);
        if (replacement < 0 && _canWrite)
            replacement = _reopenByAgent(fd);
        int own = replacement < 0 ? -1 : Descriptors.MoveAway(replacement);
        Volatile.Write(ref _fd, own);
        _isOwn = own >= 0;
        return _isOwn;
    }

    /// <summary>Gives the file a descriptor to read or write through before it is attached.</summary>
    internal void UseOrReopen(int fd, int flags, bool mustWrite)
    {
        int mode = flags & Kernel.O_ACCMODE;
        const int Slow = Kernel.O_SYNC | Kernel.O_DSYNC;
        bool isFit = mustWrite ? mode == Kernel.O_RDWR && (flags & (Unfit | Slow)) == 0 : mode != Kernel.O_WRONLY && (flags & Kernel.O_DIRECT) == 0;
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

    public bool TryAllowWriting()
    {
        lock (_flagsByDescriptor)
        {
            try
            {
                if (!_canWrite)
                    UseOrReopen(_fd, Kernel.O_RDONLY, mustWrite: true);
                return true;
            }
            catch (ErrnoException)
            {
                return false;
            }
        }
    }

    /// <summary>Lets go: nothing is attached any more.</summary>
    internal void Close()
    {
        WaitForOperations();
        File?.Dispose();
        if (_isOwn)
            Descriptors.CloseOwn(_fd);
        _retired.ForEach(Descriptors.CloseOwn);
        _retired.Clear();
        Replace(null, 0);
        _fd = -1;
        _isOwn = _canWrite = false;
    }

    internal void CloseWithLast(int fd)
    {
        lock (_flagsByDescriptor)
            _retired.Add(fd);
    }

    internal void AddOwn(List<int> descriptors)
    {
        lock (_flagsByDescriptor)
        {
            descriptors.AddRange(_retired);
            if (_isOwn)
                descriptors.Add(_fd);
        }
    }

    /// <summary>Puts the file in order, and tells the agent how far it has come.</summary>
    internal void Settle()
    {
        File.Settle();
        if (File.TryTakeNews(out ulong sequence))
            Volume.NoteState(File.FileId, sequence);
    }

    /// <summary>The program may have set the times just before a close or a sync (cp -p, tar, xz).</summary>
    public void Quietly(Action change)
    {
        _ = FileSizeLimit.Read();
        Kernel.StatusBuffer before = KernelFile.Status(_fd);
        change();
        RestoreTimes(before);
    }

    /// <summary>What was asked for needs no change of the file, but counts as one.</summary>
    internal unsafe void Touch()
    {
        Kernel.TimeSpec* times = stackalloc Kernel.TimeSpec[2];
        times[0] = new Kernel.TimeSpec { Nanoseconds = Kernel.UTIME_OMIT };
        times[1] = new Kernel.TimeSpec { Nanoseconds = Kernel.UTIME_NOW };
        if (Kernel.SetTimes(_fd, times) != 0 && Kernel.LastError is not (Errno.EPERM or Errno.EACCES))
            throw KernelFile.Failure("the file's times cannot be set");
    }

    internal unsafe void RestoreTimes(in Kernel.StatusBuffer before)
    {
        Kernel.StatusBuffer after = KernelFile.Status(_fd);
        if (after.Modified.Seconds == before.Modified.Seconds && after.Modified.Nanoseconds == before.Modified.Nanoseconds)
            return;
        Kernel.TimeSpec* times = stackalloc Kernel.TimeSpec[2];
        times[0] = new Kernel.TimeSpec { Seconds = before.Accessed.Seconds, Nanoseconds = before.Accessed.Nanoseconds };
        times[1] = new Kernel.TimeSpec { Seconds = before.Modified.Seconds, Nanoseconds = before.Modified.Nanoseconds };
        // Only the owner may set times; another writer's file then says when it was closed.
        if (Kernel.SetTimes(_fd, times) != 0 && Kernel.LastError is not (Errno.EPERM or Errno.EACCES))
            throw KernelFile.Failure("the file's times cannot be kept");
    }

    /// <summary>Would the kernel let the program's own descriptor change the length? Ours may be allowed more, in a sandbox.</summary>
    internal void CheckMayTruncate(int fd) => KernelFile.Check(Kernel.SetLength(fd, Length), "the file's length may not be changed");

    internal void SetMode(uint mode) => KernelFile.Check(Kernel.ChangeMode(_fd, mode), "marking the file as sealed failed");

    private void Use(int fd, bool isOwn)
    {
        if (_isOwn)
            _retired.Add(_fd); // closing it now would drop the program's POSIX locks
        Volatile.Write(ref _fd, fd);
        _isOwn = isOwn;
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

    private int ReopenOrExplain(int fd, bool mustWrite)
    {
        int flags = mustWrite ? Kernel.O_RDWR : Kernel.O_RDONLY;
        int own = KernelFile.Reopen(fd, flags);
        if (own >= 0)
            return own;
        ErrnoException failure = KernelFile.Failure("the file cannot be opened for the engine");
        if (failure.Errno == Errno.EACCES)
        {
            // Created with a mode that denies its own creator (0200, 0400): allowed for a moment.
            uint mode = KernelFile.Status(fd).Mode & 0xFFFu;
            if (Kernel.ChangeMode(fd, mode | 0x180) == 0)
            {
                own = KernelFile.Reopen(fd, flags);
                _ = Kernel.ChangeMode(fd, mode);
                if (own >= 0)
                    return own;
            }
        }
        own = mustWrite ? _reopenByAgent(fd) : -1;
        return own >= 0 ? own : throw failure;
    }

    internal void WaitForOperations()
    {
        SpinWait spin = default;
        while (Volatile.Read(ref _operations) != 0)
            spin.SpinOnce();
    }
}
