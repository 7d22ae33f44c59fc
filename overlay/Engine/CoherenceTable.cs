using System.Numerics;
using System.Threading;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using Overlay.Metadata.Protocol;

namespace Overlay.Engine;

/// <summary>
/// What all processes of a host share of a volume (format §8): counters and locks of inodes, which of them have page files, and index writes that
/// are under way.
/// </summary>
internal sealed unsafe class CoherenceTable
{
    private readonly byte* _memory;

    private readonly LockFile _locks;

    /// <summary>
    /// Null where a store may need room on the disk at any time, not only in a hole: a lock that cannot be let go of would be held for ever. There,
    /// and on read-only volumes, locks are those of the lock file, and nothing is kept of writes that are under way.
    /// </summary>
    private readonly ProcessMark? _process;
    private readonly RedoTable? _redo;

    /// <param name="fd">The file; -1 on a read-only volume, where nobody writes: counters of our own, which never move, will do.</param>
    internal CoherenceTable(int fd, LockFile locks, uint bootWord)
    {
        _locks = locks;
        if (fd < 0)
        {
            _memory = (byte*)Map(-1, Kernel.MAP_PRIVATE | Kernel.MAP_ANONYMOUS);
            Live = new LiveTable(_memory + CoherenceLayout.LiveOffset);
            return;
        }
        Kernel.StatusBuffer status = KernelFile.Status(fd);
        if (status.Size < CoherenceLayout.Size || status.AllocatedBytes < CoherenceLayout.Size)
            Complete(fd, status.Size);
        _memory = (byte*)Map(fd, Kernel.MAP_SHARED);
        Live = new LiveTable(_memory + CoherenceLayout.LiveOffset);
        if (!KernelFile.WritesInPlace(fd))
            return;
        _process = new ProcessMark(locks, (uint*)(_memory + CoherenceLayout.GenerationsOffset));
        _redo = new RedoTable(_memory + CoherenceLayout.RedoOffset, _process, bootWord);
    }

    internal LiveTable Live { get; }

    /// <summary>An inode's counter, for who only looks at it.</summary>
    internal ulong* WordAt(ulong inode) => (ulong*)_memory + LiveTable.IndexOf(inode);

    /// <summary>
    /// Moves when keys of files were destroyed: bits 0 to 15 each time, bits 16 to 31 where files that are open shall fail, too. No process has
    /// number 0: that number's generation is free for it.
    /// </summary>
    internal uint Shreddings => Volatile.Read(ref *ShredWord);

    /// <summary>Tells every process of this host. False: the disk has no room for a change of the table.</summary>
    internal bool TryTellShredding(bool openFilesFail)
    {
        const nint PageSize = 4096;
        if (Kernel.Advise((nint)ShredWord & -PageSize, (nuint)PageSize, Kernel.MADV_POPULATE_WRITE) != 0 && Kernel.LastError == Errno.EFAULT)
            return false;
        for (; ; )
        {
            uint before = Shreddings;
            uint after = (before & 0xFFFF0000) + (openFilesFail ? 0x10000u : 0) | (before + 1) & 0xFFFF;
            if (Interlocked.CompareExchange(ref *ShredWord, after, before) == before)
                return true;
        }
    }

    private uint* ShredWord => (uint*)(_memory + CoherenceLayout.GenerationsOffset);

    internal ICoherence For(ulong inode) => new Counter((ulong*)_memory + LiveTable.IndexOf(inode), LockAt(CoherenceLayout.InodeLocksOffset, inode));

    internal CachedFile CachedFileOf(ulong inode, int blockSize) => new(
        (ulong*)_memory + LiveTable.IndexOf(inode), (ulong*)(_memory + CoherenceLayout.LiveOffset) + LiveTable.IndexOf(inode), BitOperations.Log2((uint)blockSize));

    /// <summary>The write lock of an inode.</summary>
    internal IFileLock LockOf(ulong inode) => LockAt(CoherenceLayout.InodeLocksOffset, inode) ?? _locks.For(inode);

    /// <summary>
    /// Between processes that share a description, whoever holds this reads its offset, uses it and moves it in one step. Taken before the
    /// inode's write lock.
    /// </summary>
    internal IFileLock OffsetLockOf(ulong inode) => LockAt(CoherenceLayout.OffsetLocksOffset, inode) ?? _locks.ForOffset(inode);

    internal IRedo RedoOf(ulong device, ulong inode) => _redo?.For(device, inode) ?? NoRedo.Instance;

    internal void AfterFork() => _process?.Forget();

    private SharedLock? LockAt(int offset, ulong inode) =>
        _process is null ? null : new SharedLock((uint*)(_memory + offset) + LiveTable.IndexOf(inode), _process);

    /// <summary>Of a hole (a copy, a backup), a full disk would not give the page when it is stored to: that is SIGBUS.</summary>
    private static void Complete(int fd, long length)
    {
        if (length < CoherenceLayout.Size)
            using (FileSizeLimit.Lift(CoherenceLayout.Size))
                KernelFile.SetLength(fd, CoherenceLayout.Size);
        if (Kernel.Allocate(fd, 0, 0, CoherenceLayout.Size) != 0 && Kernel.LastError != Errno.EOPNOTSUPP)
            throw KernelFile.Failure("there is no room for the coherence table");
    }

    private static nint Map(int fd, int flags)
    {
        nint address = Kernel.Map(0, CoherenceLayout.Size, Kernel.PROT_READ | Kernel.PROT_WRITE, flags, fd, 0);
        return address != -1 ? address : throw KernelFile.Failure("the coherence table cannot be mapped");
    }

    /// <param name="held">Who changes the word holds this lock, which is one for all its inodes; null: locks are single inodes'.</param>
    private sealed class Counter(ulong* word, SharedLock? held) : ICoherence
    {
        public ulong Word => Volatile.Read(ref *word);

        public void BeginWrite()
        {
            if (held is null && !HasRoom())
                throw new ErrnoException(Errno.ENOSPC, "the disk has no room for a change of the coherence table");
            Interlocked.Increment(ref *word);
        }

        public void EndWrite()
        {
            // Else it stays counted, like a writer that was killed: nobody trusts what he cached then, which is slower and right.
            if (held is not null || HasRoom())
                Interlocked.Add(ref *word, 65_535);
        }

        public void ForgetKilled()
        {
            ulong now = Word;
            if ((now & 0xFFFF) != 0 && held is { IsHeldOnce: true })
                Volatile.Write(ref *word, (now | 0xFFFF) + 1);
        }

        /// <summary>
        /// Where each change goes to a new place on the disk, a full disk or quota answers a store with SIGBUS; asked like this, with an error. The
        /// page could be written back between the question and the store, once in a while; a file that is kept in place
        /// (VolumeFiles.KeepInPlace) needs no new one then, unless a quota counts that too.
        /// </summary>
        private bool HasRoom()
        {
            const nint PageSize = 4096;
            return Kernel.Advise((nint)word & -PageSize, (nuint)PageSize, Kernel.MADV_POPULATE_WRITE) == 0 || Kernel.LastError != Errno.EFAULT;
        }
    }
}
