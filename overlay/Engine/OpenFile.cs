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

    /// <summary>With these each of our writes would wait for the disk.</summary>
    private const int Slow = Kernel.O_SYNC | Kernel.O_DSYNC;

    private readonly Dictionary<int, int> _flagsByDescriptor = [];
    /// <summary>Own descriptors that were replaced: they are closed with the last one.</summary>
    private readonly List<int> _retired = [];
    private int _fd = -1;
    private bool _isOwn, _canWrite;
    private bool _canRead = true;
    private int _operations;

    /// <summary>How far the file has come, if the agent has not been told yet; else 0.</summary>
    private ulong _news;
    private uint _newSeals;
    private int _offsetDescriptor = -1;
    private long _offset;

    private uint _shreddings;
    private bool _mayNotOpen, _mayNotGoOn;
    private (uint Memory, uint Offset) _directAlignment;

    /// <summary>Where the file ended when it was opened: who reads exactly as far need not ask whether there is more.</summary>
    private readonly long _endAtOpen;
    private readonly int _forkCount;
    private readonly Func<int> _countForks;
    private readonly Func<int, int> _reopenByAgent;

    /// <param name="opened">As it was found.</param>
    /// <param name="countForks">See <see cref="EngineSettings"/>.</param>
    /// <param name="reopenByAgent">Where we may not: a descriptor of the file behind one that may write, or read, as it may, or -1.</param>
    internal OpenFile(in OpenedFile opened, Func<int> countForks, Func<int, int> reopenByAgent)
    {
        _endAtOpen = opened.Size;
        _countForks = countForks;
        _forkCount = countForks();
        Device = opened.Device;
        Inode = opened.Inode;
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

    /// <summary>Where the descriptor's offset is, if nothing but reads has moved it; under <see cref="OffsetGate"/>.</summary>
    internal long LikelyOffset(int fd) => fd == _offsetDescriptor ? _offset : 0;

    internal void NoteOffset(int fd, long offset)
    {
        (_offsetDescriptor, _offset) = (fd, offset);
        File.CachedFile?.NoteOffset(offset);
    }

    internal bool IsUnused => _flagsByDescriptor.Count == 0;

    internal bool CanWrite => _canWrite;

    /// <summary>Made a sealed file by the attach that made this object: empty, so that its O_TRUNC has nothing to do.</summary>
    internal bool IsBorn { get; set; }

    /// <summary>
    /// Another process may have one of its descriptions, too, and change that one's offset and flags at any time: it came from there, or this
    /// process has forked, or sent descriptors, since it was opened.
    /// </summary>
    internal bool IsShared => IsInherited || _countForks() != _forkCount;

    internal bool IsInherited { get; private set; }

    /// <summary>One of its descriptors was not opened by this process.</summary>
    internal void NoteInherited()
    {
        IsInherited = true;
        ShowOffsets();
    }

    /// <summary>To the filter, which moves offsets by itself as <see cref="IsShared"/> allows it.</summary>
    private void ShowOffsets() => File.CachedFile?.ShowOffsets(IsInherited, _forkCount);

    /// <summary>What the engine reads and writes through; see <see cref="BecomeReadable"/>.</summary>
    internal int Descriptor => _fd;

    internal int ReadableDescriptor
    {
        get
        {
            BecomeReadable();
            return _fd;
        }
    }

    internal void Bind(SealedFile file, Volume volume, FileLog log)
    {
        File = file;
        Volume = volume;
        _shreddings = volume.Shreddings;
        OffsetLock = volume.Coherence.OffsetLockOf(Inode);
        Log = log;
        file.CachedFile = volume.Coherence.CachedFileOf(Inode, file.BlockSize);
        ShowOffsets();
    }

    /// <summary>O_DIRECT asks for alignment, which only the engine looks at.</summary>
    private void NoteFlags(int fd, int flags)
    {
        _flagsByDescriptor[fd] = flags;
        bool isPlainRead = AccessMode.MayRead(flags) && (flags & Kernel.O_DIRECT) == 0;
        CachedReads.Set(fd, isPlainRead ? File.CachedFile : null);
    }

    internal void BeginOperation() => Interlocked.Increment(ref _operations);

    /// <summary>
    /// The file's key may have been destroyed meanwhile ('overlay-ctl shred'): then it cannot be opened again, and, if that was asked for, what has
    /// it open fails, too. Of several destructions since the last call the sternest counts: the word does not say which file was whose.
    /// </summary>
    internal void CheckKey(bool isOpening)
    {
        uint now = Volume.Coherence.Shreddings;
        if (now != _shreddings)
        {
            bool othersFail = now >> 16 != _shreddings >> 16;
            _shreddings = now;
            bool isGone = Volume.IsKeyGone(File.FileId.ToArray());
            _mayNotOpen |= isGone;
            _mayNotGoOn |= isGone && othersFail;
        }
        if (_mayNotGoOn || (isOpening && _mayNotOpen))
            throw new ErrnoException(isOpening ? Errno.ENOKEY : Errno.EIO, "the file's key was destroyed (overlay-ctl shred)");
    }

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
            NoteFlags(fd, flags);
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
                    NoteFlags(fd, flags);
            if ((coming & Unfit) == 0 || _isOwn || _fd < 0)
                return;
            UseOwn();
        }
        WaitForOperations();
    }

    /// <summary>Before the kernel closes fd. True: it was the last one.</summary>
    internal bool Detach(int fd)
    {
        lock (_flagsByDescriptor)
        {
            CachedReads.Set(fd, null);
            if (!_flagsByDescriptor.Remove(fd))
                return false;
            if (_flagsByDescriptor.Count == 0)
                return true;
            if (fd != _fd || _isOwn)
                return false;
            // Where we may not open it any more, a copy: its description stays open, and so do what locks it has.
            if (!TryBorrowOther() && !TryReplace(fd) && !TryDuplicate(fd))
                EngineLog.Write(Log.Path, "the file cannot be opened a second time; its other descriptors will fail");
        }
        // Outside of the lock: what is under way may need it to go on.
        WaitForOperations();
        return false;
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
        RecentFile.KeepOpen(this);
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

    /// <summary>What is left to be written then keeps the filter from closing it by itself.</summary>
    internal void SyncSealed(bool dataOnly)
    {
        try
        {
            File.Sync(dataOnly);
        }
        finally
        {
            RecentFile.KeepOpen(this);
        }
    }

    /// <summary>Puts the file in order, and tells the agent how far it has come.</summary>
    internal void Settle()
    {
        File.Settle();
        TakeNews();
        TellNews();
    }

    /// <summary>
    /// Its only descriptor can go without the engine: nothing of ours hangs on it, and nothing is left to be written or read. (Closing a descriptor
    /// of ours later would drop POSIX locks that are taken meanwhile.)
    /// </summary>
    internal bool MayBeClosedUnseen()
    {
        lock (_flagsByDescriptor)
            if (_flagsByDescriptor.Count != 1 || _isOwn || _retired.Count > 0 || IsMapped || IsMappedLazily || File.NeedsSettling)
                return false;
        if (_canWrite)
            TakeNews();
        return true;
    }

    private void TakeNews()
    {
        if (!File.TryTakeNews(out ulong sequence, out uint seals))
            return;
        _news = sequence;
        _newSeals += seals;
    }

    /// <summary>
    /// A file that is open for months: how often its key has sealed must be known before it is too often. Outside of the file's lock.
    /// </summary>
    internal void TellIfMuchIsNew()
    {
        const long Much = 1 << 20;
        if (File.NewSeals < Much)
            return;
        try
        {
            if (File.TryTakeNews(out ulong sequence, out uint seals))
                Volume.NoteState(File.FileId, sequence, seals);
        }
        catch (ErrnoException)
        {
            // What was written is written: whoever reads the file next is told what is wrong with it.
        }
    }

    internal void TellNews()
    {
        if (_news != 0)
            Volume.NoteState(File.FileId, _news, _newSeals);
        _news = 0;
        _newSeals = 0;
    }

    internal void WaitForOperations()
    {
        SpinWait spin = default;
        while (Volatile.Read(ref _operations) != 0)
            spin.SpinOnce();
    }
}
