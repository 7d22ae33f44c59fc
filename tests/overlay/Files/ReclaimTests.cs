using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Tests.Doubles;
using Xunit;

namespace Overlay.Tests.Files;

/// <summary>Space that a settled file gives back. Each hole costs the kernel a transaction: neighbours go together.</summary>
public class ReclaimTests
{
    private static readonly Recipe s_recipe = new(CipherSuite.Aes256Gcm, Compresses: false, BlockSizeLog2: 12);

    [Fact]
    public void Settle_frees_neighbouring_places_with_one_hole()
    {
        const int Blocks = 29 * 2;
        HoleCounter backing = new();
        SealedFixture fixture = SealedFixture.Create(s_recipe, backing);
        using SealedFile file = fixture.Open();
        byte[] plain = new byte[Blocks * s_recipe.BlockSize];
        new Random(3).NextBytes(plain);
        // In halves, as a database does that has smaller pages: each block is written twice.
        for (int offset = 0; offset < plain.Length; offset += s_recipe.BlockSize / 2)
            file.WriteAt(offset, plain.AsSpan(offset, s_recipe.BlockSize / 2));

        file.Settle();

        Assert.InRange(backing.Holes, 1, 2 * 3);
        Assert.Equal(plain, file.ReadBytes(0, plain.Length));
    }

    [Fact]
    public void Settle_frees_nothing_where_nothing_was_written()
    {
        const int Blocks = 29 * 2, BlockSize = 16384, Piece = 4096;
        HoleCounter backing = new();
        SealedFixture fixture = SealedFixture.Create(new Recipe(CipherSuite.Aes256Gcm, Compresses: true, BlockSizeLog2: 14), backing);
        using SealedFile file = fixture.Open();
        byte[] plain = new byte[Blocks * BlockSize];
        for (int i = 0; i < plain.Length; i++)
            plain[i] = (byte)(i * 7919 >> 10 & i);
        // In pieces, which leave units behind at one place of each block when all of it is compressed to another one.
        for (int offset = 0; offset < plain.Length; offset += Piece)
            file.WriteAt(offset, plain.AsSpan(offset, Piece));

        file.Settle();

        Assert.InRange(backing.Holes, 1, 2 * 2);
        Assert.Equal(plain, file.ReadBytes(0, plain.Length));
    }

    /// <summary>A rollback journal: written in pieces, synced, its beginning written again, synced, closed, and removed.</summary>
    [Theory]
    [InlineData(2, 9000, true)]
    [InlineData(1, 9000, false)]
    [InlineData(2, 40000, false)]
    public void Settle_leaves_a_journal_of_one_block_as_it_is(int syncs, int length, bool isLeft)
    {
        HoleCounter backing = new();
        SealedFixture fixture = SealedFixture.Create(new Recipe(CipherSuite.Aes256Gcm, Compresses: true, BlockSizeLog2: 14), backing);
        byte[] plain = new byte[length];
        using (SealedFile file = fixture.Open())
        {
            new Random(5).NextBytes(plain.AsSpan(0, 100));
            for (int offset = 0; offset < plain.Length; offset += 1000)
                file.WriteAt(offset, plain.AsSpan(offset, Math.Min(1000, plain.Length - offset)));
            for (int sync = 0; sync < syncs; sync++)
            {
                file.WriteAt(0, plain.AsSpan(0, 12));
                file.Sync(dataOnly: true);
            }
            file.Settle();
        }
        Assert.Equal(isLeft, backing.Holes == 0);
        Assert.Equal(length, SettledSize.Decode(fixture.Recipe.Geometry, backing.Length));
        using SealedFile again = fixture.Open();
        Assert.Equal(plain, again.ReadBytes(0, length));
        again.WriteAt(length, plain);
        again.Settle();
        Assert.NotEqual(0, backing.Holes);
        Assert.Equal(plain, again.ReadBytes(length, length));
    }

    [Fact]
    public void Settle_leaves_what_lies_between_free_places()
    {
        HoleCounter backing = new();
        SealedFixture fixture = SealedFixture.Create(s_recipe, backing);
        using SealedFile file = fixture.Open();
        byte[] plain = new byte[20 * s_recipe.BlockSize];
        new Random(4).NextBytes(plain);
        file.WriteAt(0, plain);
        file.Sync(dataOnly: true);
        foreach (int block in new[] { 3, 4, 9, 19 })
        {
            byte[] part = plain.AsSpan(block * s_recipe.BlockSize, s_recipe.BlockSize).ToArray();
            part.AsSpan().Reverse();
            part.CopyTo(plain, block * s_recipe.BlockSize);
            for (int again = 0; again < 3; again++)
                file.WriteAt(block * s_recipe.BlockSize, part);
        }

        file.Settle();
        fixture.Kill();

        using SealedFile reopened = fixture.Open();
        Assert.Equal(plain, reopened.ReadBytes(0, plain.Length));
    }
}
