using System.Runtime.InteropServices;
using System.Threading;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>
/// Blocks of one large write, compressed and sealed in memory by its caller and a helper side by side: each takes the next one that nobody has
/// taken. Whatever concerns the file, its places, entries and errors, stays with the caller (decisions "Who helps with a large write?").
/// </summary>
/// <remarks>
/// At the beginning of <see cref="RoomSize"/> bytes outside of the collected heap, followed by its blocks and then by their stored forms. The runtime does not know the helper's thread, which has no thread-local
/// memory, either: <see cref="Work"/> and what it calls touch no object, throw nothing, and call nothing of the runtime's. A test reads the compiled code.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal unsafe struct AheadJob
{
    public const int Size = 192;

    /// <summary>Blocks at most: their stored forms stay in the processor's cache.</summary>
    public const int MostBlocks = 16, MostBytes = 256 << 10;

    public const int HeadSize = 4096, RoomSize = HeadSize + MostBytes;

    private const int CacheLine = 64;

    private int _taken;
    private fixed byte _alone[CacheLine - sizeof(int)];

    public int Count, BlockSize;
    public long FirstBlock;

    /// <summary>What the blocks hold, one behind the other.</summary>
    public byte* Plain;

    /// <summary>Where their stored forms go: block i, of at most <see cref="BlockSize"/> bytes, at i blocks.</summary>
    public byte* Sealed;

    public AheadKey Key;
    public fixed byte FileId[FileIdSize];

    /// <summary>Takes and does blocks as long as there are any; how many.</summary>
    public static long Work(AheadJob* job)
    {
        long done = 0;
        while (TryWork(job))
            done++;
        return done;
    }

    /// <summary>Takes and does one block. False: all are taken.</summary>
    public static bool TryWork(AheadJob* job)
    {
        int index = Interlocked.Increment(ref job->_taken) - 1;
        if (index >= job->Count)
            return false;
        AheadBlock* block = BlockOf(job, index);
        block->StoredLength = Seal(job, index, block);
        block->IsDone = true;
        return true;
    }

    public static AheadBlock* BlockOf(AheadJob* job, int index) => (AheadBlock*)((byte*)job + Size) + index;

    public readonly bool Has(long block) => block - FirstBlock >= 0 && block - FirstBlock < Count;

    /// <summary>Where its stored form is, from the beginning of all this memory.</summary>
    public readonly int PlaceOf(long block) => HeadSize + (int)(block - FirstBlock) * BlockSize;

    public readonly byte* SealedOf(long block) => Sealed + (block - FirstBlock) * BlockSize;

    /// <summary>Nobody begins a block any more.</summary>
    public static void Close(AheadJob* job) => Volatile.Write(ref job->_taken, MostBlocks);

    private static int Seal(AheadJob* job, int index, AheadBlock* block)
    {
        byte* plain = job->Plain + (long)index * job->BlockSize, target = job->Sealed + (long)index * job->BlockSize;
        // To pay, it must save a page.
        int packed = block->MayCompress == 0 ? 0 : BlockCompressor.CompressAhead(plain, job->BlockSize, target, job->BlockSize - PageSize);
        int length = packed > 0 ? packed : job->BlockSize;
        return BlockVersion.SealAhead(block->Version, job->FileId, job->FirstBlock + index, job->Key, packed > 0 ? StoredKind.Lz4 : StoredKind.Raw,
            packed > 0 ? target : plain, length, target) ? length : 0;
    }
}
