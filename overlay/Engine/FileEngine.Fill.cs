using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Pages;
using static Overlay.Pages.LazyPages;

namespace Overlay.Engine;

/// <summary>Private mappings that are filled when they are touched: the filling.</summary>
internal sealed unsafe partial class FileEngine
{
    /// <summary>Read in one go, and from this size on a hole is a mapping of its own.</summary>
    private const int Step = LongestRun << SmallestUnitLog2, HoleFrom = 1 << 20;

    private void FillAll(in MappingTable.Range range)
    {
        LazyPages pages = range.Lazy!;
        long to = range.LazyOffset + (range.End - range.Start);
        for (long at = range.LazyOffset; at < to; at = pages.EndOf(at >> pages.UnitLog2))
        {
            long unit = at >> pages.UnitLog2;
            lock (pages.GateOf(unit))
            {
                if (!pages.IsFilled(unit))
                    FillAround(range.File, pages, unit, at);
            }
        }
    }

    /// <param name="wanted">The page that must be present in the end.</param>
    private void FillAround(OpenFile file, LazyPages pages, long unit, long wanted)
    {
        (long first, long last) = LazyIslands.Widen(unit, unit + pages.RunAt(unit), pages.Units);
        FillRun(file, pages, unit, ref last, wanted);
        try
        {
            // The others are there so that there are fewer mappings.
            for (long other = first; other < last;)
            {
                long end = last;
                if (pages.IsFilled(other))
                    end = other + 1;
                else if (!FillRun(file, pages, other, ref end, wanted: -1))
                    return;
                other = end;
            }
        }
        catch (ErrnoException exception) when (exception.Errno != Errno.ENOMEM)
        {
            // Nobody has asked for those; who does is told.
        }
    }

    /// <summary>False: not all of it is there now.</summary>
    /// <param name="last">The unit before which to stop; and where it was stopped.</param>
    private bool FillRun(OpenFile file, LazyPages pages, long unit, ref long last, long wanted)
    {
        if (TryMapHole(file, pages, unit, ref last))
            return true;
        long end = unit + 1;
        while (end < last && end - unit < LongestRun && !pages.IsFilled(end))
            end++;
        long from = unit << pages.UnitLog2, to = pages.EndOf(end - 1), reached = from;
        try
        {
            reached = Load(file, pages, from, to);
        }
        catch (ErrnoException) when (wanted > from)
        {
            // A damaged block lies before what is wanted.
        }
        if (reached > from)
            Publish(pages, from, reached);
        last = end;
        if (wanted < from || wanted < reached)
            return reached == to;
        // Behind a damaged block, or behind the end of the file; or in it: this throws.
        if (Load(file, pages, wanted, wanted + PageSize) == wanted)
            throw new ErrnoException(Errno.ENXIO, "behind the end of the file");
        Publish(pages, wanted, wanted + PageSize);
        return false;
    }

    /// <summary>
    /// Reads into the memory file, but for holes; answers how far. What is there already may be mapped by a forked process: so it is replaced by
    /// what is true, and by nothing else.
    /// </summary>
    private static long Load(OpenFile file, LazyPages pages, long from, long to)
    {
        bool maySkip = LiveTable.IsIdle(file.LiveWord); // what was stored by mapping may not be sealed yet
        using Scratch scratch = ScratchPool.Rent(Step);
        for (long at = from; at < to;)
        {
            int size = (int)Math.Min(Step, to - at);
            if (maySkip)
            {
                long offset = pages.Origin + at, limit = pages.Origin + to, data = file.File.SeekData(offset, limit);
                if (data < 0)
                    return Math.Clamp(PageUp(file.File.Length - pages.Origin), at, to);
                if (data > offset && (at += (data - offset) & -PageSize) >= to)
                    return to;
                long hole = file.File.SeekHole(data, limit) - pages.Origin;
                size = (int)Math.Min(Step, Math.Min(to, Math.Max(PageUp(hole), at + PageSize)) - at);
            }
            Span<byte> buffer = scratch.Span[..size];
            int count = ReadLive(file, pages.Origin + at, buffer), whole = (int)PageUp(count);
            buffer[count..whole].Clear();
            pages.Store(at, buffer[..whole]);
            at += whole;
            if (whole < size)
                return at;
        }
        return to;
    }

    /// <summary>What is in the memory file becomes reachable.</summary>
    private void Publish(LazyPages pages, long from, long to)
    {
        lock (_mappings.Gate)
        {
            foreach (MappingTable.Range range in _mappings.FindLazy(pages, from, to))
            {
                if (range.Protection != Kernel.PROT_NONE)
                    Protect(range.Start, range.End, range.Protection);
            }
            pages.CountIslands(LazyIslands.Added(pages, from >> pages.UnitLog2, (to - 1 >> pages.UnitLog2) + 1));
            pages.Mark(from, to);
        }
    }

    /// <summary>A long hole takes no memory when it is read: anonymous pages, which are zero until they are stored to. All of it at once.</summary>
    private bool TryMapHole(OpenFile file, LazyPages pages, long unit, ref long last)
    {
        long from = unit << pages.UnitLog2, offset = pages.Origin + from, length = file.File.Length;
        if (offset >= length || LazyIslands.AreMany || !LiveTable.IsIdle(file.LiveWord))
            return false;
        long data = file.File.SeekData(offset);
        bool reachesEnd = data < 0 && PageUp(length) >= pages.Origin + pages.Length;
        long end = reachesEnd ? pages.Length : (data < 0 ? length : data) - pages.Origin;
        if (end - from < HoleFrom)
            return false;
        lock (_mappings.Gate)
        {
            long beyond = unit;
            while (beyond < pages.Units && pages.EndOf(beyond) <= end && !pages.IsFilled(beyond) && !pages.HasLoose(beyond))
                beyond++;
            if (beyond == unit)
                return pages.IsFilled(unit);
            foreach (MappingTable.Range range in _mappings.FindLazy(pages, from, pages.EndOf(beyond - 1)))
                MapZeros(range);
            pages.CountIslands(2);
            pages.Mark(from, pages.EndOf(beyond - 1));
            last = beyond;
            return true;
        }
    }

    private static void MapZeros(in MappingTable.Range range)
    {
        const int Flags = Kernel.MAP_PRIVATE | Kernel.MAP_ANONYMOUS | Kernel.MAP_NORESERVE | Kernel.MAP_FIXED;
        nuint length = (nuint)(range.End - range.Start);
        if (Kernel.Map((nint)range.Start, length, range.Protection, Flags, -1, 0) == -1)
            throw KernelFile.Failure("a hole cannot be mapped");
        _ = Kernel.Advise((nint)range.Start, length, Kernel.MADV_DONTDUMP);
    }
}
