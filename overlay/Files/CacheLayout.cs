using System.Runtime.InteropServices;

namespace Overlay.Files;

/// <summary>Where cached slices lie: the filter finds them itself (shim/native/block_cache.h, which repeats this file; a test compares them).</summary>
/// <remarks>OFFSET SIZE FIELD: 0 8 frames · 8 8 sets, null while there are none · 16 4 log2 of the number of sets · 20 4 of the number of frames of a way.</remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct CacheTable
{
    public byte* Frames;
    public CacheSet* Sets;
    public int SetsLog2;
    public int WayLog2;
}

/// <summary>What the frames of one set hold. The version is odd while that changes: what was copied meanwhile does not count.</summary>
/// <remarks>
/// OFFSET SIZE FIELD: 0 4 version · 4 4 hand · 8 4×1 was used · 16 4×4 length · 32 4×16 stamp and slice · 96 4×4 what was evicted last. Way
/// <c>w</c> of set <c>s</c> is the way's frame <c>s</c>: neighbouring slices lie side by side.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = 128)]
public unsafe struct CacheSet
{
    public const int Ways = 4;

    public uint Version;
    public uint Hand;
    public fixed byte WasUsed[Ways];
    private readonly uint _unused;
    public fixed int Length[Ways];
    public fixed long Keys[2 * Ways];
    public fixed uint Evicted[Ways];
}

/// <summary>What of one sealed file the filter needs to read it from the cache. The version is odd while that changes.</summary>
/// <remarks>
/// OFFSET SIZE FIELD: 0 8 version · 8 8 the coherence word with which the rest holds · 16 8 where that word is · 24 8 where the inode's live word
/// is · 32 8 stamp · 40 8 logical size · 48 4 log2 of the bytes of a slice · 52 4 the process's count of forks
/// while the offsets of its descriptors are this process's alone, else -1 · 56 8 where the last read at a
/// descriptor's own offset has left it: a guess, which the filter writes, too.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = 64)]
public unsafe struct CachedFileData
{
    public ulong Version;
    public ulong ValidWord;
    public ulong* Word;
    public ulong* LiveWord;
    public long Stamp;
    public long Size;
    public int SliceSizeLog2;
    public int ForkCount;
    public long Offset;
}
