using System;
using static Overlay.Format.FormatConstants;

namespace Overlay.Format;

/// <summary>Where things lie in a backing file of one block size (format §2). Pure arithmetic.</summary>
public readonly struct Geometry
{
    public Geometry(int blockSizeLog2)
    {
        BlockSizeLog2 = blockSizeLog2;
        BlockSize = 1 << blockSizeLog2;
        GroupSize = (long)GroupBlocks * BlockSize;
        GroupStride = 3 * PageSize + PlaceCount * GroupSize;
    }

    public int BlockSizeLog2 { get; }

    public int BlockSize { get; }

    /// <summary>Logical bytes of a group: G.</summary>
    public long GroupSize { get; }

    /// <summary>Stored bytes of a group, all places included.</summary>
    public long GroupStride { get; }

    public static long GroupOf(long block) => block / GroupBlocks;

    public static int SlotOf(long block) => (int)(block % GroupBlocks);

    public static long ParentOf(long group) => (group - 1) / ChildrenPerGroup;

    public static int ChildIndexOf(long group) => (int)((group - 1) % ChildrenPerGroup);

    public long BlockOf(long plainOffset) => plainOffset >> BlockSizeLog2;

    /// <summary>The last group of a file of <paramref name="size"/> bytes; 0 for an empty one.</summary>
    public long LastGroup(long size) => size == 0 ? 0 : (size - 1) / GroupSize;

    public long IndexOffset(long group) => group * GroupStride;

    /// <summary>The tables of units of a group (format §6).</summary>
    public long TablesOffset(long group) => IndexOffset(group) + PageSize;

    public static int TableIn(int slot, int half) => (2 * slot + half) * UnitTableSize;

    public long PlaceOffset(long group, int slot, int place) => place == InlinePlace
        ? InlineOffset
        : IndexOffset(group) + 3 * PageSize + place * GroupSize + ((long)slot << BlockSizeLog2);

    /// <summary>Where a group may have something of some bytes of its own, as (offset, length): its index with the tables, and the blocks' places of each kind.</summary>
    /// <param name="ranges">Four.</param>
    public void StoredRanges(long group, long plainOffset, long length, Span<(long Offset, long Length)> ranges)
    {
        long first = BlockOf(plainOffset), last = BlockOf(plainOffset + length - 1);
        ranges[0] = (IndexOffset(group), 3 * PageSize);
        for (int place = 0; place < PlaceCount; place++)
            ranges[1 + place] = (PlaceOffset(group, SlotOf(first), place), (last - first + 1) << BlockSizeLog2);
    }

    /// <summary>The stored size while somebody writes: even, behind everything stored for <paramref name="size"/> bytes.</summary>
    public long UnsettledLength(long size) => (LastGroup(size) + 1) * GroupStride;
}
