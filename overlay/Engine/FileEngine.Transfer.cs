using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>read, write and their kin.</summary>
internal sealed unsafe partial class FileEngine
{
    /// <summary>What one call moves at most, as in the kernel (MAX_RW_COUNT).</summary>
    private const int LargestTransfer = 0x7FFFF000;

    private const int GreatestVectorCount = 1024;

    /// <summary>Bytes of a writev that are written at once, if its blocks are not larger.</summary>
    private const int GatherSize = 128 << 10;

    private const int RWF_HIPRI = 1, RWF_DSYNC = 2, RWF_SYNC = 4, RWF_NOWAIT = 8, RWF_APPEND = 0x10;

    internal long Read(int fd, byte* buffer, ulong size, long offset)
    {
        using Operation operation = Begin(fd, isWriting: false);
        CheckBuffer(buffer, size);
        Span<byte> target = new(buffer, (int)Math.Min(size, LargestTransfer));
        if (offset >= 0)
            return operation.File.File.Read(offset, target);
        lock (operation.File.OffsetGate)
        {
            long at = Offset(fd);
            int count = operation.File.File.Read(at, target);
            if (count > 0)
                SetOffset(fd, at + count);
            return count;
        }
    }

    internal long Write(int fd, byte* buffer, ulong size, long offset)
    {
        Kernel.IoVector vector = new() { Base = buffer, Length = (nuint)size };
        return WriteVectors(fd, new ReadOnlySpan<Kernel.IoVector>(in vector), offset, 0);
    }

    internal long ReadVectors(int fd, Kernel.IoVector* vectors, int count, long offset, int rwfFlags)
    {
        using Operation operation = Begin(fd, isWriting: false);
        CheckVectors(vectors, count, rwfFlags);
        long total = 0;
        lock (operation.File.OffsetGate)
        {
            long at = offset >= 0 ? offset : Offset(fd);
            for (int i = 0; i < count && total < LargestTransfer; i++)
            {
                CheckBuffer(vectors[i].Base, vectors[i].Length);
                int size = (int)Math.Min(vectors[i].Length, (ulong)(LargestTransfer - total));
                int read = operation.File.File.Read(at + total, new Span<byte>(vectors[i].Base, size));
                total += read;
                if (read < size)
                    break;
            }
            if (offset < 0 && total > 0)
                SetOffset(fd, at + total);
        }
        return total;
    }

    internal long WriteVectors(int fd, Kernel.IoVector* vectors, int count, long offset, int rwfFlags)
    {
        using (Begin(fd, isWriting: true))
            CheckVectors(vectors, count, rwfFlags);
        return WriteVectors(fd, new ReadOnlySpan<Kernel.IoVector>(vectors, count), offset, rwfFlags);
    }

    /// <summary>All vectors in one step under the file's lock: offset read, used and moved (design D5).</summary>
    private long WriteVectors(int fd, ReadOnlySpan<Kernel.IoVector> vectors, long offset, int rwfFlags)
    {
        using Operation operation = Begin(fd, isWriting: true);
        SealedFile file = operation.File.File;
        ulong wanted = 0;
        foreach (Kernel.IoVector vector in vectors)
        {
            CheckBuffer(vector.Base, vector.Length);
            wanted += vector.Length;
        }
        bool isAppending = (operation.Flags & Kernel.O_APPEND) != 0 || (rwfFlags & RWF_APPEND) != 0;
        if (wanted == 0)
            return 0;
        long total = 0;
        file.EnterWrite();
        try
        {
            long at = isAppending ? file.CurrentLength : offset >= 0 ? offset : Offset(fd);
            long room = CheckRoom(at, (long)Math.Min(wanted, LargestTransfer));
            if (vectors.Length == 1)
                _ = WriteSome(file, at, new ReadOnlySpan<byte>(vectors[0].Base, (int)room), ref total);
            else
                WriteGathered(file, at, vectors, room, ref total);
            if (offset < 0)
                SetOffset(fd, at + total);
        }
        finally
        {
            file.ExitWrite();
        }
        bool mustSync = (operation.Flags & Kernel.O_DSYNC) != 0 || (rwfFlags & (RWF_DSYNC | RWF_SYNC)) != 0;
        if (mustSync)
            file.Sync(dataOnly: (operation.Flags & Kernel.O_SYNC) != Kernel.O_SYNC && (rwfFlags & RWF_SYNC) == 0);
        return total;
    }

