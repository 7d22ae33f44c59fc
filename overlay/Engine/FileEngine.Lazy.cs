using System;
using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Pages;
using static Overlay.Pages.LazyPages;

namespace Overlay.Engine;

/// <summary>Private mappings that are filled when they are touched: the faults (decisions, "When is a private mapping filled?").</summary>
internal sealed unsafe partial class FileEngine
{
    /// <summary>Shorter ones are copied at once: a fault for each piece would cost more.</summary>
    private const long LazyFrom = 16 << 20;

    /// <summary>Each has a descriptor of ours.</summary>
    private const int LazyLimit = 64;

    /// <summary>0: not so, for some reason; it is to be a copy then.</summary>
    private long TryMapLazily(OpenFile file, long address, ulong length, int protection, int flags, long offset)
    {
        const int Eager = Kernel.MAP_LOCKED | Kernel.MAP_POPULATE | Kernel.MAP_GROWSDOWN;
        long data = Math.Min(file.File.Length, End(offset, length)) - offset;
        if (data < LazyFrom || (flags & Eager) != 0 || (protection & Kernel.PROT_EXEC) != 0 || LazyPublisher.Begin == null)
            return 0;
        long size = PageUp((long)length);
        if (CountLazy() >= LazyLimit || LazyPublisher.Begin() == 0 || TryCreate(offset, size, _settings.CountForks) is not { } pages)
            return 0;
        pages.AddUser();
        List<OpenFile> orphans = [];
        bool isFixed = (flags & Kernel.MAP_FIXED) != 0;
        nint mapped;
        if (isFixed)
            SealRange(address, End(address, length));
        lock (_mappings.Gate)
        {
            mapped = Kernel.Map((nint)address, (nuint)length, Kernel.PROT_NONE, LazyFlags(flags), pages.Descriptor, 0);
            if (mapped != -1)
            {
                if (isFixed)
                    _mappings.Remove(mapped, mapped + size, orphans);
                _mappings.Add(new MappingTable.Range(mapped, mapped + size, file, offset, false, pages, protection));
                _mappings.Publish();
            }
        }
        int error = Kernel.LastError;
        pages.Release();
        if (mapped == -1)
            throw new ErrnoException(error, "the mapping cannot be made");
        _ = Kernel.Advise(mapped, (nuint)length, Kernel.MADV_DONTDUMP);
        orphans.ForEach(LetGoIfUnused);
        return mapped;
    }

    private static int LazyFlags(int flags) =>
        (flags & ~(Kernel.MAP_TYPE | Kernel.MAP_SYNC | Kernel.MAP_ANONYMOUS)) | Kernel.MAP_PRIVATE | Kernel.MAP_NORESERVE;

    private int CountLazy()
    {
        lock (_mappings.Gate)
            return _mappings.CountLazy();
    }

    /// <summary>Makes present what is touched, or is about to be.</summary>
    /// <param name="access">PROT_ bit of the access that faulted, at one address; 0: the filter asks, and as much as can be is filled.</param>
    /// <returns>What the program may do there now; EFAULT: the fault is the program's own. Others: what was to be there cannot be had.</returns>
    internal long Fault(long address, ulong length, int access)
    {
        long start = address & -PageSize;
        List<MappingTable.Range> ranges = Borrow(start, End(start, length + (ulong)(address - start)));
        try
        {
            if (ranges.Count == 0 || ranges[0].Start != start)
                throw new ErrnoException(Errno.EFAULT, "nothing of ours");
            foreach (MappingTable.Range range in ranges)
            {
                if (!IsAllowed(range.Protection, access))
                    throw new ErrnoException(Errno.EFAULT, "not allowed there");
                FillAll(range);
            }
            return ranges[0].Protection;
        }
        finally
        {
            Return(ranges);
        }
    }

    /// <summary>On x86-64 whatever may be written or executed can be read.</summary>
    private static bool IsAllowed(int protection, int access) => access is 0 or Kernel.PROT_READ ? protection != Kernel.PROT_NONE : (protection & access) != 0;

    /// <summary>Neither file nor memory file goes away meanwhile.</summary>
    private List<MappingTable.Range> Borrow(long start, long end)
    {
        lock (_mappings.Gate)
        {
            List<MappingTable.Range> ranges = _mappings.FindLazy(start, end);
            foreach (MappingTable.Range range in ranges)
            {
                range.File.BeginOperation();
                range.Lazy!.AddUser();
            }
            return ranges;
        }
    }

    private void Return(List<MappingTable.Range> ranges)
    {
        foreach (MappingTable.Range range in ranges)
            range.File.EndOperation();
        lock (_mappings.Gate)
        {
            foreach (MappingTable.Range range in ranges)
                range.Lazy!.Release();
        }
    }

    private static long PageUp(long length) => (length + PageSize - 1) & -PageSize;
}
