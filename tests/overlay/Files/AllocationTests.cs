using System;
using System.Text;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Tests.Doubles;
using Xunit;

namespace Overlay.Tests.Files;

/// <summary>The hot path leaves nothing for the collector, which would stop the program's threads.</summary>
public class AllocationTests
{
    private const int BlockSize = 16384;
    private const int FileSize = 24 * BlockSize; // in one group, and smaller than the cache

    private readonly byte[] _text = MakeText();
    private readonly byte[] _buffer = new byte[8 * BlockSize];

    public static TheoryData<CipherSuite, bool> Recipes => new()
    {
        { CipherSuite.Aes256Gcm, true },
        { CipherSuite.Aes256Gcm, false },
        { CipherSuite.Aegis256, true },
        { CipherSuite.XChaCha20Poly1305, true },
    };

    [Theory]
    [MemberData(nameof(Recipes))]
    public void Read_allocates_nothing_when_the_block_is_cached(CipherSuite suite, bool compresses)
    {
        using SealedFile file = MakeFile(suite, compresses);
        Assert.Equal(0, AllocatedBy(i => file.Read(4096 * (i % 4), _buffer.AsSpan(0, 4096))));
    }

    [Theory]
    [MemberData(nameof(Recipes))]
    public void Read_allocates_nothing_when_blocks_are_opened(CipherSuite suite, bool compresses)
    {
        SealedFixture fixture = MakeFixture(suite, compresses);
        using BlockCache small = new(1 << 16);
        fixture.Cache = small; // or what is read again would be kept
        using SealedFile file = fixture.Open();
        Assert.Equal(0, AllocatedBy(i => file.Read(i % 2 * _buffer.Length, _buffer)));
    }

    [Theory]
    [MemberData(nameof(Recipes))]
    public void Write_allocates_nothing_into_a_part_of_a_block(CipherSuite suite, bool compresses)
    {
        using SealedFile file = MakeFile(suite, compresses);
        Assert.Equal(0, AllocatedBy(i => file.WriteAt(i * 7 % 90 * 4096, _text.AsSpan(i % 100, 4096))));
    }

    [Theory]
    [MemberData(nameof(Recipes))]
    public void Write_allocates_nothing_over_whole_blocks(CipherSuite suite, bool compresses)
    {
        using SealedFile file = MakeFile(suite, compresses);
        Assert.Equal(0, AllocatedBy(i => file.WriteAt(i % 3 * 8 * BlockSize, _text.AsSpan(i % 100, 8 * BlockSize))));
    }

    [Theory]
    [MemberData(nameof(Recipes))]
    public void Append_allocates_nothing_within_a_group(CipherSuite suite, bool compresses)
    {
        using SealedFile file = MakeFile(suite, compresses);
        Assert.Equal(0, AllocatedBy(_ => file.WriteAt(file.CurrentLength, _text.AsSpan(0, 40))));
    }

    /// <summary>As two processes do that write one database's log: each finds that the other one has been at it.</summary>
    [Theory]
    [MemberData(nameof(Recipes))]
    public void Write_allocates_nothing_where_another_process_writes_in_turns(CipherSuite suite, bool compresses)
    {
        SealedFixture fixture = MakeFixture(suite, compresses);
        using SealedFile one = fixture.Open(), other = fixture.Open();
        Assert.Equal(0, AllocatedBy(i => (i % 2 == 0 ? one : other).WriteAt(i * 7 % 90 * 4096, _text.AsSpan(i % 100, 4096))));
    }

    private SealedFixture MakeFixture(CipherSuite suite, bool compresses)
    {
        SealedFixture fixture = SealedFixture.Create(new Recipe(suite, compresses, 14), new FlatBacking(8 << 20));
        using SealedFile file = fixture.Open();
        for (int at = 0; at < FileSize; at += _buffer.Length)
            file.WriteAt(at, _text.AsSpan(0, _buffer.Length));
        return fixture;
    }

    private SealedFile MakeFile(CipherSuite suite, bool compresses)
    {
        SealedFile file = MakeFixture(suite, compresses).Open();
        file.Read(0, _buffer.AsSpan(0, 4096)); // caches the first block
        return file;
    }

    /// <summary>
    /// Bytes that this thread allocates in 100 calls, after others that fill the pools; the least of some rounds, since what the runtime does once,
    /// and what other tests take out of the pools meanwhile, is not the calls' own.
    /// </summary>
    private static long AllocatedBy(Action<int> call)
    {
        long least = long.MaxValue;
        for (int round = 0, i = 0; round < 6; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int end = i + 100; i < end; i++)
                call(i);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }

    private static byte[] MakeText()
    {
        StringBuilder text = new();
        for (int line = 0; text.Length < 9 * BlockSize; line++)
            text.Append("line ").Append(line).Append(": ").Append(line * 7919L % 1000003).Append(" of a ledger\n");
        return Encoding.ASCII.GetBytes(text.ToString());
    }
}
