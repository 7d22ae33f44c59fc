using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using CsCheck;
using K4os.Compression.LZ4;
using Overlay.Crypto;
using Xunit;

namespace Overlay.Crypto.Tests;

/// <summary>A block is compressed only as far as that saves pages: what that costs in pages, and that all of it expands again.</summary>
public sealed class PackedPagesTests
{
    private const int BlockSize = 16384, PageSize = 4096, InlineSize = 3584;

    /// <summary>Real data that is at hand wherever this runs: sources, machine code, and rows such as databases have.</summary>
    public static TheoryData<string> Corpora => ["text", "programs", "rows", "random"];

    [Theory]
    [MemberData(nameof(Corpora))]
    public void Hardly_a_page_is_lost_against_compressing_all_of_each_block(string corpus)
    {
        long all = 0, reference = 0, ours = 0, raw = 0;
        var room = new byte[BlockSize];
        foreach (var block in BlocksOf(corpus))
        {
            raw += PagesOf(block.Length);
            all += PagesOrRaw(block, Lz4Encoder.Encode(block.Span, room.AsSpan(0, Limit(block.Length))));
            reference += PagesOrRaw(block, LZ4Codec.Encode(block.Span, room.AsSpan(0, Limit(block.Length)), LZ4Level.L00_FAST));
            ours += PagesOrRaw(block, BlockCompressor.Compress(block.Span, room.AsSpan(0, Limit(block.Length))));
        }
        Assert.InRange(ours, 1, raw);
        Assert.True(ours <= all * 1.02, $"{ours} pages, {all} if all is compressed, {raw} raw");
        Assert.True(ours <= reference * 1.03, $"{ours} pages, {reference} with K4os, {raw} raw");
        Assert.True(corpus == "random" || ours <= raw * 0.9, $"{ours} pages of {raw}");
    }

    [Theory]
    [MemberData(nameof(Corpora))]
    public void What_is_compressed_in_part_expands(string corpus)
    {
        var room = new byte[BlockSize];
        foreach (var block in BlocksOf(corpus).Where((_, index) => index % 5 == 0))
            AssertExpands(block.Span, room.AsSpan(0, Limit(block.Length)), BlockCompressor.Compress(block.Span, room.AsSpan(0, Limit(block.Length))));
    }

    [Fact]
    public void Compressing_ends_where_it_saves_no_further_page()
    {
        // Half of it shrinks to nothing, which saves two pages; the other half cannot shrink by as much as one.
        var block = new byte[BlockSize];
        new Random(3).NextBytes(block.AsSpan(BlockSize / 2));
        for (var i = BlockSize / 2; i < BlockSize; i += 64)
            block.AsSpan(BlockSize / 2, 8).CopyTo(block.AsSpan(i));
        var room = new byte[BlockSize];
        var length = BlockCompressor.Compress(block, room.AsSpan(0, Limit(BlockSize)));
        var whole = Lz4Encoder.Encode(block, new byte[BlockSize]);
        Assert.Equal(PagesOf(whole), PagesOf(length));
        Assert.True(length > whole, $"{length} bytes, {whole} if all is compressed");
        AssertExpands(block, room, length);
    }

    [Fact]
    public void What_lies_behind_the_header_is_worth_more_than_a_page()
    {
        var text = BlocksOf("text").Where(block => block.Length > 2 * PageSize).Select((block, index) => block[..(PageSize + 100 + index % 20 * 150)]);
        var room = new byte[BlockSize];
        long inline = 0, inlineOfAll = 0;
        foreach (var block in text)
        {
            var length = BlockCompressor.Compress(block.Span, room.AsSpan(0, PageSize), InlineSize);
            AssertExpands(block.Span, room, length);
            inline += length is > 0 and <= InlineSize ? 1 : 0;
            inlineOfAll += Lz4Encoder.Encode(block.Span, room.AsSpan(0, PageSize)) is > 0 and <= InlineSize ? 1 : 0;
        }
        Assert.True(inlineOfAll > 10, $"{inlineOfAll}");
        Assert.True(inline >= inlineOfAll * 0.95, $"{inline} of {inlineOfAll}");
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        var blocks = BlocksOf("programs").Take(40).ToList();
        var room = new byte[BlockSize];
        var before = 0L;
        for (var round = 0; round < 2; round++)
        {
            before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < blocks.Count; i++)
                _ = BlockCompressor.Compress(blocks[i].Span, room.AsSpan(0, Limit(blocks[i].Length)));
        }
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    /// <summary>Pieces that repeat themselves from here and there, at distances and of lengths around what the format changes at.</summary>
    [Fact]
    public void Whatever_is_compressed_expands_in_two_decoders_or_is_refused()
    {
        Gen.Select(Gen.Int[0, int.MaxValue], Gen.Int[0, Lz4Encoder.Greatest - 1], Gen.Int[0, 2 * PageSize], Gen.Int[0, 5000]).Sample((seed, size, less, free) =>
        {
            Random random = new(seed);
            var plain = Patterned(random, 1 + (random.Next(4) == 0 ? size % 600 : size));
            var room = new byte[Math.Max(0, plain.Length - less % (plain.Length + 1)) + random.Next(3) * 8];
            AssertExpands(plain, room, BlockCompressor.Compress(plain, room, free));
            AssertExpands(plain, room, Lz4Encoder.Encode(plain, room));
        }, iter: 3000);
    }