    /// <summary>
    /// Vectors are put together up to the end of a block: nobody may find a block with a part of the call (invariants 2 and 7).
    /// </summary>
    private static void WriteGathered(SealedFile file, long at, ReadOnlySpan<Kernel.IoVector> vectors, long room, ref long total)
    {
        int capacity = Math.Max(GatherSize, file.BlockSize);
        using Scratch scratch = ScratchPool.Rent(capacity);
        int next = 0;
        nuint taken = 0;
        while (total < room)
        {
            int size = (int)Math.Min(capacity - (at + total) % file.BlockSize, room - total);
            for (int done = 0; done < size;)
            {
                int count = (int)Math.Min((ulong)(size - done), vectors[next].Length - taken);
                new ReadOnlySpan<byte>((byte*)vectors[next].Base + taken, count).CopyTo(scratch.Span[done..]);
                done += count;
                taken += (nuint)count;
                if (taken == vectors[next].Length)
                    (next, taken) = (next + 1, 0);
            }
            if (WriteSome(file, at + total, scratch.Span[..size], ref total) < size)
                return;
        }
    }

    /// <summary>A failure after something was written ends the call with what was.</summary>
    private static int WriteSome(SealedFile file, long offset, ReadOnlySpan<byte> data, ref long total)
    {
        try
        {
            int written = file.Write(offset, data);
            total += written;
            return written;
        }
        catch (ErrnoException) when (total > 0)
        {
            return 0;
        }
    }

    /// <summary>RLIMIT_FSIZE speaks of logical sizes (design §5). Returns how much may be written at <paramref name="offset"/>.</summary>
    private static long CheckRoom(long offset, long wanted)
    {
        const int SIGXFSZ = 25;
        long greatest = SealedFile.GreatestSize;
        ulong limit = FileSizeLimit.Read();
        bool isLimited = limit < (ulong)greatest;
        if (isLimited)
            greatest = (long)limit;
        if (offset < greatest)
            return Math.Min(wanted, greatest - offset);
        if (isLimited)
            _ = Kernel.Signal(Kernel.CurrentThread(), SIGXFSZ); // pending until the filter unblocks signals
        throw new ErrnoException(Errno.EFBIG, "the file may not become so large");
    }

    private static void CheckVectors(Kernel.IoVector* vectors, int count, int rwfFlags)
    {
        if (count is < 0 or > GreatestVectorCount)
            throw new ErrnoException(Errno.EINVAL, "too many vectors");
        if ((rwfFlags & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND)) != 0)
            throw new ErrnoException(Errno.EOPNOTSUPP, "unknown flags");
        if (count > 0)
            CheckBuffer((byte*)vectors, (ulong)count * (ulong)sizeof(Kernel.IoVector));
        for (int i = 0; i < count; i++)
            if ((long)vectors[i].Length < 0)
                throw new ErrnoException(Errno.EINVAL, "a vector is too long");
    }

    /// <summary>Pointers into the first page or the kernel's half are EFAULT; others are the program's own word.</summary>
    private static void CheckBuffer(byte* buffer, ulong size)
    {
        if (size != 0 && ((ulong)buffer < 4096 || (ulong)buffer >= 0x7FFFFFFFF000))
            throw new ErrnoException(Errno.EFAULT, "bad address");
    }

    private static long Offset(int fd)
    {
        long offset = Kernel.Seek(fd, 0, Kernel.SEEK_CUR);
        return offset >= 0 ? offset : throw KernelFile.Failure("the descriptor's offset cannot be read");
    }

    private static void SetOffset(int fd, long offset)
    {
        if (Kernel.Seek(fd, offset, Kernel.SEEK_SET) < 0)
            throw KernelFile.Failure("the descriptor's offset cannot be set");
    }

    private Operation Begin(int fd, bool isWriting)
    {
        OpenFile file = _table.Begin(fd) ?? throw new ErrnoException(Errno.EBADF, "not an open sealed file");
        int flags = file.FlagsOf(fd);
        int mode = flags & Kernel.O_ACCMODE;
        if (flags < 0 || mode == (isWriting ? Kernel.O_RDONLY : Kernel.O_WRONLY))
        {
            file.EndOperation();
            throw new ErrnoException(Errno.EBADF, "not open for this");
        }
        return new Operation(file, flags);
    }

    /// <summary>Keeps the file's descriptor from being given up while it is used.</summary>
    private readonly ref struct Operation(OpenFile file, int flags)
    {
        internal OpenFile File { get; } = file;

        internal int Flags { get; } = flags;

        public void Dispose() => File.EndOperation();
    }
}
