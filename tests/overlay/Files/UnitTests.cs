using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Tests.Doubles;
using Xunit;

namespace Overlay.Tests.Files;

/// <summary>Blocks whose units are sealed one by one (format §6).</summary>
public class UnitTests
{
    private const int BlockSize = 16384, Unit = 4096, Group = 29 * BlockSize;

    [Theory]
    [InlineData(CipherSuite.Aes256Gcm, 14, 4, 4096)]
    [InlineData(CipherSuite.Aegis256, 14, 2, 8192)]
    [InlineData(CipherSuite.XChaCha20Poly1305, 13, 2, 4096)]
    [InlineData(CipherSuite.Aegis256, 13, 2, 4096)]
    [InlineData(CipherSuite.Aes256Gcm, 12, 1, 4096)]
    [InlineData(CipherSuite.Aes256Gcm, 20, 4, 262144)]
    public void A_block_is_cut_into_what_its_table_has_room_for(CipherSuite suite, int blockSizeLog2, int count, int size)
    {
        UnitLayout units = new(blockSizeLog2, DataKey.Import(suite, SealedFixture.SecretKey).TagSize);
        Assert.Equal((count, size), (units.Count, units.Size));
        Assert.Equal(1 << blockSizeLog2, units.LengthOf(0, 1 << blockSizeLog2) * count);
        Assert.Equal(5, units.LengthOf(count - 1, ((count - 1) * size) + 5));
        Assert.Equal(0, units.LengthOf(count, 1 << blockSizeLog2));
    }

    [Fact]
    public void A_part_that_is_written_again_costs_its_unit_a_table_and_an_entry()
    {
        (WriteCounter backing, SealedFile file, byte[] plain) = MakeWritten();
        int at = Group + 3 * BlockSize; // of group 0 the header goes along
        file.WriteAt(at + 5000, plain.AsSpan(0, 10)); // from here on the block is in units
        backing.Bytes = 0;
        file.WriteAt(at + 2 * Unit, plain.AsSpan(100, Unit));
        Assert.Equal(Unit + 128 + 128, backing.Bytes);
        file.Dispose();
    }

    [Fact]
    public void A_unit_that_is_overwritten_is_not_read()
    {
        (WriteCounter backing, SealedFile file, byte[] plain) = MakeWritten();
        file.WriteAt(5000, plain.AsSpan(0, 10));
        file.Dispose();
        using SealedFile again = new SealedFixture(s_recipe, backing).Open();
        again.WriteAt(BlockSize * 20, plain.AsSpan(0, 10)); // the index page and the tables are known
        backing.BytesRead = 0;
        again.WriteAt(Unit, plain.AsSpan(0, Unit));
        Assert.Equal(0, backing.BytesRead);
    }

    [Fact]
    public void A_block_that_is_written_whole_is_whole_again()
    {
        (WriteCounter backing, SealedFile file, byte[] plain) = MakeWritten();
        for (int i = 0; i < 20; i++)
        {
            file.WriteAt(BlockSize + (i * 7 % 4 * Unit), plain.AsSpan(i, 50));
            if (i % 5 == 0)
                file.Sync(dataOnly: false);
        }
        Assert.True(CurrentOf(backing, 1).IsInUnits);
        file.Sync(dataOnly: false);
        file.WriteAt(BlockSize, plain.AsSpan(0, BlockSize));
        Assert.Equal(StoredKind.Raw, CurrentOf(backing, 1).Kind);
        Assert.Equal(plain[..BlockSize], file.ReadBytes(BlockSize, BlockSize));
        file.Dispose();
    }

    /// <summary>Between two syncs every unit has been in two places: no whole one is free, and nothing that is durable may be overwritten.</summary>
    [Fact]
    public void A_block_for_which_no_whole_place_is_free_is_written_in_units()
    {
        (WriteCounter backing, SealedFile file, byte[] plain) = MakeWritten();
        file.WriteAt(0, plain.AsSpan(50, 10));
        file.Sync(dataOnly: true);
        for (int unit = 0; unit < 4; unit++)
            for (int i = 0; i <= unit % 2; i++)
                file.WriteAt(unit * Unit, plain.AsSpan(i, 10));
        byte[] next = plain[1..(BlockSize + 1)];
        file.WriteAt(0, next);
        Assert.Equal(next, file.ReadBytes(0, BlockSize));
        Assert.Equal(0, file.Survey(_ => { }).DamagedBlocks);
        file.Dispose();
    }

    [Fact]
    public void Where_a_kill_is_not_made_good_blocks_stay_whole()
    {
        MemoryBacking backing = new();
        SealedFixture fixture = SealedFixture.Create(s_recipe, backing);
        FileContext context = fixture.Context with { Redo = NoRedo.Instance };
        SealedFile.Open(context, new FixedKeys(SealedFixture.SecretKey), out SealedFile? file);
        byte[] plain = new byte[4 * BlockSize];
        Assert.NotNull(file);
        file.WriteAt(0, plain);
        file.WriteAt(5000, [1, 2, 3]);
        Assert.Equal(StoredKind.Raw, CurrentOf(backing, 0).Kind);
        FileHeader.Parse(backing.ReadBytes(0, 256), out FileHeader header);
        Assert.False(header.HasUnits);
        file.Dispose();
    }

    [Theory]
    [InlineData(18)]
    [InlineData(20)]
    public void A_new_file_whose_first_unit_is_large_is_synced(int blockSizeLog2)
    {
        SealedFixture fixture = SealedFixture.Create(new Recipe(CipherSuite.Aegis256, Compresses: false, blockSizeLog2));
        using SealedFile file = fixture.Open();
        file.WriteAt(2 << blockSizeLog2, new byte[5000]);
        file.WriteAt(0, new byte[5000]); // in units from the first write on
        file.Sync(dataOnly: true);
        Assert.Equal(5000, file.ReadBytes(2 << blockSizeLog2, 5000).Length);
    }

    [Fact]
    public void Stale_units_are_given_back_by_page()
    {
        (WriteCounter backing, SealedFile file, byte[] plain) = MakeWritten();
        file.Settle();
        long least = backing.AllocatedBytes;
        Random random = new(5);
        for (int i = 0; i < 500; i++)
        {
            int at = random.Next(plain.Length - 100);
            file.WriteAt(at, plain.AsSpan(at, 100));
            if (i % 90 == 0)
                file.Sync(dataOnly: true);
        }
        Assert.True(backing.AllocatedBytes > least * 3 / 2);
        file.Sync(dataOnly: true); // before, the durable versions are needed
        file.Settle();
        Assert.InRange(backing.AllocatedBytes, least, least + 4 * Unit); // and the tables
        Assert.Equal(plain, file.ReadBytes(0, plain.Length));
        Assert.Equal(0, file.CountStale(backing));
        file.Dispose();
    }

    private static readonly Recipe s_recipe = new(CipherSuite.Aes256Gcm, Compresses: false, BlockSizeLog2: 14);

    private static (WriteCounter Backing, SealedFile File, byte[] Plain) MakeWritten()
    {
        WriteCounter backing = new();
        SealedFixture fixture = SealedFixture.Create(s_recipe, backing);
        SealedFile file = fixture.Open();
        byte[] plain = new byte[Group + 6 * BlockSize];
        new Random(3).NextBytes(plain);
        file.WriteAt(0, plain);
        return (backing, file, plain);
    }

    private static BlockVersion CurrentOf(MemoryBacking backing, int slot) => BlockVersion.Current(backing.ReadBytes(0, 4096), slot);
}