    private static byte[] Patterned(Random random, int length)
    {
        var plain = new byte[length];
        var symbols = random.Next(1, 257);
        for (var at = 0; at < length;)
        {
            var count = Math.Min(length - at, random.Next(6) switch
            {
                0 => random.Next(1, 5),
                1 => random.Next(12, 22),
                2 => 15 + 255 * random.Next(0, 4) + random.Next(-2, 3),
                3 => random.Next(1, 4000),
                _ => random.Next(1, 40),
            });
            var distance = random.Next(8) == 0 ? random.Next(1, 9) : random.Next(1, at + 2);
            if (at == 0 || distance > at || random.Next(3) == 0)
                for (var i = 0; i < count; i++)
                    plain[at + i] = (byte)random.Next(symbols);
            else
                for (var i = 0; i < count; i++)
                    plain[at + i] = plain[at + i - distance];
            at += count;
        }
        return plain;
    }

    private static void AssertExpands(ReadOnlySpan<byte> plain, ReadOnlySpan<byte> packed, int length)
    {
        if (length == 0)
            return;
        Assert.InRange(length, 1, packed.Length);
        var expanded = new byte[plain.Length];
        Assert.Equal(plain.Length, LZ4Codec.Decode(packed[..length], expanded));
        Assert.True(plain.SequenceEqual(expanded));
        Assert.True(plain.SequenceEqual(PlainLz4.Expand(packed[..length])));
    }

    private static int PagesOf(int length) => (length + PageSize - 1) / PageSize;

    private static int PagesOrRaw(ReadOnlyMemory<byte> block, int packedLength) => PagesOf(packedLength > 0 ? packedLength : block.Length);

    /// <summary>As in the engine: what saves no page is not taken.</summary>
    private static int Limit(int length) => (length - 1) / PageSize * PageSize;

    private static IEnumerable<ReadOnlyMemory<byte>> BlocksOf(string corpus)
    {
        foreach (var data in FilesOf(corpus))
            for (var at = 0; at < data.Length; at += BlockSize)
                yield return data.AsMemory(at, Math.Min(BlockSize, data.Length - at));
    }

    private static IEnumerable<byte[]> FilesOf(string corpus)
    {
        switch (corpus)
        {
            case "text":
                return Directory.EnumerateFiles(Repository, "*.*", SearchOption.AllDirectories)
                    .Where(path => path.EndsWith(".md", StringComparison.Ordinal) || path.EndsWith(".cs", StringComparison.Ordinal) || path.EndsWith(".c", StringComparison.Ordinal))
                    .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && new FileInfo(path).Length > PageSize)
                    .Order(StringComparer.Ordinal).Select(File.ReadAllBytes);
            case "programs":
                return Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories)
                    .Where(path => path.EndsWith(".dll", StringComparison.Ordinal) || path.EndsWith(".so", StringComparison.Ordinal))
                    .Where(path => new FileInfo(path).Length < 2 << 20).Order(StringComparer.Ordinal).Select(File.ReadAllBytes);
            case "rows":
                return [Rows(4 << 20)];
            default:
                var random = new byte[1 << 20];
                new Random(5).NextBytes(random);
                return [random];
        }
    }

    /// <summary>Pages of rows: a number, a time, a state, an amount, a digest and some words, most of which differ from row to row.</summary>
    private static byte[] Rows(int length)
    {
        string[] words = File.ReadAllText(Path.Combine(Repository, "README.md")).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        Random random = new(11);
        MemoryStream rows = new();
        for (var id = 1; rows.Length < length; id++)
        {
            rows.Write(BitConverter.GetBytes(id * 3L));
            rows.Write(BitConverter.GetBytes(1_700_000_000_000L + id * 977L + random.Next(900)));
            rows.WriteByte((byte)random.Next(4));
            rows.Write(BitConverter.GetBytes(random.NextDouble() * 1000));
            var digest = new byte[random.Next(5) == 0 ? 20 : 4];
            random.NextBytes(digest);
            rows.Write(digest);
            rows.Write("a customer of the shop, "u8);
            for (var i = random.Next(2, 12) * (rows.Length >> 16 & 1); i > 0; i--)
                rows.Write(System.Text.Encoding.UTF8.GetBytes(words[random.Next(words.Length)] + " "));
        }
        return rows.ToArray()[..length];
    }

    private static string Repository
    {
        get
        {
            var directory = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(directory!.FullName, "Overlay.sln")))
                directory = directory.Parent;
            return directory.FullName;
        }
    }
}
