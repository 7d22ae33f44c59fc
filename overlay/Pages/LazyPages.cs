using System;
using System.Collections.Generic;
using System.Threading;
using Overlay.Engine;
using Overlay.Files;
using Overlay.Interop;

namespace Overlay.Pages;

/// <summary>
/// The memory file behind a private mapping that is filled when it is touched, and what of it is filled. It is to that mapping what the page
/// cache is to a plain file's: the kernel copies a page when the program stores to it, and reads it again after MADV_DONTNEED.
/// </summary>
/// <remarks>
/// A forked child has a mapping of the same memory file, and marks of its own: what it fills again is the same, or newer, and is written
/// over what is there only when it is whole and true. So nothing is decrypted in place, and nothing is taken out that a child may map.
/// </remarks>
internal sealed unsafe class LazyPages
{
    internal const int PageSize = 4096;

    /// <summary>Of so many bytes at least is a unit, so many units at most has a mapping (but for the largest), and are filled in one go.</summary>
    internal const int SmallestUnitLog2 = 17, UnitLimitLog2 = 19, LongestRun = 16;

    private readonly int _fd;
    private readonly int _marksLog2;
    private readonly Func<int> _countForks;
    private readonly int _forkCount;
    private readonly Lock[] _gates = [new(), new(), new(), new(), new(), new(), new(), new()];

    /// <summary>Pages that are there although their unit is not filled: before the end of the file, or a damaged block.</summary>
    private readonly HashSet<long> _loose = [];
    private int _users;
    private int _islands;

    private LazyPages(int fd, long origin, long length, Func<int> countForks)
    {
        _fd = fd;
        Origin = origin;
        Length = length;
        UnitLog2 = SmallestUnitLog2;
        while (length >> UnitLog2 >= 1L << UnitLimitLog2)
            UnitLog2++;
        Units = (length + (1L << UnitLog2) - 1) >> UnitLog2;
        Filled = FilledMarks.Take((int)Units, out _marksLog2);
        _countForks = countForks;
        _forkCount = countForks();
    }

    /// <summary>The offset in the sealed file of the first byte.</summary>
    internal long Origin { get; }

    /// <summary>In whole pages.</summary>
    internal long Length { get; }

    internal int UnitLog2 { get; }

    internal long Units { get; }

    /// <summary>See <see cref="FilledMarks"/>.</summary>
    internal byte* Filled { get; }

    internal int Descriptor => _fd;

    /// <summary>Null: there is no memory file, or no descriptor, to be had.</summary>
    internal static LazyPages? TryCreate(long origin, long length, Func<int> countForks)
    {
        if ((ulong)length > FileSizeLimit.Read())
            return null; // the limit is about the program's files, but memory files count as well
        int fd = CreateMemoryFile();
        if (fd < 0)
            return null;
        fd = Descriptors.MoveAway(fd);
        if (Kernel.SetLength(fd, length) == 0)
            return new LazyPages(fd, origin, length, countForks);
        Descriptors.CloseOwn(fd);
        return null;
    }

    /// <summary>An empty one, the caller's to close. Negative: none is to be had.</summary>
    internal static int CreateMemoryFile()
    {
        fixed (byte* name = "overlay\0"u8)
        {
            int fd = Kernel.CreateMemoryFile(name, Kernel.MFD_CLOEXEC | Kernel.MFD_NOEXEC_SEAL);
            return fd >= 0 ? fd : Kernel.CreateMemoryFile(name, Kernel.MFD_CLOEXEC); // before Linux 6.3
        }
    }

    internal void AddUser() => Interlocked.Increment(ref _users);

    internal void Release()
    {
        if (Interlocked.Decrement(ref _users) != 0)
            return;
        LazyIslands.Change(-_islands);
        FilledMarks.Return(Filled, _marksLog2);
        Descriptors.CloseOwn(_fd);
    }

    internal Lock GateOf(long unit) => _gates[unit % _gates.Length];

    internal bool IsFilled(long unit) => Volatile.Read(ref Filled[unit]) != 0;

    internal long EndOf(long unit) => Math.Min((unit + 1) << UnitLog2, Length);

    /// <summary>How many units to fill from this one on, which is not: more, where those before it are filled, as with a reader who goes on.</summary>
    internal int RunAt(long unit)
    {
        int before = 0;
        while (before < LongestRun && unit - before > 0 && IsFilled(unit - before - 1))
            before++;
        int run = 1;
        while (run < before && unit + run < Units && !IsFilled(unit + run))
            run++;
        return run;
    }

    /// <summary>Whole pages, of bytes that are true.</summary>
    internal void Store(long offset, ReadOnlySpan<byte> pages)
    {
        if (FileSizeLimit.Read() >= (ulong)(offset + pages.Length))
        {
            KernelFile.Write(_fd, offset, pages);
            return;
        }
        using (FileSizeLimit.Lift(offset + pages.Length))
            KernelFile.Write(_fd, offset, pages);
    }

    /// <summary>Inside the table's gate, as are the others below. What lies between two offsets is there now.</summary>
    internal void Mark(long from, long to)
    {
        long unit = from >> UnitLog2;
        for (; unit < Units && EndOf(unit) <= to; unit++)
        {
            Volatile.Write(ref Filled[unit], 1);
            if (_loose.Count > 0)
                ForgetLoose(unit << UnitLog2, EndOf(unit));
        }
        for (long page = Math.Max(from, unit << UnitLog2); page < to; page += PageSize)
            _loose.Add(page);
    }

    internal void CountIslands(int added)
    {
        _islands += added;
        LazyIslands.Change(added);
    }

    internal bool HasLoose(long unit)
    {
        for (long page = unit << UnitLog2; _loose.Count > 0 && page < EndOf(unit); page += PageSize)
            if (_loose.Contains(page))
                return true;
        return false;
    }

    internal List<long> LooseBetween(long from, long to)
    {
        List<long> found = [];
        foreach (long page in _loose)
            if (page >= from && page < to)
                found.Add(page);
        return found;
    }

    internal void ForgetLoose(long from, long to) => _loose.RemoveWhere(page => page >= from && page < to);

    /// <summary>It is mapped nowhere in this process any more: the memory is given back, unless a child may map it still.</summary>
    internal void Discard(long from, long to)
    {
        if (_countForks() == _forkCount)
            KernelFile.PunchHole(_fd, from, to - from);
    }
}
