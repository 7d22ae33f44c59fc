using System;
using System.Buffers.Binary;
using System.Numerics;
using Overlay.Crypto;
using static Overlay.Format.FormatConstants;

namespace Overlay.Format;

/// <summary>Where the units of one version of a block lie, and their nonces and tags (format §6); a view of its 128 bytes.</summary>
/// <remarks>
/// OFFSET SIZE FIELD: 0 4 places, 2 bits a unit · 4 nonce (12) and tag (16, or 32 for aegis-256) of each unit · zeros. What is in it counts only if the version record's seal
/// covers it (<see cref="BlockVersion.IsAuthentic"/>). Place 3: the unit is what it was in the base, a whole version of before, whose nonce and tag are where the first
/// such unit's would be; what more of the base's record there is lies behind the units, and, where the tag is short, behind that of the version (format §6, Base).
/// </remarks>
public readonly ref struct UnitTable(Span<byte> bytes)
{
    private const byte SealDomain = 4;
    private const int AssociatedSize = 26;
    private const int NonceSize = 12;
    private const int FirstUnit = 4;
    private const int BasePlace = 3;
    private const int DescriptionSize = 16;

    /// <summary>In a version record.</summary>
    internal const int TagOffset = DescriptionSize + DataKey.StoredNonceSize;

    public Span<byte> Bytes { get; } = bytes;

    private uint Places => BinaryPrimitives.ReadUInt32LittleEndian(Bytes);

    public int PlaceOf(int unit) => (int)(Places >> 2 * unit & 3);

    public bool IsInBase(int unit) => PlaceOf(unit) == BasePlace;

    /// <summary>Are there units in a base? Those that the block has not have place 0.</summary>
    public bool HasBase => UnitsInBase != 0;

    /// <summary>Bit 2u: unit u.</summary>
    private uint UnitsInBase => Places & Places >> 1 & 0x55555555;

    private int FirstInBase => BitOperations.TrailingZeroCount(UnitsInBase) / 2;

    /// <summary>No unit is its own yet. <see cref="PutBase"/> follows when those that are have been sealed.</summary>
    /// <param name="count">Units of a whole block.</param>
    public void TakeAllFromBase(int count)
    {
        Bytes.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(Bytes, (1U << 2 * count) - 1);
    }

    /// <summary>Puts the base's record together again.</summary>
    /// <param name="description">What follows the tag in the version that the table belongs to; empty if nothing does.</param>
    /// <param name="record">Room for a version record.</param>
    public void CopyBaseTo(int count, int tagSize, ReadOnlySpan<byte> description, Span<byte> record)
    {
        ReadOnlySpan<byte> source = Slot(FirstInBase, tagSize), rest = Bytes[(FirstUnit + count * (NonceSize + tagSize))..];
        record.Clear();
        (description.IsEmpty ? rest.Slice(DataKey.StoredNonceSize - NonceSize, DescriptionSize) : description).CopyTo(record);
        Span<byte> nonce = record.Slice(DescriptionSize, DataKey.StoredNonceSize);
        source[..NonceSize].CopyTo(nonce);
        rest[..(DataKey.StoredNonceSize - NonceSize)].CopyTo(nonce[NonceSize..]);
        source[NonceSize..].CopyTo(record[TagOffset..]);
    }

    /// <summary>After the units that are its own: of the base what has room here. Nothing of it stays where no unit needs it any more.</summary>
    /// <param name="isDescribed">Also what says what it is; else that follows the tag of the version.</param>
    public void PutBase(int count, int tagSize, ReadOnlySpan<byte> record, bool isDescribed)
    {
        Span<byte> rest = Bytes[(FirstUnit + count * (NonceSize + tagSize))..];
        rest.Clear();
        for (int unit = 0; unit < count; unit++)
            if (IsInBase(unit))
                Slot(unit, tagSize).Clear();
        if (!HasBase)
            return;
        ReadOnlySpan<byte> nonce = record.Slice(DescriptionSize, DataKey.StoredNonceSize);
        Span<byte> target = Slot(FirstInBase, tagSize);
        nonce[..NonceSize].CopyTo(target);
        record.Slice(TagOffset, tagSize).CopyTo(target[NonceSize..]);
        nonce[NonceSize..].CopyTo(rest);
        if (isDescribed)
            record[..DescriptionSize].CopyTo(rest[(DataKey.StoredNonceSize - NonceSize)..]);
    }

    /// <summary>
    /// Seals a unit for a place, under a nonce of its own: <paramref name="sealedText"/> receives it with the tag behind it
    /// (<c>plain.Length + TagSize</c> bytes), of which the first <c>plain.Length</c> belong at the place.
    /// </summary>
    public void Seal(ReadOnlySpan<byte> fileId, long block, int unit, int place, DataKey key, ReadOnlySpan<byte> plain, Span<byte> sealedText)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(Bytes, Places & ~(3U << 2 * unit) | (uint)place << 2 * unit);
        Span<byte> nonce = stackalloc byte[DataKey.StoredNonceSize];
        NonceSource.Next(nonce);
        nonce[NonceSize..].Clear();
        Span<byte> associatedData = stackalloc byte[AssociatedSize];
        Describe(associatedData, fileId, block, unit);
        key.Seal(nonce, associatedData, plain, sealedText);
        Span<byte> target = Of(unit, key);
        nonce[..NonceSize].CopyTo(target);
        sealedText.Slice(plain.Length, key.TagSize).CopyTo(target[NonceSize..]);
    }

    /// <summary>
    /// Opens <c>sealedText[..plain.Length]</c>; the buffer must have <c>TagSize</c> bytes more, which are overwritten.
    /// </summary>
    public bool TryOpen(ReadOnlySpan<byte> fileId, long block, int unit, DataKey key, Span<byte> sealedText, Span<byte> plain)
    {
        ReadOnlySpan<byte> source = Of(unit, key);
        Span<byte> nonce = stackalloc byte[DataKey.StoredNonceSize];
        nonce.Clear();
        source[..NonceSize].CopyTo(nonce);
        source[NonceSize..].CopyTo(sealedText[plain.Length..]);
        Span<byte> associatedData = stackalloc byte[AssociatedSize];
        Describe(associatedData, fileId, block, unit);
        return key.TryOpen(nonce, associatedData, sealedText[..(plain.Length + key.TagSize)], plain);
    }

    private Span<byte> Of(int unit, DataKey key) => Slot(unit, key.TagSize);

    private Span<byte> Slot(int unit, int tagSize) => Bytes.Slice(FirstUnit + unit * (NonceSize + tagSize), NonceSize + tagSize);

    private static void Describe(Span<byte> associatedData, ReadOnlySpan<byte> fileId, long block, int unit)
    {
        associatedData[0] = SealDomain;
        fileId.CopyTo(associatedData[1..]);
        BinaryPrimitives.WriteInt64LittleEndian(associatedData[17..], block);
        associatedData[25] = (byte)unit;
    }
}
