using System;
using static Overlay.Format.FormatConstants;

namespace Overlay.Format;

/// <summary>How a block is cut whose units are sealed one by one (format §6). Pure arithmetic.</summary>
public readonly struct UnitLayout
{
    /// <param name="blockSizeLog2">12 to 20.</param>
    /// <param name="tagSize">Of the file's suite: a table has room for four tags of 16 bytes, or two of 32.</param>
    public UnitLayout(int blockSizeLog2, int tagSize)
    {
        SizeLog2 = Math.Max(LeastBlockSizeLog2, blockSizeLog2 - (tagSize > 16 ? 1 : 2));
        Size = 1 << SizeLog2;
        Count = 1 << (blockSizeLog2 - SizeLog2);
    }

    public int SizeLog2 { get; }

    public int Size { get; }

    /// <summary>Units of a block; 1: the block is too small to be cut.</summary>
    public int Count { get; }

    /// <summary>Units of a block of <paramref name="blockLength"/> bytes.</summary>
    public int CountFor(int blockLength) => (blockLength + Size - 1) >> SizeLog2;

    /// <summary>Bytes of a unit in a block of <paramref name="blockLength"/> bytes.</summary>
    public int LengthOf(int unit, int blockLength) => Math.Clamp(blockLength - (unit << SizeLog2), 0, Size);
}
