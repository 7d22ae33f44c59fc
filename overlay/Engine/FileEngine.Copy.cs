using System;
using System.Runtime.InteropServices;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>sendfile, copy_file_range and splice where an end is sealed; and mappings.</summary>
internal sealed unsafe partial class FileEngine
{
    private const int BounceSize = 128 << 10;

    /// <summary>Moves bytes through memory until <paramref name="size"/>, the end of the input, or a short write.</summary>
    internal long Transfer(int input, long* inputOffset, int output, long* outputOffset, ulong size, bool isInputSealed, bool isOutputSealed)
    {
        CheckOffset(inputOffset);
        CheckOffset(outputOffset);
        byte* buffer = (byte*)NativeMemory.Alloc(BounceSize);
        try
        {
            long left = (long)Math.Min(size, LargestTransfer);
            long total = 0;
            while (left > 0)
            {
                long count = Fetch(input, inputOffset, isInputSealed, buffer, Math.Min(left, BounceSize), total);
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
            new Span<byte>(buffer, BounceSize).Clear();
            NativeMemory.Free(buffer);
        }
    }

    private static void CheckOffset(long* offset)
    {
        if (offset != null && UserMemory.Writable((byte*)offset, sizeof(long)) != sizeof(long))
            throw new ErrnoException(Errno.EFAULT, "bad address");
    }

    internal long Map(long address, ulong length, int protection, int flags, int fd, long offset)
    {
        using Operation operation = Begin(fd);
        if ((operation.Flags & Kernel.O_ACCMODE) == Kernel.O_WRONLY)
            throw new ErrnoException(Errno.EACCES, "not open for reading");
        if (length == 0 || offset % 4096 != 0)
            throw new ErrnoException(Errno.EINVAL, "no length, or an offset inside a page");
        bool isShared = (flags & Kernel.MAP_TYPE) is Kernel.MAP_SHARED or Kernel.MAP_SHARED_VALIDATE;
        if (isShared && (protection & Kernel.PROT_WRITE) != 0)
        {
            operation.File.Log.Write("a shared writable mapping of a sealed file is not supported");
            throw new ErrnoException(Errno.ENODEV, "shared writable mapping");
        }
        int anonymous = (flags & ~(Kernel.MAP_TYPE | Kernel.MAP_SYNC)) | Kernel.MAP_PRIVATE | Kernel.MAP_ANONYMOUS;
        nint mapped = Kernel.Map((nint)address, (nuint)length, Kernel.PROT_READ | Kernel.PROT_WRITE, anonymous & ~Kernel.MAP_POPULATE, -1, 0);
        if (mapped == -1)
            throw KernelFile.Failure("the mapping cannot be made");
        try
        {
            _ = Kernel.Advise(mapped, (nuint)length, Kernel.MADV_DONTDUMP);
            Fill(operation.File.File, (byte*)mapped, (long)length, offset);
        }
        catch
        {
            _ = Kernel.Unmap(mapped, (nuint)length);
            throw;
        }
        if (protection != (Kernel.PROT_READ | Kernel.PROT_WRITE))
            KernelFile.Check(Kernel.Protect(mapped, (nuint)length, protection), "the mapping cannot be protected");
        return mapped;
    }

    private static void Fill(SealedFile file, byte* target, long length, long offset)
    {
        const int Step = 1 << 20;
        for (long done = 0; done < length;)
        {
            int count = file.Read(offset + done, new Span<byte>(target + done, (int)Math.Min(Step, length - done)));
            if (count == 0)
                return;
            done += count;
        }
    }

    private long Fetch(int fd, long* offset, bool isSealed, byte* buffer, long size, long total)
    {
        if (isSealed)
        {
            try
            {
                return Read(fd, buffer, (ulong)size, offset != null ? *offset : -1);
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
            return Write(fd, buffer, (ulong)size, offset != null ? *offset : -1);
        nint count = offset != null ? Kernel.PWrite(fd, buffer, (nuint)size, *offset) : Kernel.Write(fd, buffer, (nuint)size);
        if (count >= 0)
            return count;
        return total > 0 ? 0 : throw KernelFile.Failure("writing the output failed");
    }
}
