using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Overlay.Crypto;

/// <summary>
/// Compresses blocks of at most 64 KiB into the LZ4 block format: greedy, one candidate for each hash. Writing is bound by this more than by
/// anything else, and K4os's own takes half as long again to more than twice as long (decisions "Who compresses?").
/// </summary>
/// <remarks>
/// The format: sequences of a token (lengths in four bits each, 15 = more bytes follow), literals, a distance of two bytes, and a match of four bytes
/// or more. The last five bytes are literals, and no match begins in the last twelve.
/// </remarks>
internal static unsafe class Lz4Encoder
{
    /// <summary>What positions of 16 bits reach.</summary>
    internal const int Greatest = 1 << 16;

    private const int HashBits = 13, LeastMatch = 4, LastLiterals = 5;

    /// <summary>More than the twelve of the format: literals are copied sixteen at a time, and none is read behind the block.</summary>
    private const int LastMatchStart = 16;

    /// <summary>Room asked for before a sequence is written, beyond what it needs for certain: copies go over by up to 15 bytes.</summary>
    private const int Slack = 24;

    /// <summary>After so many tries without a match steps become longer: what does not shrink should not take long, either.</summary>
    private const int PatienceLog2 = 6;

    /// <summary>The packed length, or 0 if it may not fit into <paramref name="target"/>. Uses 16 KiB of the stack.</summary>
    internal static int Encode(ReadOnlySpan<byte> plain, Span<byte> target) => Encode(plain, target, default, plain.Length);

    /// <summary>The same, but 0 also if it saves no page, and no more is compressed than what saves pages.</summary>
    internal static int Encode(ReadOnlySpan<byte> plain, Span<byte> target, PackedPages pages) => Encode(plain, target, pages, PackedPages.First);

    /// <summary>What literals take that a match does not follow.</summary>
    internal static int LiteralsSize(int length) => length + 1 + (length + 240) / 255;

    /// <summary>
    /// The same for who has pointers alone. The runtime need not know the thread (<see cref="BlockCompressor.CompressAhead"/>): nothing is called from here on but
    /// what is written here.
    /// </summary>
    internal static int Encode(byte* source, int size, byte* packed, int room, PackedPages pages) => Encode(source, size, packed, room, pages, PackedPages.First);

    private static int Encode(ReadOnlySpan<byte> plain, Span<byte> target, PackedPages pages, int firstLook)
    {
        fixed (byte* source = plain, packed = target)
            return Encode(source, plain.Length, packed, target.Length, pages, firstLook);
    }

    [SkipLocalsInit]
    private static int Encode(byte* source, int size, byte* packed, int room, PackedPages pages, int firstLook)
    {
        ushort* seen = stackalloc ushort[1 << HashBits];
        Clear(seen);
        byte* end = source + size, anchor = source, output = packed, outputEnd = packed + room;
        byte* searchEnd = source + Math.Max(size - LastMatchStart, 0), at = source + 1, look = source + Math.Min(firstLook, size);
        while (size > LastMatchStart && (at = FindMatch(seen, source, at, searchEnd, out byte* match)) != null)
        {
            // Not extended to what precedes it: guessing how far wrongly costs more than the bytes are worth.
            int literals = (int)(at - anchor), length = CountEqual(at + LeastMatch, match + LeastMatch, end - LastLiterals);
            if (output + literals + (literals + length >> 8) + Slack > outputEnd)
                return 0;
            output = WriteSequence(output, anchor, literals, (int)(at - match), length);
            anchor = at += LeastMatch + length;
            if (at >= look)
            {
                Effort effort = pages.After((int)(at - source), (int)(output - packed));
                if (effort == Effort.InVain)
                    return 0;
                if (effort == Effort.Enough)
                    break;
                look = at + PackedPages.Step;
            }
            if (at >= searchEnd)
                break;
            seen[Hash(at - 4)] = (ushort)(at - 4 - source);
            seen[Hash(at - 2)] = (ushort)(at - 2 - source);
        }
        return WriteLast(output, outputEnd, anchor, (int)(end - anchor), packed);
    }

