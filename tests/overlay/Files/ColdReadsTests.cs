using System;
using System.Linq;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Tests.Doubles;
using Xunit;

namespace Overlay.Tests.Files;

/// <summary>How often a read waits for the disk, and what is read of blocks that are in units.</summary>
public class ColdReadsTests
{
    private const int BlockSize = 16384, Unit = 4096, PageSize = 4096, TablesSize = 7424, Group = 29 * BlockSize;

    private static readonly Recipe s_recipe = new(CipherSuite.Aes256Gcm, false, 14);

    [Fact]
    public void Tables_come_with_the_index_page_in_front_of_them()
    {
        (SealedFixture fixture, CountingBacking backing, byte[] plain) = Make(6);
        WriteUnitsOf(fixture, 2 * Group, plain);
        using SealedFile file = fixture.Open();
        backing.Forget();
        Assert.Equal(plain[(2 * Group)..(2 * Group + BlockSize)], file.ReadBytes(2 * Group, BlockSize));
        long index = s_recipe.Geometry.IndexOffset(2);
        Assert.Equal([(index, PageSize + TablesSize)], backing.Reads.Where(read => read.Offset >= index && read.Offset < index + 3 * PageSize));
    }

    [Fact]
    public void Tables_are_asked_for_with_the_index_pages_of_neighbours()
    {
        const int Groups = 130;
        (SealedFixture fixture, CountingBacking backing, byte[] plain) = Make(Groups);
        for (int group = 0; group < Groups; group++)
            WriteUnitsOf(fixture, group * Group, plain);
        using SealedFile file = fixture.Open();
        backing.IsSlow = true;
        backing.Forget();
        for (int i = 0; i < 3 * Groups; i++)
            file.ReadBytes(i * 37 % Groups * Group + i / Groups * Unit, Unit);
        long[] indexes = [.. Enumerable.Range(0, Groups).Select(group => s_recipe.Geometry.IndexOffset(group))];
        // Where other tests have many files open pages are given up, and read again: they are in memory then.
        Assert.InRange(backing.Waits.Select(wait => wait.Offset).Distinct().Count(indexes.Contains), 1, 9);
        Assert.DoesNotContain(backing.Reads, read => read.Offset > PageSize && indexes.Contains(read.Offset - PageSize));
        int[] asked = [.. indexes.Select(index => backing.Asked.Count(piece => piece == (index, PageSize + TablesSize)))];
        Assert.InRange(asked.Sum(), Groups / 2, Groups + 64);
    }

    /// <summary>The pages that were asked for may come late: each read of one waits, and asks for nothing that was asked for.</summary>
    [Fact]
    public void A_window_of_index_pages_is_asked_for_once()
    {
        const int Groups = 128;
        (SealedFixture fixture, CountingBacking backing, byte[] plain) = Make(Groups);
        using SealedFile file = fixture.Open();
        backing.IsSlow = backing.IsLate = true;
        backing.Forget();
        for (int i = 0; i < Groups; i++)
            Assert.Equal(plain[(i * 37 % Groups * Group)..][..Unit], file.ReadBytes(i * 37 % Groups * Group, Unit));
        Assert.InRange(backing.Asked.Count, Groups / 2, 2 + 4 + 8 + 16 + 32 + Groups);
    }

