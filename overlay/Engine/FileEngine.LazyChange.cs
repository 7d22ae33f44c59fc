using System;
using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using Overlay.Pages;
using static Overlay.Pages.LazyPages;

namespace Overlay.Engine;

/// <summary>mprotect, mremap and MAP_FIXED where private mappings lie that are filled when they are touched.</summary>
internal sealed unsafe partial class FileEngine
{
    /// <summary>1: done. 0: nothing of ours lies there, or the kernel is going to refuse it.</summary>
    internal long ProtectLazily(long address, ulong length, int protection)
    {
        const int Known = 15; // PROT_SEM means nothing here
        long end = End(address, (ulong)PageUp((long)length));
        if (address % PageSize != 0 || (protection & ~Known) != 0)
            return 0;
        protection &= Kernel.PROT_READ | Kernel.PROT_WRITE | Kernel.PROT_EXEC;
        lock (_mappings.Gate)
        {
            List<MappingTable.Range> ranges = _mappings.FindLazy(address, end);
            if (ranges.Count == 0)
                return 0;
            long at = address;
            foreach (MappingTable.Range range in ranges)
            {
                if (range.Start > at)
                    Protect(at, range.Start, protection);
                ProtectFilled(range, protection);
                _mappings.SetProtection(range.Start, range.End, protection);
                at = range.End;
            }
            if (at < end)
                Protect(at, end, protection);
            _mappings.Publish();
            return 1;
        }
    }

    private static void Protect(long start, long end, int protection) =>
        KernelFile.Check(Kernel.Protect((nint)start, (nuint)(end - start), protection), "the mapping cannot be protected");

    /// <summary>What is not filled stays out of reach.</summary>
    private static void ProtectFilled(in MappingTable.Range range, int protection)
    {
        LazyPages pages = range.Lazy!;
        long from = range.LazyOffset, to = from + (range.End - range.Start);
        for (long at = from; at < to;)
        {
            long unit = at >> pages.UnitLog2;
            bool isFilled = pages.IsFilled(unit);
            while (unit < pages.Units && unit << pages.UnitLog2 < to && pages.IsFilled(unit) == isFilled)
                unit++;
            long end = Math.Min(unit << pages.UnitLog2, to);
            if (isFilled)
                Protect(range.AddressOf(at), range.AddressOf(end), protection);
            at = end;
        }
        foreach (long page in pages.LooseBetween(from, to)) // they are asked for again
            Protect(range.AddressOf(page), range.AddressOf(page + PageSize), Kernel.PROT_NONE);
        pages.ForgetLoose(from, to);
    }

    /// <summary>The kernel's mmap in the place of others; inside the gate, so that nothing is filled there meanwhile. 0: nothing of ours lies there.</summary>
    internal long MapOverLazy(long address, ulong length, int protection, int flags, int fd, long offset)
    {
        List<OpenFile> orphans = [];
        long end = End(address, length);
        if (!IsLazy(address, end))
            return 0;
        SealRange(address, end);
        lock (_mappings.Gate)
        {
            if (Kernel.Map((nint)address, (nuint)length, protection, flags, fd, offset) == -1)
                throw KernelFile.Failure("the mapping cannot be made");
            _mappings.Remove(address, end, orphans);
            _mappings.Publish();
        }
        orphans.ForEach(LetGoIfUnused);
        return address;
    }

    private bool IsLazy(long start, long end)
    {
        lock (_mappings.Gate)
            return _mappings.FindLazy(start, end).Count > 0;
    }

    /// <summary>To the kernel it is many mappings, of which mremap moves only one; to the program it is one.</summary>
    private long RemapLazily(long address, ulong length, ulong newLength, int flags, long newAddress)
    {
        const int Known = Kernel.MREMAP_MAYMOVE | Kernel.MREMAP_FIXED;
        long end = End(address, length), newEnd = End(address, newLength);
        bool isMoved = (flags & Kernel.MREMAP_FIXED) != 0, mayMove = (flags & Kernel.MREMAP_MAYMOVE) != 0;
        if (address % PageSize != 0 || length == 0 || newLength == 0 || (flags & ~Known) != 0 || (isMoved && !mayMove))
            throw new ErrnoException(Errno.EINVAL, "mremap");
        if (isMoved && (newAddress % PageSize != 0 || (newAddress < end && End(newAddress, newLength) > address)))
            throw new ErrnoException(Errno.EINVAL, "mremap onto itself");
        if (newEnd < end)
        {
            Unmap(newEnd, (ulong)(end - newEnd));
            end = newEnd;
        }
        if (newEnd == end && !isMoved)
            return address;
        if (isMoved)
            SealRange(newAddress, End(newAddress, newLength));
        List<OpenFile> orphans = [];
        long result;
        lock (_mappings.Gate)
        {
            MappingTable.Range last = CheckOneFile(address, end);
            result = isMoved ? newAddress : address;
            if (isMoved || !TryMapMore(last, end, newEnd - end, fixedIfFree: true))
            {
                if (!mayMove)
                    throw new ErrnoException(Errno.ENOMEM, "no room behind the mapping");
                result = Move(address, end, (long)(ulong)(newEnd - address), isMoved ? newAddress : 0, orphans);
                long moved = result + (end - address);
                if (newEnd > end && !TryMapMore(last, moved, newEnd - end, fixedIfFree: false))
                    throw new ErrnoException(Errno.ENOMEM, "no memory file for what the mapping is to grow by");
            }
            _mappings.Publish();
        }
        orphans.ForEach(LetGoIfUnused);
        return result;
    }