    /// <summary>Written out, like the copy below: the library's own call libc, for which the runtime must know the thread.</summary>
    private static void Clear(ushort* seen)
    {
        for (int i = 0; i < 1 << HashBits; i += Vector256<ushort>.Count)
            Vector256.Store(Vector256<ushort>.Zero, seen + i);
    }

    /// <summary>The first place from <paramref name="at"/> on whose four bytes were seen before; null: none before the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* FindMatch(ushort* seen, byte* source, byte* at, byte* searchEnd, out byte* match)
    {
        uint tries = 1 << PatienceLog2;
        for (; at <= searchEnd; at += tries++ >> PatienceLog2)
        {
            uint hash = Hash(at);
            match = source + seen[hash];
            seen[hash] = (ushort)(at - source);
            if (Word(match) == Word(at))
                return at;
        }
        match = null;
        return null;
    }

    /// <summary>Of five bytes: fewer of the places that it leads to differ in the fourth.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Hash(byte* at) => (uint)((Unsafe.ReadUnaligned<ulong>(at) << 24) * 0x9E3779B97F4A7C15 >> (64 - HashBits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Word(byte* at) => Unsafe.ReadUnaligned<uint>(at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int CountEqual(byte* at, byte* match, byte* end)
    {
        byte* start = at;
        if (at + 16 <= end)
        {
            // Most matches end here: one comparison, rather than a loop to be guessed wrong.
            uint equal = Vector128.Equals(Vector128.Load(at), Vector128.Load(match)).ExtractMostSignificantBits();
            if (equal != 0xFFFF)
                return BitOperations.TrailingZeroCount(~equal);
            at += 16;
            match += 16;
        }
        for (; at + 8 <= end; at += 8, match += 8)
        {
            ulong difference = Unsafe.ReadUnaligned<ulong>(at) ^ Unsafe.ReadUnaligned<ulong>(match);
            if (difference != 0)
                return (int)(at - start) + (BitOperations.TrailingZeroCount(difference) >> 3);
        }
        for (; at < end && *at == *match; at++)
            match++;
        return (int)(at - start);
    }

    /// <param name="length">Of the match, beyond the first four bytes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* WriteSequence(byte* output, byte* from, int literals, int distance, int length)
    {
        *output++ = (byte)(AtMost15(literals) << 4 | AtMost15(length));
        output = WriteRest(output, literals);
        byte* to = output;
        output += literals;
        Vector128.Store(Vector128.Load(from), to); // mostly that is all: no loop to be guessed wrong
        for (int done = 16; done < literals; done += 16)
            Vector128.Store(Vector128.Load(from + done), to + done);
        Unsafe.WriteUnaligned(output, (ushort)distance);
        return WriteRest(output + 2, length);
    }

    /// <summary>Without a branch: it would be guessed wrong too often.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int AtMost15(int length) => 15 + (length - 15 & length - 15 >> 31);

    /// <summary>What of a length is not in the token: nothing below 15.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte* WriteRest(byte* output, int length)
    {
        for (; length >= 15 + 255; length -= 255)
            *output++ = 255;
        *output = (byte)(length - 15); // written over by what follows if it is not needed
        return output + ((uint)(14 - length) >> 31);
    }

    private static int WriteLast(byte* output, byte* outputEnd, byte* literals, int count, byte* packed)
    {
        if (LiteralsSize(count) > outputEnd - output)
            return 0;
        *output++ = (byte)(AtMost15(count) << 4);
        if (count >= 15)
            output = WriteRest(output, count);
        int done = 0;
        for (; done + Vector256<byte>.Count <= count; done += Vector256<byte>.Count)
            Vector256.Store(Vector256.Load(literals + done), output + done);
        for (; done < count; done++)
            output[done] = literals[done];
        return (int)(output + count - packed);
    }
}
