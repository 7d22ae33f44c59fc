using System.Threading;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using Overlay.Metadata.Protocol;

namespace Overlay.Engine;

/// <summary>The volume's counters, shared between processes (format §8), and behind them which inodes have page files.</summary>
internal sealed unsafe class CoherenceTable
{
    private const int CountersSize = 65_536 * sizeof(ulong);
    private const int Size = CountersSize + LiveTable.Size;

    private readonly ulong* _words;

    /// <summary>A store may need room on the disk at any time, not only in a hole.</summary>
    private readonly bool _takesRoom;

    /// <param name="fd">The file; -1 on a read-only volume, where nobody writes: counters of our own, which never move, will do.</param>
    internal CoherenceTable(int fd)
    {
        if (fd < 0)
        {
            _words = (ulong*)Map(-1, Kernel.MAP_PRIVATE | Kernel.MAP_ANONYMOUS);
            Live = new LiveTable((byte*)_words + CountersSize);
            return;
        }
        Kernel.StatusBuffer status = KernelFile.Status(fd);
        if (status.Size < Size || status.AllocatedBytes < Size)
            Complete(fd, status.Size);
        _takesRoom = !KernelFile.WritesInPlace(fd);
        _words = (ulong*)Map(fd, Kernel.MAP_SHARED);
        Live = new LiveTable((byte*)_words + CountersSize);
    }

    internal LiveTable Live { get; }

    internal ICoherence For(ulong inode) => new Counter(_words + (inode * 0x9E3779B97F4A7C15 >> 48), _takesRoom);

    /// <summary>Of a hole (a copy, a backup), a full disk would not give the page when it is stored to: that is SIGBUS.</summary>
    private static void Complete(int fd, long length)
    {
        if (length < Size)
            using (FileSizeLimit.Lift(Size))
                KernelFile.SetLength(fd, Size);
        if (Kernel.Allocate(fd, 0, 0, Size) != 0 && Kernel.LastError != Errno.EOPNOTSUPP)
            throw KernelFile.Failure("there is no room for the coherence table");
    }

    private static nint Map(int fd, int flags)
    {
        nint address = Kernel.Map(0, Size, Kernel.PROT_READ | Kernel.PROT_WRITE, flags, fd, 0);
        return address != -1 ? address : throw KernelFile.Failure("the coherence table cannot be mapped");
    }

    private sealed class Counter(ulong* word, bool takesRoom) : ICoherence
    {
        public ulong Word => Volatile.Read(ref *word);

        public void BeginWrite()
        {
            if (takesRoom && !HasRoom())
                throw new ErrnoException(Errno.ENOSPC, "the disk has no room for a change of the coherence table");
            Interlocked.Increment(ref *word);
        }

        public void EndWrite()
        {
            // Else it stays counted, like a writer that was killed: nobody trusts what he cached then, which is slower and right.
            if (!takesRoom || HasRoom())
                Interlocked.Add(ref *word, 65_535);
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
