using System;
using K4os.Compression.LZ4;

namespace Overlay.Crypto;

/// <summary>LZ4 block format.</summary>
public static class BlockCompressor
{
    public const int MostAhead = Lz4Encoder.Greatest;

    /// <summary>
    /// The packed length, or 0 if it would not fit, or might by a few bytes not fit, into <paramref name="target"/>. Blocks of at most 64 KiB are compressed only
    /// as far as that saves pages, and not at all if it saves none.
    /// </summary>
    /// <param name="freeLength">What is stored in so many bytes takes no page.</param>
    public static int Compress(ReadOnlySpan<byte> plain, Span<byte> target, int freeLength = 0) => plain.Length <= Lz4Encoder.Greatest
        ? Lz4Encoder.Encode(plain, target, new PackedPages(plain.Length, freeLength))
        : Math.Max(0, LZ4Codec.Encode(plain, target, LZ4Level.L00_FAST));

    /// <summary>
    /// <see cref="Compress"/> of a block of at most <see cref="MostAhead"/> bytes, with pointers, and without anything of the runtime's: a thread may call it that
    /// the runtime does not know.
    /// </summary>
    /// <param name="room">Bytes at <paramref name="target"/>.</param>
    public static unsafe int CompressAhead(byte* plain, int length, byte* target, int room) =>
        Lz4Encoder.Encode(plain, length, target, room, new PackedPages(length, freeLength: 0));

    /// <summary>False for what is not LZ4 or expands beyond <paramref name="plain"/>.</summary>
    public static bool TryExpand(ReadOnlySpan<byte> packed, Span<byte> plain, out int length)
    {
        length = LZ4Codec.Decode(packed, plain);
        return length >= 0;
    }
}
