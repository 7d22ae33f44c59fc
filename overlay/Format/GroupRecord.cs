using System;
using System.Buffers.Binary;
using Overlay.Crypto;
using static Overlay.Format.FormatConstants;

namespace Overlay.Format;

/// <summary>Which blocks and child groups of a group exist (format §5); a view of its 128 bytes.</summary>
/// <remarks>
/// OFFSET SIZE FIELD: 0 8 interval · 8 4 present, and bit 31: odd key · 12 4 boot · 16 16 nonce · 32 32 tag · 64 26 children · 90 26 base children ·
/// 116 4 base present · 120 8 base interval.
/// </remarks>
public readonly ref struct GroupRecord
{
    private const byte SealDomain = 2;
    private const int ChildrenOffset = 64;
    private const int ChildrenSize = ChildrenPerGroup / 8;
    private const int BaseChildrenOffset = 90;
    private const int BasePresentOffset = 116;
    private const int BaseIntervalOffset = 120;
    private const uint OddKeyBit = 1U << 31, SlotBits = (1U << GroupBlocks) - 1;

    private readonly Span<byte> _bytes;

    public GroupRecord(Span<byte> indexPage) => _bytes = indexPage.Slice(RecordOffset, RecordSize);

    public ulong Interval
    {
        get => BinaryPrimitives.ReadUInt64LittleEndian(_bytes);
        private set => BinaryPrimitives.WriteUInt64LittleEndian(_bytes, value);
    }

    /// <summary>Bit s: slot s holds data.</summary>
    public uint Present
    {
        get => PresentWord & SlotBits;
        set => PresentWord = value | (PresentWord & ~SlotBits);
    }

    /// <summary>Which of the file's keys has sealed it, as <see cref="DataKey.IsOdd"/>.</summary>
    public bool IsOdd => (PresentWord & OddKeyBit) != 0;

    private uint PresentWord
    {
        get => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[8..]);
        set => BinaryPrimitives.WriteUInt32LittleEndian(_bytes[8..], value);
    }

    public uint Boot
    {
        get => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[12..]);
        private set => BinaryPrimitives.WriteUInt32LittleEndian(_bytes[12..], value);
    }

    /// <summary>The bits of <see cref="Present"/> as they are on disk in any case.</summary>
    public uint BasePresent => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[BasePresentOffset..]);

    /// <summary>Whatever exists without being in the base was written in a later interval than this.</summary>
    public ulong BaseInterval => BinaryPrimitives.ReadUInt64LittleEndian(_bytes[BaseIntervalOffset..]);

    public bool IsZero => _bytes.IndexOfAnyExcept((byte)0) < 0;

    public void Clear() => _bytes.Clear();

    public bool HasChild(int index) => (_bytes[ChildrenOffset + index / 8] >> (index % 8) & 1) != 0;

    public bool HasChildren => _bytes.Slice(ChildrenOffset, ChildrenSize).IndexOfAnyExcept((byte)0) >= 0;

    public bool HasBaseChild(int index) => (_bytes[BaseChildrenOffset + index / 8] >> (index % 8) & 1) != 0;

    /// <summary>Takes what exists now for what is on disk in any case.</summary>
    public void Rebase(ulong interval)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes[BasePresentOffset..], Present);
        _bytes.Slice(ChildrenOffset, ChildrenSize).CopyTo(_bytes[BaseChildrenOffset..]);
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes[BaseIntervalOffset..], interval);
    }

    public void CopyBitsFrom(GroupRecord other)
    {
        Present = other.Present;
        other._bytes.Slice(ChildrenOffset, ChildrenSize).CopyTo(_bytes[ChildrenOffset..]);
    }

    public void CopyBaseFrom(GroupRecord other) => other._bytes[BaseChildrenOffset..].CopyTo(_bytes[BaseChildrenOffset..]);

    public void ClearBits()
    {
        Present = 0;
        _bytes.Slice(ChildrenOffset, ChildrenSize).Clear();
    }

    public void SetChild(int index, bool exists)
    {
        byte bit = (byte)(1 << (index % 8));
        ref byte bits = ref _bytes[ChildrenOffset + index / 8];
        bits = exists ? (byte)(bits | bit) : (byte)(bits & ~bit);
    }

    /// <param name="key">Of <see cref="IsOdd"/>; null: there is no such key any more, so it is not.</param>
    public bool IsAuthentic(ReadOnlySpan<byte> fileId, long group, DataKey? key)
    {
        if (key is null)
            return false;
        Span<byte> associatedData = stackalloc byte[105];
        Describe(associatedData, fileId, group);
        return key.TryOpen(_bytes.Slice(16, 16), associatedData, _bytes.Slice(32, key.TagSize), default) &&
            _bytes[(32 + key.TagSize)..ChildrenOffset].IndexOfAnyExcept((byte)0) < 0;
    }

    public void Seal(ReadOnlySpan<byte> fileId, long group, ulong interval, uint boot, DataKey key)
    {
        Interval = interval;
        PresentWord = Present | (key.IsOdd ? OddKeyBit : 0);
        Boot = boot;
        NonceSource.Next(_bytes.Slice(16, 16));
        Span<byte> associatedData = stackalloc byte[105];
        Describe(associatedData, fileId, group);
        _bytes.Slice(32, 32).Clear();
        key.Seal(_bytes.Slice(16, 16), associatedData, default, _bytes.Slice(32, key.TagSize));
    }

    private void Describe(Span<byte> associatedData, ReadOnlySpan<byte> fileId, long group)
    {
        associatedData[0] = SealDomain;
        fileId.CopyTo(associatedData[1..]);
        BinaryPrimitives.WriteInt64LittleEndian(associatedData[17..], group);
        _bytes[..16].CopyTo(associatedData[25..]);
        _bytes[ChildrenOffset..].CopyTo(associatedData[41..]);
    }
}
