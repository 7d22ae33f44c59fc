using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace Overlay.Files;

/// <summary>
/// Plaintext of recently used blocks (design D14), in slices of at most 16 KiB, four to a set, one clock hand a set.
/// </summary>
/// <remarks>
/// A slice belongs to a stamp, which a file draws anew whenever what it cached no longer holds; nothing has to be searched or
/// thrown away then. Readers take no lock: they look at the set's version before and after they have copied, and so does the filter, which reads
/// the same memory (<see cref="CacheTable"/>). What changes under one stamp changes under its file's gate, and only with the coherence word.
/// A slice shorter than 16 KiB ends its block: behind it are zeros.
/// </remarks>
public sealed unsafe partial class BlockCache : IDisposable
{
    public const int SliceSizeLog2 = 14;
    public const int SliceSize = 1 << SliceSizeLog2;

    private const int Ways = CacheSet.Ways;

    private static long s_lastStamp;

    /// <param name="capacity">Bytes of plaintext at most; rounded down to a power of two, at least 64 KiB.</param>
    public BlockCache(long capacity)
        : this(new FixedCacheRoom(capacity), capacity, null)
    {
    }

    public static long NewStamp() => Interlocked.Increment(ref s_lastStamp);

    /// <summary>Copies <paramref name="target"/> from the slice; bytes behind its end are zeros. False if it is not here.</summary>
    public bool TryRead(long stamp, long slice, int offset, Span<byte> target)
    {
        if (!IsMapped)
            return false;
        long index = IndexOf(stamp, slice);
        CacheSet* set = _table->Sets + index;
        for (; ; )
        {
            uint version = Volatile.Read(ref set->Version);
            int way = Find(set, stamp, slice);
            if (way < 0)
                return false;
            if (set->WasUsed[way] == 0)
                set->WasUsed[way] = 1;
            int count = Math.Clamp(set->Length[way] - offset, 0, target.Length);
            new ReadOnlySpan<byte>(FrameAt(index, way) + offset, count).CopyTo(target);
            target[count..].Clear();
            Interlocked.MemoryBarrier();
            if (version % 2 == 0 && Volatile.Read(ref set->Version) == version)
                return true;
            Thread.SpinWait(4);
        }
    }

    /// <summary>Keeps a whole plain block as slices.</summary>
    public void PutBlock(long stamp, long block, int blockSize, ReadOnlySpan<byte> plain)
    {
        if (!IsMapped && !TryMap())
            return;
        int slices = Math.Max(1, blockSize >> SliceSizeLog2);
        int size = Math.Min(blockSize, SliceSize);
        for (int i = 0; i < slices; i++)
        {
            int start = Math.Min(i * size, plain.Length);
            Put(stamp, block * slices + i, plain[start..Math.Min(start + size, plain.Length)]);
        }
    }

    /// <summary>Changes a part of a block where it is kept; what is not kept stays so.</summary>
    public void Patch(long stamp, long block, int blockSize, int offset, ReadOnlySpan<byte> plain)
    {
        if (!IsMapped)
            return;
        int slices = Math.Max(1, blockSize >> SliceSizeLog2);
        while (!plain.IsEmpty)
        {
            int inSlice = offset & (SliceSize - 1), count = Math.Min(SliceSize - inSlice, plain.Length);
            PatchSlice(stamp, block * slices + (offset >> SliceSizeLog2), inSlice, plain[..count]);
            offset += count;
            plain = plain[count..];
        }
    }

    /// <summary>Overwrites the slices of these blocks that are kept under a stamp; for a file that is closed.</summary>
    public void Wipe(long stamp, long firstBlock, long lastBlock, int blockSize)
    {
        if (!IsMapped)
            return;
        int slicesPerBlock = Math.Max(1, blockSize >> SliceSizeLog2);
        long first = firstBlock * slicesPerBlock, count = (lastBlock + 1) * slicesPerBlock - first;
        // What was put in before the cache grew is where it was.
        for (int log2 = _firstSetsLog2; log2 <= _table->SetsLog2; log2++)
            for (long i = 0, sets = 1L << log2; i < Math.Min(count, sets); i++)
                WipeIn(count >= sets ? i : IndexOf(stamp, first + i, log2), stamp, isLarge: count >= LargeWipe);
    }

