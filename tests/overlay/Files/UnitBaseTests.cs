using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Tests.Doubles;
using Xunit;
using static Overlay.Format.FormatConstants;

namespace Overlay.Tests.Files;

/// <summary>Parts of whole blocks are written beside them (format §6, Base).</summary>
public class UnitBaseTests
{
    private const int BlockSize = 16384, Unit = 4096, Group = 29 * BlockSize;

    public static TheoryData<CipherSuite, bool> Kinds()
    {
        TheoryData<CipherSuite, bool> kinds = [];
        for (CipherSuite suite = CipherSuite.Aes256Gcm; suite <= CipherSuite.XChaCha20Poly1305; suite++)
            foreach (bool compresses in new[] { false, true })
                kinds.Add(suite, compresses);
        return kinds;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_first_unit_of_a_whole_block_costs_itself_a_table_and_an_entry_and_nothing_is_read(bool compresses)
    {
        (WriteCounter backing, SealedFixture fixture, byte[] plain) = MakeWritten(CipherSuite.Aes256Gcm, compresses);
        using SealedFile file = fixture.Open();
        file.WriteAt(Group + 100, plain.AsSpan(0, 10)); // the header says that there are such blocks, and the index page and the tables are known
        backing.Bytes = backing.BytesRead = 0;
        file.WriteAt(Group + (3 * BlockSize) + Unit, plain.AsSpan(0, Unit));
        Assert.Equal((Unit + 128 + 128, 0), (backing.Bytes, backing.BytesRead));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_was_written_beside_a_block_is_read_with_it(CipherSuite suite, bool compresses)
    {
        (_, SealedFixture fixture, byte[] plain) = MakeWritten(suite, compresses);
        UnitLayout units = new(14, suite == CipherSuite.Aegis256 ? 32 : 16);
        using SealedFile file = fixture.Open();
        // Each set of units in a block of its own, last and first of them first.
        for (int set = 1; set < 1 << units.Count; set++)
            for (int i = 0; i < units.Count; i++)
            {
                int unit = set % 2 == 0 ? units.Count - 1 - i : i, at = (set * BlockSize) + (unit * units.Size);
                if ((set >> unit & 1) == 0)
                    continue;
                plain.AsSpan(at, units.Size).Fill((byte)((16 * set) + unit));
                file.WriteAt(at, plain.AsSpan(at, units.Size));
                file.WriteAt(34 * BlockSize, plain.AsSpan(34 * BlockSize, 1)); // what goes on would be packed when the block is full
                Assert.Equal(plain, file.ReadBytes(0, plain.Length));
            }
        file.Settle();
        using SealedFile again = fixture.Open();
        Assert.Equal(plain, again.ReadBytes(0, plain.Length));
        FileSurvey survey = again.Survey(_ => { });
        Assert.Equal((0, DigestState.Exact), (survey.DamagedBlocks, survey.Digest));
        Assert.Equal(0, again.CountStale(fixture.Backing));
    }

    [Fact]
    public void A_block_of_which_all_units_are_its_own_gives_its_base_back()
    {
        (WriteCounter backing, SealedFixture fixture, byte[] plain) = MakeWritten(CipherSuite.Aes256Gcm, compresses: false);
        using SealedFile file = fixture.Open();
        file.Settle();
        long least = backing.AllocatedBytes;
        for (int unit = 0; unit < 3; unit++)
            file.WriteAt(BlockSize + (unit * Unit), plain.AsSpan(unit, Unit));
        file.Settle();
        Assert.Equal(least + (3 * Unit) + Unit, backing.AllocatedBytes); // and the table
        file.WriteAt(BlockSize + (3 * Unit), plain.AsSpan(3, Unit));
        file.Settle();
        Assert.Equal(least + Unit, backing.AllocatedBytes);
    }

    /// <summary>A base and a durable unit leave one place for what follows; a second one only after the first is durable.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_unit_that_is_written_twice_between_syncs_has_a_place_each_time(CipherSuite suite, bool compresses)
    {
        (_, SealedFixture fixture, byte[] plain) = MakeWritten(suite, compresses);
        fixture.KeepsBases = true;
        using SealedFile file = fixture.Open();
        for (int sync = 0; sync < 4; sync++)
        {
            for (int i = 0; i < 3; i++)
            {
                plain.AsSpan(BlockSize, Unit).Fill((byte)((sync * 10) + i));
                file.WriteAt(BlockSize, plain.AsSpan(BlockSize, Unit));
                Assert.Equal(plain, file.ReadBytes(0, plain.Length));
            }
            file.Sync(dataOnly: true);
        }
        Assert.Equal(0, file.Survey(_ => { }).DamagedBlocks);
    }

    [Fact]
    public void A_file_that_was_synced_since_the_boot_has_no_bases_and_one_of_an_earlier_boot_has()
    {
        (_, SealedFixture fixture, byte[] plain) = MakeWritten(CipherSuite.Aes256Gcm, compresses: false);
        SealedFile file = fixture.Open();
        file.Sync(dataOnly: true);
        file.WriteAt(BlockSize, plain.AsSpan(0, Unit));
        Assert.False(HeaderOf(fixture).HasBases);
        file.Settle();
        file.Dispose();
        fixture.Reboot();
        file = fixture.Open();
        file.WriteAt(2 * BlockSize, plain.AsSpan(0, Unit));
        Assert.True(HeaderOf(fixture).HasBases);
        file.Dispose();
    }

    [Fact]
    public void A_base_of_the_old_key_is_not_stood_on()
    {
        (_, SealedFixture fixture, byte[] plain) = MakeWritten(CipherSuite.Aes256Gcm, compresses: false);
        using SealedFile file = fixture.Open();
        file.WriteAt(BlockSize, plain.AsSpan(0, Unit));
        plain.AsSpan(0, Unit).CopyTo(plain.AsSpan(BlockSize));
        RekeyWalk walk = file.StartRekey(SealedFixture.NextKey);
        file.WriteAt(BlockSize + Unit, plain.AsSpan(0, Unit));
        plain.AsSpan(0, Unit).CopyTo(plain.AsSpan(BlockSize + Unit));
        while (file.Reseal(walk))
        {
        }
        file.EndRekey(walk);
        Assert.Equal(plain, file.ReadBytes(0, plain.Length));
        Assert.Equal(0, file.Survey(_ => { }).DamagedBlocks);
    }

    private static FileHeader HeaderOf(SealedFixture fixture)
    {
        FileHeader.Parse(fixture.Backing.ReadBytes(0, HeaderSize), out FileHeader header);
        return header;
    }

    private static (WriteCounter Backing, SealedFixture Fixture, byte[] Plain) MakeWritten(CipherSuite suite, bool compresses)
    {
        WriteCounter backing = new();
        SealedFixture fixture = SealedFixture.Create(new Recipe(suite, compresses, 14), backing);
        using SealedFile file = fixture.Open();
        byte[] plain = new byte[Group + (6 * BlockSize)];
        Random random = new(3);
        for (int start = 0; start < plain.Length; start += 8192)
            random.NextBytes(plain.AsSpan(start, 3000)); // what shrinks, if it may
        file.WriteAt(0, plain);
        file.Settle();
        return (backing, fixture, plain);
    }
}
