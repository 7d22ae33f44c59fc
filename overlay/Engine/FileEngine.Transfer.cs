using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using static Overlay.Format.FormatConstants;

namespace Overlay.Engine;

/// <summary>read, write and their kin.</summary>
internal sealed unsafe partial class FileEngine
{
    /// <summary>What one call moves at most, as in the kernel (MAX_RW_COUNT).</summary>
    private const int LargestTransfer = 0x7FFFF000;

    private const int GreatestVectorCount = 1024;

    /// <summary>Bytes of a writev that are written at once, if its blocks are not larger.</summary>
    private const int GatherSize = 128 << 10;

    private const int RWF_HIPRI = 1, RWF_DSYNC = 2, RWF_SYNC = 4, RWF_NOWAIT = 8, RWF_APPEND = 0x10, RWF_NOAPPEND = 0x20, RWF_DONTCACHE = 0x80,
        RWF_NOSIGNAL = 0x100;

    /// <param name="isOurs">The buffer is the engine's own: nobody has to be asked whether it can be touched.</param>
    internal long Read(int fd, byte* buffer, ulong size, long offset, bool isOurs = false)
    {
        using Operation operation = Begin(fd, isWriting: false);
        Kernel.IoVector vector = new() { Base = buffer, Length = (nuint)size };
        if (offset >= 0)
        {
            CheckEnd(offset, size);
            CheckAligned(operation, offset, new ReadOnlySpan<Kernel.IoVector>(in vector), isWriting: false);
            return ReadInto(operation.File, offset, buffer, size, isOurs);
        }
        return ReadOn(operation, fd, vector, isOurs);
    }

    /// <summary>At the descriptor's offset, which is moved beforehand as far as the read is likely to come.</summary>
    private static long ReadOn(in Operation operation, int fd, Kernel.IoVector vector, bool isOurs)
    {
        OpenFile file = operation.File;
        lock (file.OffsetGate)
        {
            using OffsetHold held = HoldOffset(file);
            long ahead = MayMoveAhead(operation) ? Math.Clamp(file.File.Length - file.LikelyOffset(fd), 0, (long)Math.Min(vector.Length, LargestTransfer)) : 0;
            long at = MoveAhead(fd, ref ahead), count = 0;
            try
            {
                CheckAligned(operation, at, new ReadOnlySpan<Kernel.IoVector>(in vector), isWriting: false);
                count = ReadInto(file, at, vector.Base, vector.Length, isOurs);
            }
            finally
            {
                if (count != ahead)
                    SetOffset(fd, at + count);
                file.NoteOffset(fd, at + count);
            }
            return count;
        }
    }

    /// <summary>As much as buffer and file have room for; EFAULT where the kernel gives it.</summary>
    private static int ReadInto(OpenFile file, long at, byte* buffer, ulong size, bool isOurs = false)
    {
        if (!UserMemory.IsInUserHalf(buffer, size))
            throw new ErrnoException(Errno.EFAULT, "bad address");
        long wanted = (long)Math.Min(size, LargestTransfer);
        // Memory that nothing will be read into is not looked at: the program may not have meant it to be touched.
        if (wanted > PageSize)
            wanted = Math.Clamp(file.File.Length - at, 0, wanted);
        long good = isOurs ? wanted : UserMemory.Writable(buffer, wanted);
        if (good == 0 && wanted > 0)
            return at >= file.File.Length ? 0 : throw new ErrnoException(Errno.EFAULT, "bad address");
        int count = ReadLive(file, at, new Span<byte>(buffer, (int)good));
        ProcessCounters.CountRead(count);
        return count;
    }

    /// <summary>A failure after something was read ends the call with what was.</summary>
    private static int ReadSome(OpenFile file, long at, byte* buffer, int size, long total)
    {
        try
        {
            return ReadInto(file, at, buffer, (ulong)size);
        }
        catch (ErrnoException) when (total > 0)
        {
            return 0;
        }
    }

    /// <param name="isOurs">See <see cref="Read"/>.</param>
    internal long Write(int fd, byte* buffer, ulong size, long offset, bool isOurs = false)
    {
        Kernel.IoVector vector = new() { Base = buffer, Length = (nuint)size };
        return WriteVectors(fd, new ReadOnlySpan<Kernel.IoVector>(in vector), offset, 0, isOurs);
    }

