using System;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Threading;
using Overlay.Interop;

namespace Overlay.Files;

/// <summary>The cache's memory, and how much of it is used.</summary>
/// <remarks>
/// Address space for the greatest size is reserved when the first block is kept, and left out of core dumps; only what may be used by now is
/// accessible, so that a program which locks its memory (mlockall) does not lock all of it. The cache begins with <see cref="First"/> bytes and is
/// doubled where blocks come back that were evicted not long ago, which those of a file that is copied or searched once never do. When it
/// grows, most of what it holds is no longer found where it is looked for.
/// </remarks>
public sealed unsafe partial class BlockCache
{
    private const long First = 32 << 20;
    private const long Least = Ways * SliceSize;

    /// <summary>Slices from which on a wipe gives the memory back to the kernel, which clears it, rather than clear it itself.</summary>
    private const long LargeWipe = 256;

    /// <summary>It grows when so many blocks, of each as many as it can hold, were evicted in vain.</summary>
    private const int GrowsAfter = 16;

    /// <summary>What is known to be read again and again, from which on memory is taken in large pieces.</summary>
    private const long ManyBytes = 16 << 20;

    private const long OutOfQuestion = 16L << 30;

    /// <summary>Where there was no room, so many go without before it is asked for again.</summary>
    private const int AsksAgainAfter = 1000;

    private readonly Lock _gate = new();
    private readonly ICacheRoom _room;
    private readonly long _first;
    private readonly CacheTable* _table;
    private readonly bool _ownsTable;
    private bool _isTried, _isOfHugePages;
    private long _mappedSize, _evictedInVain;
    private int _firstSetsLog2, _refusals;

    /// <param name="table">Where the filter finds the cache.</param>
    public BlockCache(ICacheRoom room, CacheTable* table)
        : this(room, First, table)
    {
    }

    private BlockCache(ICacheRoom room, long first, CacheTable* table)
    {
        _room = room;
        _first = first;
        _ownsTable = table == null;
        _table = _ownsTable ? (CacheTable*)NativeMemory.AllocZeroed((nuint)sizeof(CacheTable)) : table;
    }

    /// <summary>Bytes that it holds at most now; 0 before anything was kept.</summary>
    public long Capacity => IsMapped ? Least << Volatile.Read(ref _table->SetsLog2) : 0;

    private bool IsMapped => Volatile.Read(ref *(nint*)&_table->Sets) != 0;

    public void Dispose()
    {
        if (_mappedSize > 0)
            _ = Unmap((nint)_table->Frames, (nuint)_mappedSize);
        *_table = default;
        if (_ownsTable)
            NativeMemory.Free(_table);
    }

    /// <summary>Takes the address space now: afterwards what is asked for it may be forbidden.</summary>
    public void Reserve() => _ = TryMap();

    /// <summary>Could so much be kept, if the memory were to be had? Before anything was kept, only what is out of the question is known.</summary>
    internal bool MayHold(long bytes) => bytes <= (IsMapped ? Least << _table->WayLog2 : OutOfQuestion) / 8 * 7;

    /// <summary>Is there, or can be made, room for all of so much that is read again and again?</summary>
    internal bool TryMakeRoom(long bytes)
    {
        if (!IsMapped && !TryMap())
            return false;
        if (bytes >= ManyBytes)
            UseHugePages();
        if (!MayHold(bytes))
            return false;
        while (bytes > Capacity / 8 * 7)
            if (!TryGrow())
                return false;
        return true;
    }

    /// <summary>For tests: also those that are no longer found.</summary>
    internal int CountFramesOf(long stamp)
    {
        int count = 0;
        for (long index = 0; IsMapped && index < 1L << _table->SetsLog2; index++)
            for (int way = 0; way < Ways; way++)
                count += _table->Sets[index].Keys[2 * way] == stamp ? 1 : 0;
        return count;
    }

    private void NoteEvictedInVain()
    {
        if (Interlocked.Increment(ref _evictedInVain) < (Capacity >> SliceSizeLog2) / GrowsAfter)
            return;
        Volatile.Write(ref _evictedInVain, 0);
        _ = TryGrow();
    }

