using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace Overlay.Files;

/// <summary>
/// Plaintext of recently used blocks (design D14), in slices of at most 16 KiB, four to a set, one clock hand a set.
/// </summary>
/// <remarks>
/// A slice belongs to a stamp, which a file draws anew whenever what it cached no longer holds; nothing has to be searched or
/// thrown away then. Each set has a spin lock, held for one copy. The memory is left out of core dumps; untouched frames cost
/// nothing. A slice shorter than 16 KiB ends its block: behind it are zeros.
/// </remarks>
public sealed unsafe partial class BlockCache : IDisposable
{
    public const int SliceSizeLog2 = 14;
    public const int SliceSize = 1 << SliceSizeLog2;

    private const int Ways = 4;

    private static long s_lastStamp;

    private readonly Frame[] _frames;
    private readonly int[] _locks;
    private readonly byte[] _hands;
    private readonly byte* _memory;
    private readonly int _setMask;

    private struct Frame
    {
        public long Stamp;
        public long Slice;
        public int Length;
        public bool WasUsed;
    }

    /// <param name="capacity">Bytes of plaintext at most; a power of two, at least 64 KiB.</param>
    public BlockCache(int capacity)
    {
        int frames = capacity >> SliceSizeLog2;
        _frames = new Frame[frames];
        _locks = new int[frames / Ways];
        _hands = new byte[frames / Ways];
        _setMask = frames / Ways - 1;
        const int ReadWrite = 3, PrivateAnonymousNoReserve = 0x4022, DontDump = 16;
        nint memory = Map(0, (nuint)capacity, ReadWrite, PrivateAnonymousNoReserve, -1, 0);
        if (memory == -1)
            throw new OutOfMemoryException();
        _ = Advise(memory, (nuint)capacity, DontDump);
        _memory = (byte*)memory;
    }

    public static long NewStamp() => Interlocked.Increment(ref s_lastStamp);

    /// <summary>Copies <paramref name="target"/> from the slice; bytes behind its end are zeros. False if it is not here.</summary>
    public bool TryRead(long stamp, long slice, int offset, Span<byte> target)
    {
        int set = SetOf(stamp, slice);
        Enter(set);
        int way = Find(set, stamp, slice);
        if (way >= 0)
        {
            ref Frame frame = ref _frames[way];
            frame.WasUsed = true;
            int count = Math.Clamp(frame.Length - offset, 0, target.Length);
            new ReadOnlySpan<byte>(_memory + ((long)way << SliceSizeLog2) + offset, count).CopyTo(target);
            target[count..].Clear();
        }
        Volatile.Write(ref _locks[set], 0);
        return way >= 0;
    }

    /// <summary>Keeps a whole plain block as slices.</summary>
    public void PutBlock(long stamp, long block, int blockSize, ReadOnlySpan<byte> plain)
    {
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
        int slicesPerBlock = Math.Max(1, blockSize >> SliceSizeLog2);
        long first = firstBlock * slicesPerBlock, last = (lastBlock + 1) * slicesPerBlock - 1;
        if (last - first < _frames.Length / Ways)
        {
            for (long slice = first; slice <= last; slice++)
                WipeIn(SetOf(stamp, slice), stamp);
            return;
        }
        for (int set = 0; set < _locks.Length; set++)
            WipeIn(set, stamp);
    }

    private void WipeIn(int set, long stamp)
    {
        Enter(set);
        for (int way = set * Ways; way < (set + 1) * Ways; way++)
        {
            if (_frames[way].Stamp != stamp)
                continue;
            new Span<byte>(_memory + ((long)way << SliceSizeLog2), _frames[way].Length).Clear();
            _frames[way] = default;
        }
        Volatile.Write(ref _locks[set], 0);
    }

    public void Dispose() => _ = Unmap((nint)_memory, (nuint)_frames.Length << SliceSizeLog2);

    private void Put(long stamp, long slice, ReadOnlySpan<byte> plain)
    {
        int set = SetOf(stamp, slice);
        Enter(set);
        int way = Find(set, stamp, slice);
        if (way < 0)
            way = Evict(set);
        byte* memory = _memory + ((long)way << SliceSizeLog2);
        int before = _frames[way].Length;
        plain.CopyTo(new Span<byte>(memory, SliceSize));
        if (before > plain.Length)
            new Span<byte>(memory + plain.Length, before - plain.Length).Clear();
        _frames[way] = new Frame { Stamp = stamp, Slice = slice, Length = plain.Length, WasUsed = true };
        Volatile.Write(ref _locks[set], 0);
    }

    private void PatchSlice(long stamp, long slice, int offset, ReadOnlySpan<byte> plain)
    {
        int set = SetOf(stamp, slice);
        Enter(set);
        int way = Find(set, stamp, slice);
        if (way >= 0)
        {
            // Behind the end there are zeros already.
            plain.CopyTo(new Span<byte>(_memory + ((long)way << SliceSizeLog2) + offset, plain.Length));
            _frames[way].Length = Math.Max(_frames[way].Length, offset + plain.Length);
        }
        Volatile.Write(ref _locks[set], 0);
    }

    private int Evict(int set)
    {
        for (; ; )
        {
            int way = set * Ways + (_hands[set] = (byte)((_hands[set] + 1) % Ways));
            if (!_frames[way].WasUsed)
                return way;
            _frames[way].WasUsed = false;
        }
    }

    private int Find(int set, long stamp, long slice)
    {
        for (int way = set * Ways; way < (set + 1) * Ways; way++)
            if (_frames[way].Stamp == stamp && _frames[way].Slice == slice)
                return way;
        return -1;
    }

    private int SetOf(long stamp, long slice) =>
        (int)((ulong)(slice + stamp * 977) * 0x9E3779B97F4A7C15 >> 32) & _setMask;

    private void Enter(int set)
    {
        while (Interlocked.CompareExchange(ref _locks[set], 1, 0) != 0)
            Thread.SpinWait(4);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint size, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint size, int advice);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint size);
}
