using System;
using System.Buffers.Binary;
using Overlay.Crypto;
using static Overlay.Format.FormatConstants;

namespace Overlay.Format;

/// <summary>Where the units of one version of a block lie, and their nonces and tags (format §6); a view of its 128 bytes.</summary>
/// <remarks>
/// OFFSET SIZE FIELD: 0 4 places, 2 bits a unit · 4 nonce (12) and tag (16, or 32 for aegis-256) of each unit · zeros. What is in it counts only if the version record's seal
/// covers it (<see cref="BlockVersion.IsAuthentic"/>).
/// </remarks>
public readonly ref struct UnitTable(Span<byte> bytes)
{
    private const byte SealDomain = 4;
    private const int AssociatedSize = 26;
    private const int NonceSize = 12;
    private const int FirstUnit = 4;

    public Span<byte> Bytes { get; } = bytes;

    private uint Places => BinaryPrimitives.ReadUInt32LittleEndian(Bytes);

    public int PlaceOf(int unit) => (int)(Places >> 2 * unit & 3);

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

    private Span<byte> Of(int unit, DataKey key) => Bytes.Slice(FirstUnit + unit * (NonceSize + key.TagSize), NonceSize + key.TagSize);

    private static void Describe(Span<byte> associatedData, ReadOnlySpan<byte> fileId, long block, int unit)
    {
        associatedData[0] = SealDomain;
        fileId.CopyTo(associatedData[1..]);
        BinaryPrimitives.WriteInt64LittleEndian(associatedData[17..], block);
        associatedData[25] = (byte)unit;
    }
}
