using System;
using System.Linq;
using System.Runtime.InteropServices;
using K4os.Compression.LZ4;
using Overlay.Crypto;
using Xunit;

namespace Overlay.Crypto.Tests;

/// <summary>What is encoded is expanded by somebody else's decoder; and nothing outside of the two spans is touched.</summary>
public sealed unsafe partial class Lz4EncoderTests
{
    public static TheoryData<string> Kinds => ["zeros", "random", "text", "records", "runs", "far"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Any_length_comes_back(string kind)
    {
        var data = Make(kind, Lz4Encoder.Greatest);
        var lengths = Enumerable.Range(1, 300).Concat([4095, 4096, 4097, 16383, 16384, 16385, 65535, 65536]);
        foreach (var length in lengths)
        {
            var plain = data.AsSpan(data.Length - length);
            var packed = new byte[length + length / 255 + 64];
            var packedLength = Lz4Encoder.Encode(plain, packed);
            Assert.InRange(packedLength, 1, packed.Length);
            var expanded = new byte[length];
            Assert.Equal(length, LZ4Codec.Decode(packed.AsSpan(0, packedLength), expanded));
            Assert.True(plain.SequenceEqual(expanded), $"{kind}, {length} bytes");
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_does_not_fit_is_told_and_not_written(string kind)
    {
        var plain = Make(kind, 16384);
        var whole = Lz4Encoder.Encode(plain, new byte[20000]);
        for (var room = 0; room < whole + 40; room += room < whole - 40 ? 97 : 1)
        {
            using Fence target = new(room, atEnd: true);
            var length = Lz4Encoder.Encode(plain, target.Span);
            Assert.True(length == 0 || (length == whole && room >= whole), $"{kind}: {length} of {whole} in {room}");
            Assert.True(room < whole + 32 || length == whole, $"{kind}: {whole} bytes were refused {room}");
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Nothing_before_or_behind_the_block_is_read(string kind)
    {
        var packed = new byte[20000];
        foreach (var length in Enumerable.Range(0, 100).Concat([4096, 16384 - 5, 16384]))
            foreach (var atEnd in new[] { false, true })
            {
                using Fence source = new(length, atEnd);
                Make(kind, length).CopyTo(source.Span);
                Assert.InRange(Lz4Encoder.Encode(source.Span, packed), 1, packed.Length);
            }
    }

    [Fact]
    public void Text_shrinks_as_with_the_reference()
    {
        var plain = Make("text", 16384);
        var theirs = LZ4Codec.Encode(plain, new byte[20000], LZ4Level.L00_FAST);
        Assert.InRange(Lz4Encoder.Encode(plain, new byte[20000]), 1, theirs * 21 / 20);
    }

    [Fact]
    public void A_block_beyond_64_KiB_is_still_compressed()
    {
        var plain = Make("text", Lz4Encoder.Greatest + 1);
        var packed = new byte[plain.Length];
        var length = BlockCompressor.Compress(plain, packed);
        var expanded = new byte[plain.Length];
        Assert.True(length > 0 && BlockCompressor.TryExpand(packed.AsSpan(0, length), expanded, out var count) && count == plain.Length);
        Assert.Equal(plain, expanded);
    }

    private static byte[] Make(string kind, int length)
    {
        Random random = new(7);
        var data = new byte[length];
        for (var i = 0; i < length; i++)
            data[i] = kind switch
            {
                "zeros" => 0,
                "random" => (byte)random.Next(256),
                "text" => (byte)"the quick brown fox jumps over the lazy dog, and so on: "[random.Next(8) == 0 ? random.Next(50) : i % 50],
                "records" => (byte)(i % 64 < 40 ? i % 7 : random.Next(256)),
                "runs" => (byte)(i / 700),
                // Each 60,000 bytes the same: distances of nearly 16 bits.
                _ => (byte)((i % 60000 * 2654435761L) >> 13),
            };
        return data;
    }

    /// <summary>Memory between two pages that nobody may touch.</summary>
    private sealed class Fence : IDisposable
    {
        private readonly nint _memory;
        private readonly nuint _size;
        private readonly int _length, _start;

        internal Fence(int length, bool atEnd)
        {
            const int Page = 4096, NoAccess = 0, ReadWrite = 3, PrivateAnonymous = 0x22;
            var pages = Math.Max(1, (length + Page - 1) / Page);
            _size = (nuint)((pages + 2) * Page);
            _memory = Map(0, _size, NoAccess, PrivateAnonymous, -1, 0);
            Assert.NotEqual(-1, _memory);
            Assert.Equal(0, Protect(_memory + Page, (nuint)(pages * Page), ReadWrite));
            _length = length;
            _start = Page + (atEnd ? pages * Page - length : 0);
        }

        internal Span<byte> Span => new((void*)(_memory + _start), _length);

        public void Dispose() => _ = Unmap(_memory, _size);
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint size, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint size, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint size);
}
