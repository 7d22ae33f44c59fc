using System;
using System.Buffers.Binary;

namespace Overlay.Format;

/// <summary>What a header says of all versions together that exist (format §5, State digest).</summary>
/// <remarks>OFFSET SIZE FIELD in the header: 92 2 epoch · 94 1 writers · 95 1 flags · 200 8 sum.</remarks>
public struct StateDigest
{
    private const int EpochOffset = 92, WritersOffset = 94, FlagsOffset = 95, SumOffset = 200;
    private const byte KeptFlag = 1, UnsyncedFlag = 2, RebootedFlag = 4;

    /// <summary>False: written by a release that knew nothing of it, or given up; the sum says nothing.</summary>
    public bool IsKept { get; set; }

    /// <summary>Something changed since the last sync: after a power loss the sum need not be right.</summary>
    public bool IsUnsynced { get; set; }

    /// <summary>Written in several boots: a power loss in between may have made the sum differ.</summary>
    public bool IsRebooted { get; set; }

    /// <summary>How many processes know of changes that are not in the sum; those that were killed are counted for ever.</summary>
    public byte Writers { get; set; }

    /// <summary>Another one: what a process knew of changes before is in the sum already.</summary>
    public ushort Epoch { get; set; }

    /// <summary>Of the marks of all versions that exist, modulo 2^64.</summary>
    public ulong Sum { get; set; }

    public readonly bool IsExact => IsKept && Writers == 0;

    /// <summary>Starts anew from a sum that is known to be right.</summary>
    public readonly StateDigest Restart(ulong sum) => new()
    {
        IsKept = true, IsUnsynced = true, Epoch = (ushort)(Epoch + 1), Sum = sum,
    };

    internal static StateDigest Read(ReadOnlySpan<byte> header) => new()
    {
        IsKept = (header[FlagsOffset] & KeptFlag) != 0,
        IsUnsynced = (header[FlagsOffset] & UnsyncedFlag) != 0,
        IsRebooted = (header[FlagsOffset] & RebootedFlag) != 0,
        Writers = header[WritersOffset],
        Epoch = BinaryPrimitives.ReadUInt16LittleEndian(header[EpochOffset..]),
        Sum = BinaryPrimitives.ReadUInt64LittleEndian(header[SumOffset..]),
    };

    internal readonly void Write(Span<byte> header)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(header[EpochOffset..], Epoch);
        header[WritersOffset] = Writers;
        header[FlagsOffset] = (byte)((IsKept ? KeptFlag : 0) | (IsUnsynced ? UnsyncedFlag : 0) | (IsRebooted ? RebootedFlag : 0));
        BinaryPrimitives.WriteUInt64LittleEndian(header[SumOffset..], Sum);
    }
}
