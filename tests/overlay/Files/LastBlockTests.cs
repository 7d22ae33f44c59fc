using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Tests.Doubles;
using Xunit;

namespace Overlay.Tests.Files;

/// <summary>The end of a new file, which is added to at once (<see cref="LastBlock"/>).</summary>
[Collection(AloneCollection.Name)]
public class LastBlockTests
{
    private const int BlockSize = 16384, Page = 4096;

    private static readonly Recipe s_recipe = new(CipherSuite.Aes256Gcm, Compresses: true, BlockSizeLog2: 14);

    [Theory]
    [InlineData(6144, 3856)]
    [InlineData(10240, 10240)]
    [InlineData(4000, 8000)]
    [InlineData(5000, 4)] // in units
    public void A_new_file_that_is_written_in_pieces_is_not_read_for_it(int first, int second)
    {
        CountingBacking backing = new();
        SealedFixture fixture = SealedFixture.Create(s_recipe, backing);
        byte[] plain = Text(first + second, 1);
        using (SealedFile file = fixture.Open())
        {
            file.WriteAt(0, plain.AsSpan(0, first));
            backing.Reads.Clear();
            file.WriteAt(first, plain.AsSpan(first));
            file.Settle();
            Assert.DoesNotContain(backing.Reads, read => read.Offset >= 3 * Page);
        }
        AssertContent(fixture, plain);
    }

    [Fact]
    public void Pieces_of_two_files_in_turn_stay_apart()
    {
        SealedFixture[] fixtures = [SealedFixture.Create(s_recipe), SealedFixture.Create(s_recipe, fileId: SealedFixture.VolumeId)];
        byte[][] plain = [Text(9000, 1), Text(9000, 2)];
        SealedFile[] files = [fixtures[0].Open(), fixtures[1].Open()];
        for (int at = 0; at < 9000; at += 4500)
            for (int i = 0; i < 2; i++)
                files[i].WriteAt(at, plain[i].AsSpan(at, 4500));
        for (int i = 0; i < 2; i++)
        {
            files[i].Settle();
            files[i].Dispose();
            AssertContent(fixtures[i], plain[i]);
        }
    }

    [Theory]
    [InlineData(5000)]
    [InlineData(4096)]
    [InlineData(0)]
    public void What_was_cut_off_does_not_come_back(int cut)
    {
        SealedFixture fixture = SealedFixture.Create(s_recipe);
        byte[] plain = Text(9000, 1), expected = new byte[10000];
        using (SealedFile file = fixture.Open())
        {
            file.WriteAt(0, plain);
            file.Resize(cut);
            file.Resize(9000);
            file.WriteAt(9000, plain.AsSpan(0, 1000));
        }
        plain.AsSpan(0, cut).CopyTo(expected);
        plain.AsSpan(0, 1000).CopyTo(expected.AsSpan(9000));
        AssertContent(fixture, expected);
    }

    [Fact]
    public void A_hole_and_a_write_in_the_middle_are_not_undone()
    {
        SealedFixture fixture = SealedFixture.Create(s_recipe);
        byte[] plain = Text(9000, 1);
        using (SealedFile file = fixture.Open())
        {
            file.WriteAt(0, plain);
            file.Punch(1000, 3000);
            file.WriteAt(5000, "in the middle"u8);
            file.WriteAt(9000, plain.AsSpan(0, 7000));
        }
        byte[] expected = [.. plain, .. plain[..7000]];
        expected.AsSpan(1000, 3000).Clear();
        "in the middle"u8.CopyTo(expected.AsSpan(5000));
        AssertContent(fixture, expected);
    }

    /// <summary>The first way stores whole blocks, the others units; nothing is written where a whole block is punched or cut off.</summary>
    [Theory]
    [InlineData(0, 9000)]
    [InlineData(4096, 8192)]
    [InlineData(4096, BlockSize + 8192)]
    public void A_block_that_was_punched_as_a_whole_does_not_come_back(int piece, int size)
    {
        SealedFixture fixture = SealedFixture.Create(s_recipe);
        byte[] plain = Text(size + 2 * BlockSize, 1), expected = new byte[size + 4096];
        using (SealedFile file = fixture.Open())
        {
            for (int at = 0, step = piece == 0 ? size : piece; at < size; at += step)
                file.WriteAt(at, plain.AsSpan(at, step));
            int block = (size - 1) / BlockSize * BlockSize;
            file.Punch(block, BlockSize);
            file.WriteAt(size, plain.AsSpan(size, 4096));
            plain.AsSpan(0, block).CopyTo(expected);
            plain.AsSpan(size, 4096).CopyTo(expected.AsSpan(size));
        }
        AssertContent(fixture, expected);
    }

