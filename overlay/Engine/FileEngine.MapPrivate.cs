using System;
using Overlay.Crypto;
using Overlay.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Pages;

namespace Overlay.Engine;

/// <summary>Private mappings: filled when they are touched (<c>FileEngine.Lazy.cs</c>), or copies.</summary>
internal sealed unsafe partial class FileEngine
{
    /// <summary>Filled when it is touched, or a copy in anonymous memory.</summary>
    private long MapPrivate(OpenFile file, long address, ulong length, int protection, int flags, long offset)
    {
        long lazy = TryMapLazily(file, address, length, protection, flags, offset);
        if (lazy != 0)
            return lazy;
        if ((flags & Kernel.MAP_FIXED) != 0)
            Unregister(address, length);
        int anonymous = (flags & ~(Kernel.MAP_TYPE | Kernel.MAP_SYNC)) | Kernel.MAP_PRIVATE | Kernel.MAP_ANONYMOUS;
        nint mapped = Kernel.Map((nint)address, (nuint)length, Kernel.PROT_READ | Kernel.PROT_WRITE, anonymous & ~Kernel.MAP_POPULATE, -1, 0);
        if (mapped == -1)
            throw KernelFile.Failure("the mapping cannot be made");
        try
        {
            _ = Kernel.Advise(mapped, (nuint)length, Kernel.MADV_DONTDUMP);
            Fill(file, (byte*)mapped, (long)length, offset);
            MapBehindEnd(mapped, PageUp((long)length), PageUp(Math.Max(file.File.Length - offset, 0)));
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

    /// <summary>Whole pages behind the file's end raise SIGBUS, as those of an empty file. Where none is to be had they stay zeros.</summary>
    private static void MapBehindEnd(nint mapped, long length, long end)
    {
        if (end >= length)
            return;
        int empty = LazyPages.CreateMemoryFile();
        if (empty < 0)
            return;
        const int Flags = Kernel.MAP_PRIVATE | Kernel.MAP_FIXED | Kernel.MAP_NORESERVE;
        nint behind = Kernel.Map(mapped + (nint)end, (nuint)(length - end), Kernel.PROT_READ | Kernel.PROT_WRITE, Flags, empty, 0);
        int error = Kernel.LastError;
        _ = Kernel.Close(empty);
        if (behind == -1)
            throw new ErrnoException(error, "what lies behind the end of the file cannot be mapped");
    }

    /// <summary>
    /// Copies what the file has there. Holes, and what lies behind the end, stay untouched zero pages; the others come in steps, in
    /// one go each, since every fault by itself costs as much as reading its page.
    /// </summary>
    private static void Fill(OpenFile file, byte* target, long length, long offset)
    {
        const int Step = 1 << 20, HugeFrom = 4 << 20;
        long end = Math.Min(file.File.Length, offset + length) - offset;
        MemoryRoom.Check(end);
        if (end >= HugeFrom)
            _ = Kernel.Advise((nint)target, (nuint)end, Kernel.MADV_HUGEPAGE);
        bool maySkip = LiveTable.IsIdle(file.LiveWord); // what was stored by mapping may not be sealed yet
        for (long done = 0; done < end;)
        {
            long data = maySkip ? file.File.SeekData(offset + done) : offset + done;
            if (data < 0 || data - offset >= end)
                return;
            done = data - offset;
            int count = (int)Math.Min(Step, end - done);
            long page = done & ~(PageSize - 1L);
            // Before Linux 5.14 the pages come one by one.
            _ = Kernel.Advise((nint)(target + page), (nuint)(done + count - page), Kernel.MADV_POPULATE_WRITE);
            count = ReadLive(file, offset + done, new Span<byte>(target + done, count));
            if (count == 0)
                return;
            done += count;
        }
    }
}