    /// <summary>As the kernel asks that it be one mapping. Its last part.</summary>
    private MappingTable.Range CheckOneFile(long start, long end)
    {
        List<MappingTable.Range> ranges = _mappings.FindLazy(start, end);
        for (int i = 0; i < ranges.Count; i++)
        {
            long expected = i == 0 ? start : ranges[i - 1].End;
            bool continues = i == 0 || (ranges[i].File == ranges[0].File && ranges[i].Protection == ranges[0].Protection &&
                ranges[i].FileOffset - ranges[0].FileOffset == ranges[i].Start - ranges[0].Start);
            if (ranges[i].Start != expected || !continues)
                throw new ErrnoException(Errno.EFAULT, "more than one mapping");
        }
        return ranges.Count > 0 && ranges[^1].End == end ? ranges[^1] : throw new ErrnoException(Errno.EFAULT, "more than one mapping");
    }

    /// <summary>Behind what there is, with a memory file of its own.</summary>
    private bool TryMapMore(in MappingTable.Range before, long at, long length, bool fixedIfFree)
    {
        long offset = before.FileOffset + (before.End - before.Start);
        LazyPages? pages = TryCreate(offset, length, _settings.CountForks);
        if (pages is null)
            return false;
        pages.AddUser();
        int place = fixedIfFree ? Kernel.MAP_FIXED_NOREPLACE : Kernel.MAP_FIXED;
        nint mapped = Kernel.Map((nint)at, (nuint)length, Kernel.PROT_NONE, LazyFlags(place), pages.Descriptor, 0);
        if (mapped == at)
        {
            _mappings.Add(new MappingTable.Range(at, at + length, before.File, offset, false, pages, before.Protection));
            _ = Kernel.Advise(mapped, (nuint)length, Kernel.MADV_DONTDUMP);
        }
        else if (mapped != -1)
        {
            _ = Kernel.Unmap(mapped, (nuint)length); // before Linux 4.17 it was a hint
        }
        pages.Release();
        return mapped == at;
    }

    /// <param name="target">0: anywhere.</param>
    private long Move(long start, long end, long newLength, long target, List<OpenFile> orphans)
    {
        int flags = Kernel.MAP_PRIVATE | Kernel.MAP_ANONYMOUS | Kernel.MAP_NORESERVE | (target != 0 ? Kernel.MAP_FIXED : 0);
        nint room = Kernel.Map((nint)target, (nuint)newLength, Kernel.PROT_NONE, flags, -1, 0);
        if (room == -1)
            throw KernelFile.Failure("no room for the mapping");
        _mappings.Remove(room, room + newLength, orphans);
        List<MappingTable.Range> ranges = _mappings.FindLazy(start, end);
        MovePieces(start, end, room - start);
        foreach (MappingTable.Range range in ranges)
            _mappings.Add(range with { Start = range.Start + (room - start), End = range.End + (room - start) });
        _mappings.Remove(start, end, orphans);
        return room;
    }

    private static void MovePieces(long start, long end, long distance)
    {
        const int Flags = Kernel.MREMAP_MAYMOVE | Kernel.MREMAP_FIXED;
        nuint length = (nuint)(end - start);
        if (Kernel.Remap((nint)start, length, length, Flags, (nint)(start + distance)) != -1)
            return;
        if (Kernel.LastError != Errno.EFAULT || end - start <= PageSize)
            throw KernelFile.Failure("the mapping cannot be moved");
        long middle = start + ((end - start) / 2 & -PageSize);
        MovePieces(start, middle, distance);
        MovePieces(middle, end, distance);
    }
}
