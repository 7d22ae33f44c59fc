using System;
using System.Linq;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Tests.Doubles;
using Xunit;

namespace Overlay.Tests.Files;

/// <summary>
/// Who is alone with a file does not write into it that a sync has ended, but says so with what it writes next. Killed before that, it leaves a file
/// whose last sync seems to be under way: the next process must take nothing away that is durable, and nothing for durable that is not.
/// </summary>
public class LateCloseTests
{
    private const int BlockSize = 1 << 14;
    private static readonly Recipe s_recipe = new(CipherSuite.Aes256Gcm, Compresses: false, BlockSizeLog2: 14);

    [Fact]
    public void A_sync_of_who_is_alone_writes_the_header_once()
    {
        SealedFixture fixture = SealedFixture.Create(s_recipe);
        using SealedFile file = fixture.Open();
        file.WriteAt(0, Data(1, BlockSize));
        ulong sequence = file.Header.Sequence;

        file.Sync(dataOnly: true);

        Assert.Equal(sequence + 1, file.Header.Sequence);
        Assert.Equal(1UL, file.Header.DurableInterval);
        Assert.Equal(0UL, fixture.Open().Header.DurableInterval);
        file.Settle();
        Assert.Equal(1UL, fixture.Open().Header.DurableInterval);
    }

    [Fact]
    public void Who_shares_the_file_says_at_once_that_a_sync_has_ended()
    {
        SealedFixture fixture = SealedFixture.Create(s_recipe);
        using SealedFile one = fixture.Open(), another = fixture.Open();
        one.WriteAt(0, Data(1, BlockSize));
        another.WriteAt(0, Data(2, 10));
        one.WriteAt(0, Data(3, 10));

        one.Sync(dataOnly: true);

        Assert.Equal(1UL, another.Header.DurableInterval);
    }

    [Fact]
    public void A_tool_leaves_nothing_to_be_settled()
    {
        SealedFixture fixture = SealedFixture.Create(s_recipe);
        SealedFile.Open(fixture.Context with { IsSettledAtLast = false }, fixture.Keys, out SealedFile? file);
        Assert.NotNull(file);
        file.WriteAt(0, Data(1, BlockSize));
        file.Settle();
        file.Sync(dataOnly: false);

        Assert.False(file.NeedsSettling);
        Assert.Equal(1UL, fixture.Open().Header.DurableInterval);
        file.Dispose();
    }

    [Fact]
    public void What_is_durable_outlives_a_truncation_by_who_comes_after_a_kill() => ForEachLoss((backing, fixture) =>
    {
        byte[] data = Data(1, 3 * BlockSize);
        using (SealedFile killed = fixture.Open())
        {
            killed.WriteAt(0, data);
            killed.Sync(dataOnly: true);
        }
        fixture.Kill();
        using (SealedFile next = fixture.Open())
            next.Resize(0);

        return found => Assert.True(found.Length == 0 || found.SequenceEqual(data), $"{found.Length} bytes, {found.Count(b => b == 0)} zeros");
    });

    [Fact]
    public void What_is_durable_outlives_a_hole_by_who_comes_after_a_kill() => ForEachLoss((backing, fixture) =>
    {
        byte[] data = Data(1, 3 * BlockSize), newer = Data(2, BlockSize);
        using (SealedFile killed = fixture.Open())
        {
            killed.WriteAt(0, data);
            killed.Sync(dataOnly: true);
            killed.WriteAt(BlockSize, newer);
            killed.Sync(dataOnly: true);
        }
        fixture.Kill();
        using (SealedFile next = fixture.Open())
        {
            next.Punch(BlockSize, BlockSize);
            next.Settle();
        }

        return found =>
        {
            byte[] block = found[BlockSize..(2 * BlockSize)];
            Assert.True(block.SequenceEqual(newer) || block.All(b => b == 0), "it is older than the last sync");
        };
    });

    private static void ForEachLoss(Func<PowerLossBacking, SealedFixture, Action<byte[]>> live)
    {
        for (int seed = 0; seed < 200; seed++)
        {
            PowerLossBacking backing = new();
            SealedFixture fixture = SealedFixture.Create(s_recipe, backing);
            backing.Sync(dataOnly: false);
            Action<byte[]> check = live(backing, fixture);
            fixture.Backing = backing.Land(new Random(seed), landsPercent: seed % 5 * 25);
            fixture.Reboot();
            using SealedFile found = fixture.Open();
            check(found.ReadBytes(0, (int)found.Length));
        }
    }

    private static byte[] Data(int seed, int length)
    {
        byte[] data = new byte[length];
        new Random(seed).NextBytes(data);
        return data;
    }
}
