namespace Overlay.Format;

/// <summary>The numbers of docs/format.md. <c>shim/native/format.h</c> repeats some; a test compares them.</summary>
public static class FormatConstants
{
    public const ushort Version = 1;

    public const int PageSize = 4096;
    public const int SectorSize = 512;
    public const int GroupBlocks = 29;
    public const int ChildrenPerGroup = 208;
    public const int PlaceCount = 3;

    public const int LeastBlockSizeLog2 = 12;
    public const int GreatestBlockSizeLog2 = 20;
    public const int DefaultBlockSizeLog2 = 14;

    public const int HeaderSize = 256;
    public const int RecordOffset = 256;
    public const int RecordSize = 128;
    public const int EntryOffset = 384;
    public const int EntrySize = 128;
    public const int VersionSize = 64;

    /// <summary>Behind the index page: two tables of units a slot (format §6).</summary>
    public const int UnitTableSize = 128;
    public const int UnitTablesSize = GroupBlocks * 2 * UnitTableSize;

    /// <summary>Where block 0 lies in page 0 of a file that is not indexed, and how long it may be (format §2).</summary>
    public const int InlineOffset = 512;
    public const int InlineSize = PageSize - InlineOffset;
    public const int InlinePlace = 3;

    /// <summary>The number of a file's key is kept modulo this (format §4).</summary>
    public const int KeyEpochs = 32;

    public const int FileIdSize = 16;
    public const int VolumeIdSize = 16;

    /// <summary>The sticky bit, the hint that a regular file is sealed (design D7).</summary>
    public const uint SealedModeBit = 0x200;

    public static System.ReadOnlySpan<byte> Magic => [0x89, 0x4F, 0x56, 0x4C, 0x59, 0x0D, 0x0A, 0x1A];
}
