using System;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Overlay.Crypto;
using static Overlay.Format.FormatConstants;

namespace Overlay.Format;

public enum StoredKind
{
    Raw = 1,
    Lz4 = 2,

    /// <summary>Units, each sealed for itself at a place of its own; a <see cref="UnitTable"/> has the rest.</summary>
    Units = 3,
}

/// <summary>One version of a block: half an entry (format §6); a view of its 64 bytes.</summary>
/// <remarks>OFFSET SIZE FIELD: 0 8 interval · 8 4 word (length 24, place 2, kind 2, odd key 1) · 12 4 boot · 16 16 nonce · 32 32 tag.</remarks>
public readonly ref struct BlockVersion
{
    private const byte SealDomain = 3;
    private const int AssociatedSize = 41;
    private const int DescriptionSize = 16;
    private const uint LengthMask = 0xFFFFFF;
    private const int PlaceShift = 24, KindShift = 26, FirstUnusedBit = 29;
    private const uint OddKeyBit = 1U << 28;

    private readonly Span<byte> _bytes;

    private BlockVersion(Span<byte> bytes) => _bytes = bytes;

    public static BlockVersion Current(Span<byte> indexPage, int slot) =>
        new(indexPage.Slice(EntryOffset + slot * EntrySize, VersionSize));

    public static BlockVersion Durable(Span<byte> indexPage, int slot) =>
        new(indexPage.Slice(EntryOffset + slot * EntrySize + VersionSize, VersionSize));

    /// <param name="bytes">A version record that lies elsewhere than in an entry.</param>
    public static BlockVersion Of(Span<byte> bytes) => new(bytes[..VersionSize]);

    public ulong Interval => BinaryPrimitives.ReadUInt64LittleEndian(_bytes);

    public uint Boot => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[12..]);

    /// <summary>All but the tag. No two versions have the same: the nonce is in it.</summary>
    public ReadOnlySpan<byte> Description => _bytes[..32];

    /// <summary>Of a version in units: its plain length.</summary>
    public int StoredLength => (int)(Word & LengthMask);

    /// <summary>Of a version in units: which of the slot's two tables is its own.</summary>
    public int Place => (int)(Word >> PlaceShift & 3);

    public StoredKind Kind => (StoredKind)(Word >> KindShift & 3);

    /// <summary>Which of the file's keys has sealed it, as <see cref="DataKey.IsOdd"/>.</summary>
    public bool IsOdd => (Word & OddKeyBit) != 0;

    public bool IsInUnits => Kind == StoredKind.Units;

    public bool IsZero => _bytes.IndexOfAnyExcept((byte)0) < 0;

    private uint Word => BinaryPrimitives.ReadUInt32LittleEndian(_bytes[8..]);

    public void Clear() => _bytes.Clear();

    public void CopyTo(Span<byte> record) => _bytes.CopyTo(record);

    public void CopyFrom(BlockVersion other) => other._bytes.CopyTo(_bytes);

    /// <summary>Could this describe stored bytes at all? Authenticity is the seal's matter.</summary>
    public bool IsSane(int blockSize, bool mayBeInline) =>
        StoredLength >= 1 && StoredLength <= blockSize && Word >> FirstUnusedBit == 0 &&
        (IsInUnits ? Place <= 1 : Kind is StoredKind.Raw or StoredKind.Lz4 && (Place != InlinePlace || (mayBeInline && StoredLength <= InlineSize)));

    /// <summary>
    /// Describes and seals a block's stored form: <paramref name="sealedText"/> receives it with the tag behind it
    /// (<c>stored.Length + TagSize</c> bytes), of which the first <c>stored.Length</c> belong at the place.
    /// </summary>
    public void Seal(
        ReadOnlySpan<byte> fileId, long block, ulong interval, uint boot, int place, StoredKind kind, DataKey key,
        ReadOnlySpan<byte> stored, Span<byte> sealedText)
    {
        Begin(interval, boot, (uint)stored.Length | (uint)place << PlaceShift | (uint)kind << KindShift, key);
        Span<byte> associatedData = stackalloc byte[AssociatedSize];
        Describe(associatedData, fileId, block);
        key.Seal(_bytes.Slice(16, 16), associatedData, stored, sealedText);
        _bytes.Slice(32, 32).Clear();
        sealedText.Slice(stored.Length, key.TagSize).CopyTo(_bytes[32..]);
    }

    /// <summary>
    /// Describes a block whose stored form is not known yet; <see cref="SealAhead"/> does the rest. The nonce counts as used. (Kind and length stay zero.)
    /// </summary>
    public void Announce(ulong interval, uint boot, int place, DataKey key)
    {
        Begin(interval, boot, (uint)place << PlaceShift, key);
        key.Announce(_bytes.Slice(16, 16));
    }

    /// <summary>Does it say of a block, whatever its stored form, what <see cref="Announce"/> would say now?</summary>
    public bool IsAsAnnounced(ulong interval, uint boot, int place, DataKey key) =>
        Interval == interval && Boot == boot && Place == place && IsOdd == key.IsOdd;

    /// <summary>
    /// What <see cref="Seal"/> does behind the nonce, with pointers and without anything of the runtime's, for a version that was announced.
    /// </summary>
    /// <param name="version">All of it: <see cref="VersionSize"/> bytes.</param>
    /// <param name="target">Of the stored bytes; may be where they are.</param>
    internal static unsafe bool SealAhead(byte* version, byte* fileId, long block, in AheadKey key, StoredKind kind, byte* stored, int length, byte* target)
    {
        uint word = Unsafe.ReadUnaligned<uint>(version + 8) | (uint)length | (uint)kind << KindShift;
        Unsafe.WriteUnaligned(version + 8, word);
        byte* associatedData = stackalloc byte[AssociatedSize];
        associatedData[0] = SealDomain;
        Unsafe.WriteUnaligned(associatedData + 1, Unsafe.ReadUnaligned<UInt128>(fileId));
        Unsafe.WriteUnaligned(associatedData + 17, block);
        Unsafe.WriteUnaligned(associatedData + 25, Unsafe.ReadUnaligned<UInt128>(version));
        return key.Seal(version + 16, associatedData, AssociatedSize, stored, length, target, version + 32);
    }

    /// <summary>Describes a version in units, of <paramref name="length"/> plain bytes, and seals it together with its table.</summary>
    /// <param name="half">Which of the slot's two tables it is, 0 or 1.</param>
    /// <param name="description">What follows the tag: nothing, or, of a base, what its table has no room for.</param>
    public void SealUnits(
        ReadOnlySpan<byte> fileId, long block, ulong interval, uint boot, int half, int length, DataKey key, ReadOnlySpan<byte> table,
        ReadOnlySpan<byte> description = default)
    {
        Begin(interval, boot, (uint)length | (uint)half << PlaceShift | (uint)StoredKind.Units << KindShift, key);
        _bytes.Slice(32, 32).Clear();
        description.CopyTo(_bytes[(32 + key.TagSize)..]);
        Span<byte> associatedData = stackalloc byte[AssociatedSize + UnitTableSize + DescriptionSize];
        key.Seal(_bytes.Slice(16, 16), Describe(associatedData, fileId, block, table, description), default, _bytes.Slice(32, key.TagSize));
    }

    /// <summary>Of a version in units: do it and <paramref name="table"/> belong together, as they were sealed?</summary>
    /// <param name="key">Of <see cref="IsOdd"/>; null: there is no such key any more, so they do not.</param>
    public bool IsAuthentic(ReadOnlySpan<byte> fileId, long block, DataKey? key, ReadOnlySpan<byte> table)
    {
        if (key is null)
            return false;
        Span<byte> associatedData = stackalloc byte[AssociatedSize + UnitTableSize + DescriptionSize];
        return key.TryOpen(
            _bytes.Slice(16, 16), Describe(associatedData, fileId, block, table, DescriptionBehind(key.TagSize)), _bytes.Slice(32, key.TagSize), default);
    }

    /// <summary>Of a version in units: what follows its tag, of a base (format §6); empty where that is zero, or no room.</summary>
    public ReadOnlySpan<byte> DescriptionBehind(int tagSize)
    {
        ReadOnlySpan<byte> behind = _bytes[(32 + tagSize)..];
        return behind.IndexOfAnyExcept((byte)0) < 0 ? default : behind;
    }

    /// <summary>Opens the stored bytes, <see cref="StoredLength"/> of them.</summary>
    /// <param name="key">Of <see cref="IsOdd"/>; null: there is no such key any more.</param>
    public bool TryOpen(ReadOnlySpan<byte> fileId, long block, DataKey? key, ReadOnlySpan<byte> text, Span<byte> stored)
    {
        if (key is null)
            return false;
        Span<byte> associatedData = stackalloc byte[AssociatedSize];
        Describe(associatedData, fileId, block);
        return _bytes[(32 + key.TagSize)..].IndexOfAnyExcept((byte)0) < 0 &&
            key.TryOpen(_bytes.Slice(16, 16), associatedData, text[..StoredLength], _bytes.Slice(32, key.TagSize), stored[..StoredLength]);
    }

    private void Begin(ulong interval, uint boot, uint word, DataKey key)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes, interval);
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes[8..], word | (key.IsOdd ? OddKeyBit : 0));
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes[12..], boot);
        NonceSource.Next(_bytes.Slice(16, 16));
    }

    private ReadOnlySpan<byte> Describe(
        Span<byte> associatedData, ReadOnlySpan<byte> fileId, long block, ReadOnlySpan<byte> table, ReadOnlySpan<byte> description)
    {
        Describe(associatedData, fileId, block);
        table.CopyTo(associatedData[AssociatedSize..]);
        description.CopyTo(associatedData[(AssociatedSize + UnitTableSize)..]);
        return associatedData[..(AssociatedSize + UnitTableSize + description.Length)];
    }

    private void Describe(Span<byte> associatedData, ReadOnlySpan<byte> fileId, long block)
    {
        associatedData[0] = SealDomain;
        fileId.CopyTo(associatedData[1..]);
        BinaryPrimitives.WriteInt64LittleEndian(associatedData[17..], block);
        _bytes[..16].CopyTo(associatedData[25..]);
    }
}
