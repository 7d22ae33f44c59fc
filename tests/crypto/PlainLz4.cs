using System;
using System.Collections.Generic;

namespace Overlay.Crypto.Tests;

/// <summary>The LZ4 block format, read byte by byte as its document has it, its rules for the end of a block included: a decoder that shares nothing with ours.</summary>
internal static class PlainLz4
{
    public static byte[] Expand(ReadOnlySpan<byte> packed)
    {
        const int LastLiterals = 5, LastMatchStart = 12;
        List<byte> plain = [];
        var at = 0;
        var lastMatchStart = -1;
        for (; ; )
        {
            int token = packed[at++];
            var literals = ReadLength(packed, ref at, token >> 4);
            plain.AddRange(packed.Slice(at, literals));
            at += literals;
            if (at == packed.Length)
            {
                if (lastMatchStart >= 0 && (literals < LastLiterals || plain.Count - lastMatchStart < LastMatchStart))
                    throw new FormatException("the block's end breaks the format's rules");
                return [.. plain];
            }
            var distance = packed[at] | packed[at + 1] << 8;
            at += 2;
            var length = ReadLength(packed, ref at, token & 15) + 4;
            if (distance == 0 || distance > plain.Count)
                throw new FormatException($"a match {distance} bytes before {plain.Count}");
            lastMatchStart = plain.Count;
            for (; length > 0; length--)
                plain.Add(plain[^distance]);
        }
    }

    private static int ReadLength(ReadOnlySpan<byte> packed, ref int at, int length)
    {
        if (length == 15)
            for (byte more = 255; more == 255; length += more)
                more = packed[at++];
        return length;
    }
}