    internal long ReadVectors(int fd, Kernel.IoVector* vectors, int count, long offset, int rwfFlags)
    {
        using Operation operation = Begin(fd, isWriting: false);
        CheckEnd(offset, CheckVectors(vectors, count, rwfFlags, isWriting: false));
        long total = 0;
        lock (operation.File.OffsetGate)
        {
            using OffsetHold held = offset >= 0 ? default : HoldOffset(operation.File);
            long at = offset >= 0 ? offset : Offset(fd);
            CheckAligned(operation, at, new ReadOnlySpan<Kernel.IoVector>(vectors, count), isWriting: false);
            for (int i = 0; i < count && total < LargestTransfer; i++)
            {
                int size = (int)Math.Min(vectors[i].Length, (ulong)(LargestTransfer - total));
                int read = ReadSome(operation.File, at + total, vectors[i].Base, size, total);
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
            CheckVectors(vectors, count, rwfFlags, isWriting: true);
        return WriteVectors(fd, new ReadOnlySpan<Kernel.IoVector>(vectors, count), offset, rwfFlags);
    }

    /// <summary>All vectors in one step under the file's lock: offset read, used and moved (design D5).</summary>
    private long WriteVectors(int fd, ReadOnlySpan<Kernel.IoVector> vectors, long offset, int rwfFlags, bool isOurs = false)
    {
        using Operation operation = Begin(fd, isWriting: true);
        ulong wanted = isOurs ? vectors[0].Length : CountReadable(vectors);
        bool isAppending = ((operation.Flags & Kernel.O_APPEND) != 0 && (rwfFlags & RWF_NOAPPEND) == 0) || (rwfFlags & RWF_APPEND) != 0;
        CheckEnd(offset, wanted);
        if (wanted == 0)
            return 0;
        if (offset >= 0 || isAppending)
            return WriteAt(fd, operation, vectors, wanted, offset, isAppending, rwfFlags);
        lock (operation.File.OffsetGate)
        {
            using OffsetHold held = HoldOffset(operation.File);
            return WriteAt(fd, operation, vectors, wanted, offset, isAppending, rwfFlags);
        }
    }

    private static long WriteAt(int fd, in Operation operation, ReadOnlySpan<Kernel.IoVector> vectors, ulong wanted, long offset, bool isAppending, int rwfFlags)
    {
        SealedFile file = operation.File.File;
        long total = 0;
        using (LiveWrite entered = LiveWrite.Enter(operation.File))
        {
            bool isMoving = offset < 0 && !isAppending;
            long ahead = isMoving && MayMoveAhead(operation) ? (long)Math.Min(wanted, LargestTransfer) : 0;
            long at = isMoving ? MoveAhead(fd, ref ahead) : isAppending ? entered.Length : offset;
            try
            {
                CheckAligned(operation, at, vectors, isWriting: true);
                long room = CheckRoom(at, (long)Math.Min(wanted, LargestTransfer));
                if (vectors.Length == 1)
                    _ = WriteSome(entered, at, new ReadOnlySpan<byte>(vectors[0].Base, (int)room), ref total);
                else
                    WriteGathered(entered, file.BlockSize, at, vectors, room, ref total);
            }
            finally
            {
                if (isMoving ? total != ahead : offset < 0 && total > 0)
                    SetOffset(fd, at + total);
            }
        }
        ProcessCounters.CountWrite(total);
        bool mustSync = (operation.Flags & Kernel.O_DSYNC) != 0 || (rwfFlags & (RWF_DSYNC | RWF_SYNC)) != 0;
        if (mustSync)
            operation.File.SyncSealed(dataOnly: (operation.Flags & Kernel.O_SYNC) != Kernel.O_SYNC && (rwfFlags & RWF_SYNC) == 0);
        return total;
    }

    /// <summary>
    /// Vectors are put together up to the end of a block: nobody may find a block with a part of the call (invariants 2 and 7).
    /// </summary>
    private static void WriteGathered(in LiveWrite file, int blockSize, long at, ReadOnlySpan<Kernel.IoVector> vectors, long room, ref long total)
    {
        int capacity = Math.Max(GatherSize, blockSize);
        using Scratch scratch = ScratchPool.Rent(capacity);
        int next = 0;
        nuint taken = 0;
        while (total < room)
        {
            int size = (int)Math.Min(capacity - (at + total) % blockSize, room - total);
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

    /// <summary>Up to the first byte that cannot be read; EFAULT if that is the very first.</summary>
    private static ulong CountReadable(ReadOnlySpan<Kernel.IoVector> vectors)
    {
        ulong total = 0;
        foreach (Kernel.IoVector vector in vectors)
        {
            if (!UserMemory.IsInUserHalf(vector.Base, vector.Length))
                throw new ErrnoException(Errno.EFAULT, "bad address");
            long length = (long)Math.Min(vector.Length, LargestTransfer);
            long good = UserMemory.Readable(vector.Base, length);
            total += (ulong)good;
            if (good == length && total < LargestTransfer)
                continue;
            return total > 0 ? total : throw new ErrnoException(Errno.EFAULT, "bad address");
        }
        return total;
    }

    /// <summary>A failure after something was written ends the call with what was.</summary>
    private static int WriteSome(in LiveWrite file, long offset, ReadOnlySpan<byte> data, ref long total)
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
            _ = Kernel.Signal(SIGXFSZ); // pending until the filter unblocks signals
        throw new ErrnoException(Errno.EFBIG, "the file may not become so large");
    }

    /// <summary>An offset that is the program's own may not lead beyond what an offset can be, even where O_APPEND makes nothing of it.</summary>
    private static void CheckEnd(long offset, ulong size)
    {
        if (offset >= 0 && size <= long.MaxValue && size > (ulong)(long.MaxValue - offset))
            throw new ErrnoException(Errno.EINVAL, "beyond the greatest offset");
    }

    /// <summary>Returns how many bytes there are, at most as many as one call moves.</summary>
    private static ulong CheckVectors(Kernel.IoVector* vectors, int count, int rwfFlags, bool isWriting)
    {
        const int Known = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND | RWF_DONTCACHE | RWF_NOSIGNAL;
        const int BothWays = RWF_APPEND | RWF_NOAPPEND;
        if (count is < 0 or > GreatestVectorCount)
            throw new ErrnoException(Errno.EINVAL, "too many vectors");
        if (UserMemory.Readable((byte*)vectors, count * (long)sizeof(Kernel.IoVector)) != count * (long)sizeof(Kernel.IoVector))
            throw new ErrnoException(Errno.EFAULT, "bad address");
        ulong total = 0;
        for (int i = 0; i < count; i++)
            if ((long)vectors[i].Length >= 0)
                total = Math.Min(total + vectors[i].Length, LargestTransfer);
            else
                throw new ErrnoException(Errno.EINVAL, "a vector is too long");
        if (total == 0)
            return 0;
        // Whether a write would wait cannot be told beforehand.
        if ((rwfFlags & ~Known) != 0 || (isWriting && (rwfFlags & RWF_NOWAIT) != 0))
            throw new ErrnoException(Errno.EOPNOTSUPP, "flags that are not supported");
        if ((rwfFlags & BothWays) == BothWays)
            throw new ErrnoException(Errno.EINVAL, "flags that exclude each other");
        return total;
    }

    /// <summary>O_DIRECT asks for what the file system below asks for.</summary>
    private static void CheckAligned(in Operation operation, long at, ReadOnlySpan<Kernel.IoVector> vectors, bool isWriting)
    {
        if ((operation.Flags & Kernel.O_DIRECT) == 0 || (!isWriting && at >= operation.File.File.Length))
            return;
        (uint memory, uint offset) = operation.File.DirectAlignment;
        foreach (Kernel.IoVector vector in vectors)
            if (vector.Length != 0 && (((ulong)vector.Base & (memory - 1)) != 0 || ((ulong)vector.Length & (offset - 1)) != 0 || ((ulong)at & (offset - 1)) != 0))
                throw new ErrnoException(Errno.EINVAL, "not aligned");
    }

    private Operation Begin(int fd, bool isWriting)
    {
        OpenFile file = _table.Begin(fd) ?? throw new ErrnoException(Errno.EBADF, "not an open sealed file");
        int flags = file.FlagsOf(fd);
        // Another process may have changed what becomes of a write.
        if (isWriting && flags >= 0 && file.IsShared)
            flags = Kernel.Control(fd, Kernel.F_GETFL, 0);
        if (flags < 0 || !(isWriting ? AccessMode.MayWrite(flags) : AccessMode.MayRead(flags)))
        {
            file.EndOperation();
            throw new ErrnoException(Errno.EBADF, "not open for this");
        }
        CheckKey(file);
        return new Operation(file, flags);
    }

    /// <summary>Ends the operation that was begun where the file is one that may not be used any more.</summary>
    private static void CheckKey(OpenFile file)
    {
        try
        {
            file.CheckKey(isOpening: false);
        }
        catch
        {
            file.EndOperation();
            throw;
        }
    }

    /// <summary>Keeps the file's descriptor from being given up while it is used.</summary>
    private readonly ref struct Operation(OpenFile file, int flags)
    {
        internal OpenFile File { get; } = file;

        internal int Flags { get; } = flags;

        public void Dispose() => File.EndOperation();
    }
}