    [Fact]
    public void Pieces_of_a_block_in_units_are_asked_for_before_the_first_is_waited_for()
    {
        (SealedFixture fixture, CountingBacking backing, byte[] plain) = Make(2);
        // Of each block of the second group, units 1 and 3 move to another place than 0 and 2.
        for (int block = 29; block < 50; block++)
            WriteUnitsOf(fixture, block * BlockSize, plain, Unit, 3 * Unit);
        using SealedFile file = fixture.Open();
        backing.IsSlow = true;
        file.ReadBytes(Group, BlockSize);
        for (int i = 0; i < 20; i++)
        {
            int block = 30 + i * 7 % 20; // in no row
            backing.Forget();
            Assert.Equal(plain[(block * BlockSize)..][..BlockSize], file.ReadBytes(block * BlockSize, BlockSize));
            Assert.True(backing.Reads.Count >= 3);
            Assert.Single(backing.Waits);
            Assert.Equal(backing.Reads[0], backing.Waits[0]);
            Assert.Equal(backing.Reads[1..], backing.Asked.Where(asked => asked.Offset > Group).Select(asked => (asked.Offset, (int)asked.Length)));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    public void Blocks_of_one_read_are_asked_for_before_the_first_is_waited_for(int inBlock)
    {
        byte[] text = [.. Enumerable.Range(0, 4 << 20).Select(i => (byte)(i / 48 % 89 + i % 3))];
        Recipe recipe = new(CipherSuite.Aes256Gcm, true, 14); // so there are holes between blocks
        CountingBacking backing = new();
        SealedFixture fixture = SealedFixture.Create(recipe, backing);
        using (SealedFile writer = fixture.Open())
            writer.WriteAt(0, text);
        using SealedFile file = fixture.Open();
        backing.IsSlow = true;
        file.ReadBytes(3 << 20, 100);
        for (int i = 0; i < 5; i++)
        {
            int at = i * 7 % 5 * 32 * BlockSize + inBlock;
            file.ReadBytes(at + 200_000, 10); // the index page
            backing.Forget();
            Assert.Equal(text[at..(at + 50_000)], file.ReadBytes(at, 50_000));
            Assert.Equal(4, backing.Reads.Count);
            Assert.Single(backing.Waits);
        }
    }

    [Fact]
    public void A_small_read_opens_its_unit_the_first_time_the_block_the_second_and_nothing_the_third()
    {
        (SealedFixture fixture, CountingBacking backing, byte[] plain) = Make(2);
        WriteUnitsOf(fixture, Group, plain);
        using BlockCache cache = new(1 << 20);
        fixture.Cache = cache;
        using SealedFile file = fixture.Open();
        file.ReadBytes(Group + BlockSize, 1);
        int[] read = new int[3];
        for (int pass = 0; pass < 3; pass++)
        {
            backing.Forget();
            Assert.Equal(plain[(Group + Unit - 30)..(Group + 2 * Unit - 50)], file.ReadBytes(Group + Unit - 30, Unit - 20));
            read[pass] = backing.Reads.Sum(one => one.Length);
        }
        Assert.Equal([2 * Unit, BlockSize, 0], read);
    }

    [Fact]
    public void What_lies_behind_the_last_unit_reads_as_zeros()
    {
        (SealedFixture fixture, _, byte[] plain) = Make(1);
        using (SealedFile writer = fixture.Open())
        {
            writer.Resize(Group - BlockSize + Unit + 100);
            writer.WriteAt(Group - BlockSize + 10, plain.AsSpan(Group - BlockSize + 10, 20)); // in units, and short
            writer.Resize(Group);
        }
        using SealedFile file = fixture.Open();
        Assert.Equal(new byte[Unit], file.ReadBytes(Group - Unit, Unit));
        byte[] expected = new byte[Unit];
        plain.AsSpan(Group - BlockSize + Unit + 50, 50).CopyTo(expected);
        using SealedFile another = fixture.Open();
        Assert.Equal(expected, another.ReadBytes(Group - BlockSize + Unit + 50, Unit));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_damaged_unit_fails_the_small_reads_of_it_alone(int damaged)
    {
        (SealedFixture fixture, CountingBacking backing, byte[] plain) = Make(1);
        WriteUnitsOf(fixture, 5 * BlockSize, plain);
        BlockVersion current = BlockVersion.Current(backing.ReadBytes(0, PageSize), 5);
        Assert.True(current.IsInUnits);
        UnitTable table = new(backing.ReadBytes(PageSize + Geometry.TableIn(5, current.Place), 128));
        long at = s_recipe.Geometry.PlaceOffset(0, 5, table.PlaceOf(damaged)) + damaged * Unit + 9;
        backing.Write(at, [(byte)(backing.ByteAt(at) ^ 1)]);
        using SealedFile file = fixture.Open();
        int other = 1 - damaged;
        Assert.Equal(plain[(5 * BlockSize + other * Unit)..][..Unit], file.ReadBytes(5 * BlockSize + other * Unit, Unit));
        using SealedFile another = fixture.Open();
        Assert.Equal(Errno.EIO, Assert.Throws<ErrnoException>(() => another.ReadBytes(5 * BlockSize + damaged * Unit, Unit)).Errno);
    }

    [Fact]
    public void Tables_that_cannot_be_read_are_missed_by_blocks_in_units_alone()
    {
        (SealedFixture fixture, CountingBacking backing, byte[] plain) = Make(3);
        WriteUnitsOf(fixture, 2 * Group + BlockSize, plain);
        backing.Unreadable = s_recipe.Geometry.TablesOffset(2);
        using SealedFile file = fixture.Open();
        Assert.Equal(plain[(2 * Group)..][..BlockSize], file.ReadBytes(2 * Group, BlockSize));
        Assert.Equal(Errno.EIO, Assert.Throws<ErrnoException>(() => file.ReadBytes(2 * Group + BlockSize, 100)).Errno);
    }

    /// <summary>Its other unit was lost with the power: all of the block is the durable version, whichever part is read.</summary>
    [Fact]
    public void A_small_read_does_not_mix_a_version_that_may_be_lost_with_the_durable_one()
    {
        (SealedFixture fixture, CountingBacking backing, byte[] plain) = Make(1);
        using (SealedFile writer = fixture.Open())
        {
            writer.WriteAt(5 * BlockSize + 10, plain.AsSpan(5 * BlockSize + 10, 20));
            writer.Sync(dataOnly: false);
            writer.WriteAt(5 * BlockSize + 10, new byte[Unit]); // two units
        }
        BlockVersion current = BlockVersion.Current(backing.ReadBytes(0, PageSize), 5);
        UnitTable table = new(backing.ReadBytes(PageSize + Geometry.TableIn(5, current.Place), 128));
        backing.Write(s_recipe.Geometry.PlaceOffset(0, 5, table.PlaceOf(1)) + Unit, new byte[Unit]);
        fixture.Reboot();
        using SealedFile file = fixture.Open();
        Assert.Equal(plain[(5 * BlockSize)..][..Unit], file.ReadBytes(5 * BlockSize, Unit));
        Assert.Equal(plain[(5 * BlockSize)..][..BlockSize], file.ReadBytes(5 * BlockSize, BlockSize));
    }

    private static (SealedFixture Fixture, CountingBacking Backing, byte[] Plain) Make(int groups)
    {
        CountingBacking backing = new();
        SealedFixture fixture = SealedFixture.Create(s_recipe, backing);
        byte[] plain = new byte[groups * Group];
        new Random(3).NextBytes(plain);
        using SealedFile file = fixture.Open();
        file.WriteAt(0, plain);
        return (fixture, backing, plain);
    }

    /// <summary>Writes the same once more, in small pieces: at first all units of the block change their place, until none is in the base; then these alone.</summary>
    private static void WriteUnitsOf(SealedFixture fixture, int block, byte[] plain, params int[] again)
    {
        using SealedFile file = fixture.Open();
        for (int unit = 0; unit < BlockSize; unit += Unit)
            file.WriteAt(block + unit + 10, plain.AsSpan(block + unit + 10, 20));
        foreach (int at in again)
            file.WriteAt(block + at, plain.AsSpan(block + at, 100));
    }
}