    private void WipeIn(long index, long stamp, bool isLarge)
    {
        const int DontNeed = 4;
        CacheSet* set = _table->Sets + index;
        for (int way = 0; way < Ways; way++)
        {
            if (set->Keys[2 * way] != stamp)
                continue;
            Enter(set);
            if (set->Keys[2 * way] == stamp)
            {
                byte* frame = FrameAt(index, way);
                if (!isLarge || Advise((nint)frame, SliceSize, DontNeed) != 0)
                    new Span<byte>(frame, set->Length[way]).Clear();
                set->Keys[2 * way] = set->Keys[2 * way + 1] = 0;
                set->Length[way] = set->WasUsed[way] = 0;
            }
            Leave(set);
        }
    }

    private void Put(long stamp, long slice, ReadOnlySpan<byte> plain)
    {
        long index = IndexOf(stamp, slice);
        CacheSet* set = _table->Sets + index;
        Enter(set);
        int way = Find(set, stamp, slice);
        bool wasEvicted = way < 0 && WasEvicted(set, TagOf(stamp, slice));
        if (way < 0)
            way = Evict(set, index);
        byte* memory = FrameAt(index, way);
        if (set->Keys[2 * way] == 0 && plain.Length > SliceSize / 2)
            Populate(memory);
        int before = set->Length[way];
        plain.CopyTo(new Span<byte>(memory, SliceSize));
        if (before > plain.Length)
            new Span<byte>(memory + plain.Length, before - plain.Length).Clear();
        set->Keys[2 * way] = stamp;
        set->Keys[2 * way + 1] = slice;
        set->Length[way] = plain.Length;
        set->WasUsed[way] = 1;
        Leave(set);
        if (wasEvicted)
            NoteEvictedInVain();
    }

    private void PatchSlice(long stamp, long slice, int offset, ReadOnlySpan<byte> plain)
    {
        long index = IndexOf(stamp, slice);
        CacheSet* set = _table->Sets + index;
        Enter(set);
        int way = Find(set, stamp, slice);
        if (way >= 0)
        {
            // Behind the end there are zeros already.
            plain.CopyTo(new Span<byte>(FrameAt(index, way) + offset, plain.Length));
            set->Length[way] = Math.Max(set->Length[way], offset + plain.Length);
        }
        Leave(set);
    }

    private int Evict(CacheSet* set, long index)
    {
        // What is empty, or was left where nobody looks since the cache grew, goes first.
        for (int way = 0; way < Ways; way++)
            if (set->Keys[2 * way] == 0 || IndexOf(set->Keys[2 * way], set->Keys[2 * way + 1]) != index)
                return way;
        for (; ; )
        {
            int way = (int)(set->Hand = (set->Hand + 1) % Ways);
            if (set->WasUsed[way] == 0)
            {
                set->Evicted[way] = TagOf(set->Keys[2 * way], set->Keys[2 * way + 1]);
                return way;
            }
            set->WasUsed[way] = 0;
        }
    }

    private static bool WasEvicted(CacheSet* set, uint tag)
    {
        for (int way = 0; way < Ways; way++)
            if (set->Evicted[way] == tag)
                return true;
        return false;
    }

    private static int Find(CacheSet* set, long stamp, long slice)
    {
        for (int way = 0; way < Ways; way++)
            if (set->Keys[2 * way] == stamp && set->Keys[2 * way + 1] == slice)
                return way;
        return -1;
    }

    private static uint TagOf(long stamp, long slice) => (uint)((ulong)(slice + stamp * 977) * 0x9E3779B97F4A7C15 >> 32) | 1;

    private long IndexOf(long stamp, long slice) => IndexOf(stamp, slice, Volatile.Read(ref _table->SetsLog2));

    /// <summary>
    /// Neighbouring slices are in neighbouring sets: a file as large as the cache fits into it. Each row of as many slices as there are sets begins
    /// elsewhere: those at equal distances do not meet in a few sets.
    /// </summary>
    private static long IndexOf(long stamp, long slice, int setsLog2) =>
        (slice + (long)((ulong)(stamp + (slice >> setsLog2)) * 0x9E3779B97F4A7C15 >> 32)) & ((1L << setsLog2) - 1);

    private byte* FrameAt(long index, int way) => _table->Frames + ((((long)way << _table->WayLog2) + index) << SliceSizeLog2);

    private static void Enter(CacheSet* set)
    {
        for (; ; )
        {
            uint version = Volatile.Read(ref set->Version);
            if (version % 2 == 0 && Interlocked.CompareExchange(ref set->Version, version + 1, version) == version)
                return;
            Thread.SpinWait(4);
        }
    }

    private static void Leave(CacheSet* set) => Volatile.Write(ref set->Version, set->Version + 1);
}
