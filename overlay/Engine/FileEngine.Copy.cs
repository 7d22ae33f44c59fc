using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>sendfile, copy_file_range and splice where an end is sealed.</summary>
internal sealed unsafe partial class FileEngine
{
    private const int BounceSize = 128 << 10;

    internal enum TransferInput
    {
        Foreign = 0,
        Sealed = 1,

        /// <summary>Both ends are sealed, and ranges of one file must not meet.</summary>
        Distinct = 2,
    }

    /// <summary>Moves bytes through memory until <paramref name="size"/>, the end of the input, or a short write.</summary>
    internal long Transfer(int input, long* inputOffset, int output, long* outputOffset, ulong size, TransferInput from, bool isOutputSealed)
    {
        CheckOffset(inputOffset);
        CheckOffset(outputOffset);
        bool isInputSealed = from != TransferInput.Foreign;
        if (from == TransferInput.Distinct)
            size = CheckDistinct(input, inputOffset, output, outputOffset, size);
        if (from != TransferInput.Foreign && isOutputSealed && inputOffset == null && outputOffset == null && _table.AreOneFile(input, output))
            return TransferWithin(input, output, size, from);
        using Scratch scratch = ScratchPool.Rent(BounceSize + FormatConstants.PageSize);
        byte* buffer = scratch.PageAligned; // an end may be O_DIRECT
        long total = 0, most = 0, used = 0;
        try
        {
            long left = (long)Math.Min(size, LargestTransfer);
            while (left > 0)
            {
                long asked = Math.Min(left, BounceSize);
                if (isOutputSealed && !isInputSealed && total == 0)
                    asked = CheckDelivery(input, output, outputOffset, asked);
                used = BounceSize; // nobody knows how far a read that fails has come
                long count = Fetch(input, inputOffset, isInputSealed, buffer, asked, total);
                used = most = Math.Max(most, count);
                if (count <= 0)
                    break;
                long put = 0;
                try
                {
                    put = Deliver(output, outputOffset, isOutputSealed, buffer, count, total);
                }
                finally
                {
                    // What was taken from a file but not delivered stays in it; a pipe cannot take it back.
                    if (inputOffset == null && put < count)
                        _ = Kernel.Seek(input, put - count, Kernel.SEEK_CUR);
                }
                if (inputOffset != null)
                    *inputOffset += put;
                if (outputOffset != null)
                    *outputOffset += put;
                total += put;
                left -= put;
                if (put < count || !isInputSealed)
                    break; // a pipe or socket gives and takes what it can; the caller comes again
            }
            return total;
        }
        finally
        {
            new Span<byte>(buffer, (int)used).Clear();
        }
    }

    /// <summary>
    /// Both may be one description: its offset is then where bytes are read and where they are written, as in the kernel, which sets offsets at the end.
    /// </summary>
    private long TransferWithin(int input, int output, ulong size, TransferInput from)
    {
        long source = Offset(input), target = Offset(output);
        long total = Transfer(input, &source, output, &target, size, from, isOutputSealed: true);
        if (total == 0)
            return 0;
        SetOffset(output, target);
        SetOffset(input, source);
        return total;
    }

    /// <summary>
    /// What can be told before anything is taken from a pipe, which cannot take it back: EFBIG, an offset that is none, O_DIRECT and not aligned. Returns how much has room.
    /// </summary>
    private long CheckDelivery(int input, int output, long* outputOffset, long size)
    {
        using Operation operation = Begin(output, isWriting: true);
        if ((operation.Flags & Kernel.O_APPEND) != 0)
            return size; // not splice, and a file is not used up
        long at = outputOffset != null ? *outputOffset : Offset(output);
        CheckEnd(at, (ulong)size);
        long room = CheckRoom(at, size);
        if ((operation.Flags & Kernel.O_DIRECT) != 0)
        {
            int waiting = 0;
            if (Kernel.CountWaiting(input, Kernel.FIONREAD, &waiting) == 0)
                room = Math.Min(room, waiting);
            Kernel.IoVector whole = new() { Length = (nuint)room };
            CheckAligned(operation, at, new ReadOnlySpan<Kernel.IoVector>(in whole), isWriting: true);
        }
        return room;
    }

    /// <summary>
    /// copy_file_range within one file: EINVAL where the ranges meet, as far as there is anything to copy. Returns how much there is: what the copy adds
    /// to the file is not copied again.
    /// </summary>
    private ulong CheckDistinct(int input, long* inputOffset, int output, long* outputOffset, ulong size)
    {
        using Operation reading = Begin(input, isWriting: false), writing = Begin(output, isWriting: true);
        if (reading.File != writing.File)
            return size;
        long source = inputOffset != null ? *inputOffset : Offset(input), target = outputOffset != null ? *outputOffset : Offset(output);
        long length = (long)Math.Min(size, (ulong)Math.Max(reading.File.File.Length - source, 0));
        if (source < target + length && target < source + length)
            throw new ErrnoException(Errno.EINVAL, "the ranges meet");
        return (ulong)length;
    }

    private static void CheckOffset(long* offset)
    {
        if (offset != null && UserMemory.Writable((byte*)offset, sizeof(long)) != sizeof(long))
            throw new ErrnoException(Errno.EFAULT, "bad address");
        if (offset != null && *offset < 0)
            throw new ErrnoException(Errno.EINVAL, "a negative offset"); // which means the descriptor's own further down
    }

    private long Fetch(int fd, long* offset, bool isSealed, byte* buffer, long size, long total)
    {
        if (isSealed)
        {
            try
            {
                return Read(fd, buffer, (ulong)size, offset != null ? *offset : -1, isOurs: true);
            }
            catch (ErrnoException) when (total > 0)
            {
                return 0;
            }
        }
        nint count = offset != null ? Kernel.PRead(fd, buffer, (nuint)size, *offset) : Kernel.Read(fd, buffer, (nuint)size);
        return count >= 0 || total > 0 ? count : throw KernelFile.Failure("reading the input failed");
    }

    private long Deliver(int fd, long* offset, bool isSealed, byte* buffer, long size, long total)
    {
        if (isSealed)
            return Write(fd, buffer, (ulong)size, offset != null ? *offset : -1, isOurs: true);
        nint count = offset != null ? Kernel.PWrite(fd, buffer, (nuint)size, *offset) : Kernel.Write(fd, buffer, (nuint)size);
        if (count >= 0)
            return count;
        return total > 0 ? 0 : throw KernelFile.Failure("writing the output failed");
    }
}