    private bool TryGrow()
    {
        lock (_gate)
        {
            if (_table->SetsLog2 >= _table->WayLog2 || _refusals > 0)
            {
                _refusals -= _refusals > 0 ? 1 : 0;
                return false;
            }
            if (!_room.MayGrowBy(Capacity) || !TryAllow(_table->SetsLog2 + 1))
            {
                _refusals = AsksAgainAfter;
                return false;
            }
            UseHugePages();
            ForgetEvicted();
            Volatile.Write(ref _table->SetsLog2, _table->SetsLog2 + 1);
            return true;
        }
    }

    /// <summary>What was evicted from the smaller cache is no reason to make the larger one larger still.</summary>
    private void ForgetEvicted()
    {
        for (long index = 0; index < 1L << _table->SetsLog2; index++)
            for (int way = 0; way < Ways; way++)
                _table->Sets[index].Evicted[way] = 0;
        Volatile.Write(ref _evictedInVain, 0);
    }

    /// <summary>What will be filled anyway costs a third of the time so: a fault for each page takes longer than opening the block.</summary>
    private void UseHugePages()
    {
        const int HugePage = 14;
        if (!Interlocked.Exchange(ref _isOfHugePages, true))
            _ = Advise((nint)_table->Frames, (nuint)(Least << _table->WayLog2), HugePage);
    }

    /// <summary>A frame that nobody has used yet, or that was given back: one call costs less than a fault for each of its pages.</summary>
    private static void Populate(byte* frame)
    {
        const int PopulateWrite = 23; // Linux 5.14; elsewhere the faults come
        if (Kernel.IsFree)
            _ = Advise((nint)frame, SliceSize, PopulateWrite);
    }

    /// <summary>Where there is not so much address space (ulimit -v), half of it; and with none at all nothing is kept.</summary>
    private bool TryMap()
    {
        lock (_gate)
        {
            if (_isTried)
                return IsMapped;
            _isTried = true;
            const int NoAccess = 0, PrivateAnonymousNoReserve = 0x4022, DontDump = 16;
            for (int setsLog2 = SetsLog2For(_room.Greatest); setsLog2 >= 0; setsLog2--)
            {
                long size = (Least + sizeof(CacheSet)) << setsLog2;
                nint memory = Map(0, (nuint)size, NoAccess, PrivateAnonymousNoReserve, -1, 0);
                if (memory == -1)
                    continue;
                _ = Advise(memory, (nuint)size, DontDump);
                _table->WayLog2 = setsLog2;
                _table->Frames = (byte*)memory;
                _firstSetsLog2 = Math.Min(setsLog2, SetsLog2For(_first));
                if (!TryAllow(_firstSetsLog2))
                {
                    _ = Unmap(memory, (nuint)size);
                    continue;
                }
                _mappedSize = size;
                _table->SetsLog2 = _firstSetsLog2;
                Volatile.Write(ref *(nint*)&_table->Sets, memory + (nint)(Least << setsLog2));
                return true;
            }
            return false;
        }
    }

    /// <summary>Makes so many sets, and their frames, accessible: of each way the first ones.</summary>
    private bool TryAllow(int setsLog2)
    {
        const int ReadWrite = 3;
        byte* sets = _table->Frames + (Least << _table->WayLog2);
        bool isAllowed = Protect((nint)sets, (nuint)(sizeof(CacheSet) << setsLog2), ReadWrite) == 0;
        for (int way = 0; way < Ways && isAllowed; way++)
            isAllowed = Protect((nint)(_table->Frames + ((long)way << _table->WayLog2 << SliceSizeLog2)), (nuint)SliceSize << setsLog2, ReadWrite) == 0;
        return isAllowed;
    }

    private static int SetsLog2For(long capacity) => BitOperations.Log2((ulong)(Math.Max(capacity, Least) / Least));

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint size, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint size, int advice);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint size, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint size);
}