    /// <summary>A part of it that was read is in the block cache as well.</summary>
    [Fact]
    public void What_was_read_meanwhile_is_not_seen_when_it_was_written_again()
    {
        SealedFixture fixture = SealedFixture.Create(s_recipe);
        byte[] first = Text(5000, 1), second = Text(6001, 2), third = Text(9000, 3), found = new byte[15001];
        using SealedFile file = fixture.Open();
        file.WriteAt(0, first);
        Assert.Equal(10, file.Read(4990, found.AsSpan(0, 10)));
        file.WriteAt(0, second);
        Assert.Equal(6001, file.Read(0, found));
        Assert.Equal(second, found[..6001]);
        file.WriteAt(6001, third);
        Assert.Equal(15001, file.Read(0, found));
        Assert.Equal([.. second, .. third], found);
    }

    [Fact]
    public void What_another_process_wrote_meanwhile_is_kept()
    {
        SealedFixture fixture = SealedFixture.Create(s_recipe);
        byte[] plain = Text(14000, 1);
        using (SealedFile ours = fixture.Open())
        using (SealedFile theirs = fixture.Open())
        {
            ours.WriteAt(0, plain.AsSpan(0, 7000));
            theirs.WriteAt(100, "theirs"u8);
            ours.WriteAt(7000, plain.AsSpan(7000));
        }
        "theirs"u8.CopyTo(plain.AsSpan(100));
        AssertContent(fixture, plain);
    }

    [Fact]
    public void Nothing_of_a_file_is_left_when_it_is_let_go_of()
    {
        byte[] found = new byte[5000];
        long stamp = BlockCache.NewStamp();
        LastBlock.Keep(stamp, 0, Text(5000, 1));
        Assert.False(LastBlock.TryRead(stamp, 1, found));
        Assert.False(LastBlock.TryRead(stamp, 0, found.AsSpan(1)));
        Assert.True(LastBlock.TryRead(stamp, 0, found));
        Assert.Equal(Text(5000, 1), found);
        LastBlock.Forget(stamp + 1);
        Assert.True(LastBlock.TryRead(stamp, 0, found));
        LastBlock.Forget(stamp);
        Assert.False(LastBlock.TryRead(stamp, 0, found));
        byte[] tooLong = new byte[(1 << FormatConstants.GreatestBlockSizeLog2) + 1];
        LastBlock.Keep(stamp, 0, tooLong);
        Assert.False(LastBlock.TryRead(stamp, 0, tooLong));
    }

    [Fact]
    public void What_goes_on_is_added_and_what_does_not_ends_it()
    {
        byte[] found = new byte[9000], text = Text(9000, 1);
        long stamp = BlockCache.NewStamp();
        LastBlock.Append(stamp, 3, 0, text.AsSpan(0, 4000));
        LastBlock.Append(stamp, 3, 4000, text.AsSpan(4000));
        Assert.True(LastBlock.TryRead(stamp, 3, found));
        Assert.Equal(text, found);
        LastBlock.Append(stamp, 3, 9001, text);
        Assert.False(LastBlock.IsOf(stamp));
        LastBlock.Append(stamp, 3, 9000, text);
        Assert.False(LastBlock.TryRead(stamp, 3, found));
        LastBlock.Append(stamp, 4, 0, text);
        LastBlock.Append(stamp, 5, 9000, text);
        Assert.False(LastBlock.TryRead(stamp, 4, found));
    }

    [Fact]
    public void Nothing_is_left_of_what_was_cut_off()
    {
        SealedFixture fixture = SealedFixture.Create(s_recipe);
        using SealedFile file = fixture.Open();
        file.WriteAt(0, Text(9000, 1));
        Assert.True(LastBlock.KeptLength > 0);
        file.Resize(0);
        Assert.Equal(0, LastBlock.KeptLength);
    }

    private static void AssertContent(SealedFixture fixture, byte[] expected)
    {
        using SealedFile file = fixture.Open();
        byte[] found = new byte[expected.Length + 1];
        Assert.Equal(expected.Length, file.Read(0, found));
        Assert.Equal(expected, found[..expected.Length]);
    }

    private static byte[] Text(int length, int seed)
    {
        byte[] text = new byte[length];
        Random random = new(seed);
        for (int i = 0; i < length; i++)
            text[i] = (byte)"etaoin shrdlu"[random.Next(13)];
        return text;
    }
}
