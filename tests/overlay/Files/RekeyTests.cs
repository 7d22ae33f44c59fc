using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Tests.Doubles;
using Xunit;
using static Overlay.Format.FormatConstants;

namespace Overlay.Tests.Files;

/// <summary>A file's key is replaced while others have the file open (format §4, Two keys).</summary>
public class RekeyTests
{
    private const int BlockSize = 16384, GroupSize = GroupBlocks * BlockSize;

    public static TheoryData<CipherSuite, int, int> Files()
    {
        TheoryData<CipherSuite, int, int> files = [];
        for (CipherSuite suite = CipherSuite.Aes256Gcm; suite <= CipherSuite.XChaCha20Poly1305; suite++)
            foreach (int size in new[] { 0, 100, 3584, 5000, BlockSize, 5 * BlockSize + 7, GroupSize + 3, 3 * GroupSize })
                foreach (int blockSizeLog2 in size == 5000 ? new[] { 12, 20 } : [14])
                    files.Add(suite, size, blockSizeLog2);
        return files;
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Afterwards_the_new_key_opens_everything_and_the_old_one_nothing(CipherSuite suite, int size, int blockSizeLog2)
    {
        foreach (bool compresses in new[] { false, true })
        {
            (SealedFixture fixture, byte[] plain) = Make(new Recipe(suite, compresses, blockSizeLog2), size);
            ulong sequence = HeaderOf(fixture).Sequence;
            long before = Occupied(fixture);
            using (SealedFile file = fixture.Open())
                file.Rekey(SealedFixture.NextKey);
            Assert.True(Occupied(fixture) <= before + PageSize, $"{before} bytes became {Occupied(fixture)}");

            fixture.Keys = new TestKeys(SealedFixture.SecretKey);
            Assert.Throws<ErrnoException>(fixture.Open);
            fixture.Keys = new TestKeys(SealedFixture.NextKey);
            using SealedFile opened = fixture.Open();
            Assert.Equal(plain, opened.ReadBytes(0, size + 1));
            FileSurvey survey = opened.Survey(_ => { });
            Assert.Equal((0, DigestState.Exact), (survey.DamagedBlocks, survey.Digest));
            Assert.True(opened.HasOnlyKey(Rekeying.CheckOf(SealedFixture.NextKey)));
            Assert.True(HeaderOf(fixture).Sequence > sequence);
            Assert.Equal(size, SettledSize.Decode(fixture.Recipe.Geometry, fixture.Backing.Length));
            Assert.Empty(fixture.Log.Lines);
        }
    }

    /// <summary>A small file is one page before and after.</summary>
    [Theory]
    [InlineData(100)]
    [InlineData(3584)]
    public void A_file_of_one_page_stays_it(int size)
    {
        (SealedFixture fixture, _) = Make(new Recipe(CipherSuite.Aes256Gcm, true, 14), size);
        for (byte i = 0; i < 5; i++)
        {
            byte[] next = SealedFixture.MakeKey(13 + 2 * i);
            fixture.Keys.Next = next;
            using (SealedFile file = fixture.Open())
                file.Rekey(next);
            fixture.Keys.Promote();
            Assert.Equal(512 + size, fixture.Backing.Length);
            Assert.Equal([0L], fixture.Backing.PageNumbers);
        }
    }

    /// <summary>Numbers of keys are kept modulo 32; with number 0 a file is again what early releases read.</summary>
    [Fact]
    public void After_thirty_two_keys_a_file_is_as_if_it_had_had_one()
    {
        (SealedFixture fixture, byte[] plain) = Make(new Recipe(CipherSuite.Aes256Gcm, false, 14), 3 * BlockSize);
        for (int i = 1; i <= KeyEpochs; i++)
        {
            byte[] next = SealedFixture.MakeKey(101 + 2 * i);
            fixture.Keys.Next = next;
            using (SealedFile file = fixture.Open())
                file.Rekey(next);
            fixture.Keys.Promote();
            Assert.Equal(i % KeyEpochs, HeaderOf(fixture).KeyEpoch);
            Assert.Equal(i == KeyEpochs ? 0 : 2, fixture.Backing.ByteAt(14));
        }
        Assert.Equal(0, fixture.Backing.ByteAt(13) & ~1);
        using SealedFile opened = fixture.Open();
        Assert.Equal(plain, opened.ReadBytes(0, plain.Length));
    }

    [Fact]
    public void A_file_that_was_never_rekeyed_says_nothing_of_keys()
    {
        (SealedFixture fixture, _) = Make(new Recipe(CipherSuite.Aes256Gcm, false, 14), 3 * BlockSize);
        Assert.Equal((1, 0), (fixture.Backing.ByteAt(13), fixture.Backing.ByteAt(14)));
        Assert.Equal(0, fixture.Keys.Questions);
    }

    /// <summary>Each of these had the file open with the old key, and meets every state on the way to the new one.</summary>
    [Fact]
    public void Who_has_the_file_open_reads_and_writes_on()
    {
        (SealedFixture fixture, byte[] plain) = Make(new Recipe(CipherSuite.Aes256Gcm, false, 14), 2 * GroupSize + 5);
        fixture.Keys.Remembered = SealedFixture.SecretKey;
        using SealedFile reader = fixture.Open(), writer = fixture.Open(), tool = fixture.Open();
        Assert.Equal(plain, reader.ReadBytes(0, plain.Length));
        RekeyWalk walk = tool.StartRekey(SealedFixture.NextKey);
        int parts = 0, mixed = 0;
        while (tool.Reseal(walk))
        {
            int at = parts++ * 70_000 % plain.Length;
            writer.WriteAt(at, [(byte)parts, 2, 3]);
            new byte[] { (byte)parts, 2, 3 }.CopyTo(plain, at);
            Assert.Equal(plain, reader.ReadBytes(0, plain.Length));
            mixed += HeaderOf(fixture).HasTwoKeys ? 1 : 0;
        }
        tool.EndRekey(walk);
        fixture.Keys.Promote();
        Assert.Equal(parts, mixed);
        Assert.Equal(plain, reader.ReadBytes(0, plain.Length));
        writer.WriteAt(7, [9]);
        plain[7] = 9;
        Assert.Equal(plain, reader.ReadBytes(0, plain.Length));
        using SealedFile late = fixture.Open();
        Assert.Equal(plain, late.ReadBytes(0, plain.Length));
        Assert.Empty(fixture.Log.Lines);
    }

    /// <summary>What a program that had the file open does when the agent is gone: it fails, and says why; nothing is written with the old key.</summary>
    [Fact]
    public void Without_an_agent_an_open_file_fails_and_its_data_stays()
    {
        (SealedFixture fixture, byte[] plain) = Make(new Recipe(CipherSuite.Aes256Gcm, false, 14), 5 * BlockSize);
        TestKeys gone = new(SealedFixture.SecretKey) { Remembered = SealedFixture.SecretKey, IsGone = true }, store = fixture.Keys;
        fixture.Keys = gone;
        using SealedFile program = fixture.Open();
        fixture.Keys = store;
        using SealedFile tool = fixture.Open();
        tool.Rekey(SealedFixture.NextKey);
        Assert.Equal(Errno.EIO, Assert.Throws<ErrnoException>(() => program.ReadBytes(0, 10)).Errno);
        Assert.Equal(Errno.EIO, Assert.Throws<ErrnoException>(() => program.WriteAt(0, [1])).Errno);
        Assert.Contains(fixture.Log.Lines, line => line.Contains("overlay-ctl rekey", StringComparison.Ordinal) && line.Contains("agent", StringComparison.Ordinal));
        Assert.False(fixture.Lock.IsHeld || fixture.Coherence.HasWriters);
        gone.IsGone = false;
        gone.Next = SealedFixture.NextKey;
        Assert.Equal(plain, program.ReadBytes(0, plain.Length)); // it came back
        Assert.Equal(plain, tool.ReadBytes(0, plain.Length));
    }

    /// <summary>The agent is never waited for by who holds the lock: it may be waiting for it.</summary>
    [Fact]
    public void A_writer_asks_for_the_new_key_without_the_lock()
    {
        (SealedFixture fixture, _) = Make(new Recipe(CipherSuite.Aes256Gcm, false, 14), 5 * BlockSize);
        LockWatcher watcher = new(fixture);
        SealedFile.Open(fixture.Context, watcher, out SealedFile? opened);
        using SealedFile program = opened!;
        using SealedFile tool = fixture.Open();
        RekeyWalk walk = tool.StartRekey(SealedFixture.NextKey);
        program.WriteAt(5, [1]);
        Assert.Equal((1, 0), (watcher.Asked, watcher.AskedInside));
        while (tool.Reseal(walk))
            program.WriteAt(5, [1]);
        tool.EndRekey(walk);
        program.WriteAt(5, [1]);
        Assert.Equal((1, 0), (watcher.Asked, watcher.AskedInside));
    }

    private sealed class LockWatcher(SealedFixture fixture) : IKeySource
    {
        public int Asked { get; private set; }

        public int AskedInside { get; private set; }

        public bool TryGetKey(ReadOnlySpan<byte> fileId, Span<byte> key) => fixture.Keys.TryGetKey(fileId, key);

        public int GetKeysAnew(ReadOnlySpan<byte> fileId, Span<byte> keys)
        {
            Asked++;
            AskedInside += fixture.Lock.IsHeld ? 1 : 0;
            return fixture.Keys.GetKeysAnew(fileId, keys);
        }
    }

    [Fact]
    public void Two_that_rekey_one_file_help_each_other()
    {
        (SealedFixture fixture, byte[] plain) = Make(new Recipe(CipherSuite.Aes256Gcm, true, 14), 2 * GroupSize);
        using SealedFile first = fixture.Open(), second = fixture.Open();
        RekeyWalk mine = first.StartRekey(SealedFixture.NextKey), yours = second.StartRekey(SealedFixture.NextKey);
        while (first.Reseal(mine) | second.Reseal(yours))
        {
        }
        second.EndRekey(yours);
        first.EndRekey(mine);
        Assert.True(first.HasOnlyKey(Rekeying.CheckOf(SealedFixture.NextKey)));
        Assert.Equal(plain, first.ReadBytes(0, plain.Length));
        Assert.Equal(DigestState.Exact, Survey(fixture).Digest);
    }

    /// <summary>One that was stopped for long, while another has ended the rekeying and begun the next one, must not end that one.</summary>
    [Fact]
    public void One_that_comes_late_does_not_end_the_next_rekeying()
    {
        byte[] third = SealedFixture.MakeKey(77);
        (SealedFixture fixture, byte[] plain) = Make(new Recipe(CipherSuite.Aes256Gcm, false, 14), 2 * GroupSize);
        using SealedFile late = fixture.Open(), other = fixture.Open();
        RekeyWalk mine = late.StartRekey(SealedFixture.NextKey);
        _ = late.Reseal(mine);
        other.Rekey(SealedFixture.NextKey);
        fixture.Keys.Promote();
        fixture.Keys.Next = third;
        RekeyWalk next = other.StartRekey(third);
        while (late.Reseal(mine))
        {
        }
        late.EndRekey(mine);
        Assert.True(HeaderOf(fixture).HasTwoKeys);
        Assert.False(late.BeginRekey(SealedFixture.NextKey));
        Assert.Equal(plain, late.ReadBytes(0, plain.Length));
        while (other.Reseal(next))
        {
        }
        other.EndRekey(next);
        fixture.Keys.Promote();
        using SealedFile opened = fixture.Open();
        Assert.Equal(plain, opened.ReadBytes(0, plain.Length));
    }

    [Fact]
    public void A_store_without_one_of_two_keys_opens_nothing()
    {
        (SealedFixture fixture, _) = Make(new Recipe(CipherSuite.Aes256Gcm, false, 14), 2 * GroupSize);
        using (SealedFile tool = fixture.Open())
            _ = tool.Reseal(tool.StartRekey(SealedFixture.NextKey));
        foreach (byte[] only in new[] { SealedFixture.SecretKey, SealedFixture.NextKey })
        {
            fixture.Keys = new TestKeys(only);
            Assert.Equal(OpenStatus.WrongKey, SealedFile.Open(fixture.Context, fixture.Keys, out _).Status);
        }
    }

    /// <summary>Which key has sealed something is a bit: whoever changes it finds that it does not open any more.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_changed_bit_of_the_key_is_damage(bool isDone)
    {
        (SealedFixture fixture, byte[] plain) = Make(new Recipe(CipherSuite.Aes256Gcm, false, 14), GroupSize + 5 * BlockSize, isInUnits: true);
        using (SealedFile tool = fixture.Open())
        {
            if (isDone)
                tool.Rekey(SealedFixture.NextKey);
            else
                _ = tool.Reseal(tool.StartRekey(SealedFixture.NextKey));
        }
        long second = fixture.Recipe.Geometry.IndexOffset(1);
        List<(long At, byte Mask, bool IsHeader)> bits = [(13, 2, true), (13, 0x40, true), (13, 0x80, true), (14, 2, true)];
        bits.AddRange(new[] { 0L, second }.Select(page => (page + RecordOffset + 11, (byte)0x80, false)));
        foreach (int slot in new[] { 0, 3, 17, 28 })
            bits.Add((EntryOffset + slot * EntrySize + 11, 0x10, false));
        bits.Add((second + EntryOffset + 2 * EntrySize + 11, 0x10, false));
        foreach ((long at, byte mask, bool isHeader) in bits)
        {
            byte original = fixture.Backing.ByteAt(at);
            fixture.Backing.Write(at, [(byte)(original ^ mask)]);
            if (isHeader)
                Assert.Throws<ErrnoException>(fixture.Open);
            else
                Assert.True(ReadsLess(fixture, plain), $"bit {mask} of byte {at}");
            fixture.Backing.Write(at, [original]);
        }
        Assert.False(ReadsLess(fixture, plain));
    }

    [Fact]
    public void What_the_old_key_had_sealed_is_damage_when_it_is_put_back_afterwards()
    {
        (SealedFixture fixture, byte[] plain) = Make(new Recipe(CipherSuite.Aes256Gcm, false, 14), GroupSize + 3 * BlockSize);
        MemoryBacking before = fixture.Backing.Clone();
        using (SealedFile tool = fixture.Open())
            tool.Rekey(SealedFixture.NextKey);
        // Also who has both keys yet: the header says that one is enough.
        MemoryBacking after = fixture.Backing.Clone();
        int tried = 0;
        foreach (int slot in new[] { 0, 5, 28 })
        {
            fixture.Backing = after.Clone();
            long entry = EntryOffset + slot * EntrySize;
            int place = BlockVersion.Current(before.ReadBytes(0, PageSize), slot).Place;
            Copy(before, fixture.Backing, fixture.Recipe.Geometry.PlaceOffset(0, slot, place), BlockSize);
            Copy(before, fixture.Backing, entry, EntrySize);
            Assert.True(ReadsLess(fixture, plain));
            tried++;
        }
        fixture.Backing = after.Clone();
        Copy(before, fixture.Backing, fixture.Recipe.Geometry.IndexOffset(1) + RecordOffset, RecordSize);
        Assert.True(ReadsLess(fixture, plain));
        fixture.Backing = after.Clone();
        Copy(before, fixture.Backing, 0, HeaderSize);
        fixture.Keys = new TestKeys(SealedFixture.NextKey);
        Assert.Throws<ErrnoException>(fixture.Open);
        Assert.Equal(3, tried);
    }

    /// <summary>While both keys count, it opens; that it is older shows in the digest, then and afterwards.</summary>
    [Fact]
    public void A_block_that_is_put_back_while_the_key_is_replaced_is_found_by_a_survey()
    {
        (SealedFixture fixture, byte[] plain) = Make(new Recipe(CipherSuite.Aes256Gcm, false, 14), 20 * BlockSize);
        MemoryBacking before = fixture.Backing.Clone();
        using (SealedFile program = fixture.Open())
        {
            program.WriteAt(19 * BlockSize, new byte[BlockSize]);
            program.Settle();
        }
        using SealedFile tool = fixture.Open();
        RekeyWalk walk = tool.StartRekey(SealedFixture.NextKey);
        int place = BlockVersion.Current(before.ReadBytes(0, PageSize), 19).Place;
        Copy(before, fixture.Backing, fixture.Recipe.Geometry.PlaceOffset(0, 19, place), BlockSize);
        Copy(before, fixture.Backing, EntryOffset + 19 * EntrySize, EntrySize);
        fixture.Coherence.BeginWrite();
        fixture.Coherence.EndWrite();
        while (tool.Reseal(walk))
        {
        }
        tool.EndRekey(walk);
        Assert.Equal(DigestState.Differs, Survey(fixture).Digest);
    }

    /// <summary>What a killed writer left beyond the size is not resealed: it goes, so that nothing of it comes back as damage.</summary>
    [Fact]
    public void What_lies_beyond_the_size_does_not_stay_with_the_old_key()
    {
        (SealedFixture fixture, _) = Make(new Recipe(CipherSuite.Aes256Gcm, false, 14), 3 * GroupSize);
        byte[] header = fixture.Backing.ReadBytes(0, HeaderSize);
        using (SealedFile file = fixture.Open())
        {
            file.WriteAt(5 * GroupSize, new byte[BlockSize]);
            file.Settle();
        }
        fixture.Backing.Write(0, header); // as if its writer had been killed before the header
        fixture.Reboot();
        using (SealedFile tool = fixture.Open())
            tool.Rekey(SealedFixture.NextKey);
        fixture.Keys = new TestKeys(SealedFixture.NextKey);
        using SealedFile opened = fixture.Open();
        opened.Resize(6 * GroupSize);
        Assert.Equal(new byte[BlockSize], opened.ReadBytes(5 * GroupSize, BlockSize));
        opened.WriteAt(5 * GroupSize + 3, [1]);
        Assert.Equal(0, opened.Survey(_ => { }).DamagedBlocks);
    }

    [Fact]
    public void How_often_a_key_sealed_is_told_over_the_change_of_keys()
    {
        (SealedFixture fixture, _) = Make(new Recipe(CipherSuite.Aes256Gcm, false, 14), GroupSize);
        using SealedFile tool = fixture.Open();
        tool.Rekey(SealedFixture.NextKey);
        Assert.True(tool.TryTakeNews(out _, out uint seals));
        Assert.InRange(seals, (uint)GroupBlocks, GroupBlocks + 20u);
        tool.WriteAt(0, new byte[BlockSize]);
        Assert.True(tool.TryTakeNews(out _, out seals));
        Assert.InRange(seals, 2u, 4u);
    }

    private static (SealedFixture Fixture, byte[] Plain) Make(Recipe recipe, int size, bool isInUnits = false)
    {
        SealedFixture fixture = SealedFixture.Create(recipe);
        byte[] plain = new byte[size];
        Random random = new(size);
        for (int start = 0; start < size; start += 9000)
            random.NextBytes(plain.AsSpan(start, Math.Min(6000, size - start)));
        using SealedFile file = fixture.Open();
        if (size > 0)
            file.WriteAt(0, plain);
        file.Sync(dataOnly: false);
        if (isInUnits)
        {
            plain.AsSpan(3 * BlockSize + 100, 50).Fill(1);
            file.WriteAt(3 * BlockSize + 100, plain.AsSpan(3 * BlockSize + 100, 50));
        }
        file.Settle();
        return (fixture, plain);
    }

    private static FileHeader HeaderOf(SealedFixture fixture)
    {
        Assert.Equal(HeaderFault.Ok, FileHeader.Parse(fixture.Backing.ReadBytes(0, HeaderSize), out FileHeader header));
        return header;
    }

    private static long Occupied(SealedFixture fixture) => fixture.Backing.PageNumbers.Count() * (long)PageSize;

    private static FileSurvey Survey(SealedFixture fixture)
    {
        using SealedFile file = fixture.Open();
        return file.Survey(_ => { });
    }

    private static void Copy(MemoryBacking from, MemoryBacking to, long offset, int count) => to.Write(offset, from.ReadBytes(offset, count));

    /// <summary>EIO at some block; what is read is what was written.</summary>
    private static bool ReadsLess(SealedFixture fixture, byte[] plain)
    {
        using SealedFile file = fixture.Open();
        bool isDamaged = false;
        for (int start = 0; start < plain.Length; start += BlockSize)
        {
            byte[] wanted = plain[start..Math.Min(start + BlockSize, plain.Length)];
            try
            {
                Assert.Equal(wanted, file.ReadBytes(start, wanted.Length));
            }
            catch (ErrnoException exception)
            {
                Assert.Equal(Errno.EIO, exception.Errno);
                isDamaged = true;
            }
        }
        return isDamaged;
    }
}
