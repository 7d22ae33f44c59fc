using System;
using System.Linq;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Tests.Doubles;
using Xunit;

namespace Overlay.Tests.Files;

/// <summary>Large reads, and what is kept of them.</summary>
public sealed unsafe class ReadingInRowsTests
{
    private const int BlockSize = 4096, Blocks = 20;

    private readonly byte[] _data = MakeData();

    [Fact]
    public void Raw_blocks_that_are_neighbours_come_with_one_read()
    {
        (SealedFixture fixture, CountingBacking backing) = Make(new Recipe(CipherSuite.Aes256Gcm, false, 12));
        using SealedFile file = fixture.Open();
        backing.Reads.Clear();
        Assert.Equal(_data, file.ReadBytes(0, _data.Length));
        Assert.Equal(1, backing.Reads.Count(read => read.Length == Blocks * BlockSize));
        Assert.DoesNotContain(backing.Reads, read => read.Length == BlockSize && read.Offset > BlockSize);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void File_that_is_read_as_a_whole_again_is_kept_and_one_that_is_read_once_is_not(bool compresses)
    {
        (SealedFixture fixture, CountingBacking backing) = Make(new Recipe(CipherSuite.Aegis256, compresses, 12));
        using SealedFile file = fixture.Open();
        for (int pass = 0; pass < 2; pass++)
        {
            backing.Reads.Clear();
            Assert.Equal(_data, file.ReadBytes(0, _data.Length));
            Assert.NotEmpty(backing.Reads);
        }
        backing.Reads.Clear();
        Assert.Equal(_data, file.ReadBytes(0, _data.Length));
        Assert.Empty(backing.Reads);
    }

    [Fact]
    public void Whole_blocks_that_are_read_again_here_and_there_are_kept()
    {
        using BlockCache cache = new(16 << 20);
        (SealedFixture fixture, CountingBacking backing) = Make(new Recipe(CipherSuite.Aes256Gcm, false, 12), MakeData(300));
        fixture.Cache = cache;
        using SealedFile file = fixture.Open();
        for (int pass = 0; pass < 3; pass++)
        {
            backing.Reads.Clear();
            for (int i = 0; i < 300; i++)
                Assert.Equal(BlockSize, file.ReadBytes(i * 7 % 300 * BlockSize, BlockSize).Length);
            Assert.Equal(pass < 2, backing.Reads.Count >= 300);
        }
        Assert.Empty(backing.Reads);
    }

    [Fact]
    public void Damaged_block_in_a_row_ends_the_read_before_it_and_fails_the_next()
    {
        (SealedFixture fixture, CountingBacking backing) = Make(new Recipe(CipherSuite.Aes256Gcm, false, 12));
        long place = fixture.Recipe.Geometry.PlaceOffset(0, 7, 0);
        backing.Write(place + 100, new[] { (byte)(backing.ByteAt(place + 100) ^ 1) });
        using SealedFile file = fixture.Open();
        Assert.Equal(_data[..(7 * BlockSize)], file.ReadBytes(0, _data.Length));
        Assert.Equal(Errno.EIO, Assert.Throws<ErrnoException>(() => file.ReadBytes(7 * BlockSize, 2 * BlockSize)).Errno);
        Assert.Equal(_data[(8 * BlockSize)..], file.ReadBytes(8 * BlockSize, _data.Length));
    }

    [Fact]
    public void What_the_filter_may_read_ends_with_a_write_of_anybody_and_is_renewed_by_the_next_read()
    {
        (SealedFixture fixture, _) = Make(new Recipe(CipherSuite.Aes256Gcm, false, 12));
        ulong word = 0, live = 0;
        using SealedFile file = fixture.Open();
        CachedFile shown = new(&word, &live, 12);
        file.CachedFile = shown;
        Assert.NotEqual(fixture.Coherence.Word, shown.Data->ValidWord);
        file.ReadBytes(100, 50);
        Assert.Equal((fixture.Coherence.Word, (long)_data.Length), (shown.Data->ValidWord, shown.Data->Size));
        long stamp = shown.Data->Stamp;
        using (SealedFile other = fixture.Open())
            other.Resize(1000);
        Assert.NotEqual(fixture.Coherence.Word, shown.Data->ValidWord);
        file.ReadBytes(100, 50);
        Assert.Equal((fixture.Coherence.Word, 1000L), (shown.Data->ValidWord, shown.Data->Size));
        Assert.NotEqual(stamp, shown.Data->Stamp);
        fixture.Lock.Enter(); // a writer at work
        fixture.Coherence.BeginWrite();
        file.ReadBytes(100, 50);
        Assert.NotEqual(0UL, shown.Data->ValidWord & 0xFFFF);
        Assert.Equal(0UL, shown.Data->Version % 2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_follows_is_asked_for_when_the_disk_was_waited_for_in_a_row(bool compresses)
    {
        byte[] text = [.. Enumerable.Range(0, 4 << 20).Select(i => (byte)(i / 48 % 89 + i % 3))];
        (SealedFixture fixture, CountingBacking backing) = Make(new Recipe(CipherSuite.Aes256Gcm, compresses, 14), text);
        using SealedFile file = fixture.Open();
        backing.IsSlow = true;
        backing.Reads.Clear();
        for (int at = 0; at < text.Length; at += 128 << 10)
            Assert.Equal(text[at..(at + (128 << 10))], file.ReadBytes(at, 128 << 10));
        int late = backing.Reads.Skip(backing.Reads.Count / 3).Count(read => !backing.WasAsked(read.Offset, read.Length));
        Assert.Equal(0, late);
    }

    /// <summary>The filter reads what is cached by itself: of a row of small reads the file sees one in each block.</summary>
    [Fact]
    public void What_follows_is_asked_for_when_only_the_first_read_of_each_block_is_seen()
    {
        byte[] text = [.. Enumerable.Range(0, 4 << 20).Select(i => (byte)(i / 48 % 89 + i % 3))];
        (SealedFixture fixture, CountingBacking backing) = Make(new Recipe(CipherSuite.Aes256Gcm, true, 14), text);
        using SealedFile file = fixture.Open();
        backing.IsSlow = true;
        for (int at = 0; at < text.Length; at += 16384)
        {
            if (at == 1 << 20)
                backing.Waits.Clear();
            Assert.Equal(text[at..(at + 4096)], file.ReadBytes(at, 4096));
        }
        Assert.Empty(backing.Waits);
    }

    [Fact]
    public void No_blocks_but_those_of_the_read_are_asked_for_when_reads_are_here_and_there()
    {
        byte[] text = new byte[4 << 20];
        Recipe recipe = new(CipherSuite.Aes256Gcm, true, 14);
        (SealedFixture fixture, CountingBacking backing) = Make(recipe, text);
        using SealedFile file = fixture.Open();
        backing.IsSlow = true;
        for (int i = 0; i < 30; i++)
            file.ReadBytes(i * 7 % 30 * 130_000, 20_000);
        long[] indexes = [.. Enumerable.Range(0, 1 + (int)recipe.Geometry.LastGroup(text.Length)).Select(group => recipe.Geometry.IndexOffset(group))];
        long[] read = [.. backing.Reads.Select(read => read.Offset)];
        Assert.All(backing.Asked, asked => Assert.Contains(asked.Offset, indexes.Concat(read)));
    }

    [Fact]
    public void Index_pages_are_asked_for_together_when_one_was_waited_for()
    {
        byte[] text = new byte[20 << 20];
        Recipe recipe = new(CipherSuite.Aes256Gcm, true, 14);
        (SealedFixture fixture, CountingBacking backing) = Make(recipe, text);
        long groups = recipe.Geometry.LastGroup(text.Length) + 1;
        using SealedFile file = fixture.Open();
        backing.IsSlow = true;
        backing.Reads.Clear();
        for (long group = 0; group < groups; group++)
            file.ReadBytes(group * 17 % groups * recipe.Geometry.GroupSize, 100);
        long[] indexes = [.. Enumerable.Range(0, (int)groups).Select(group => recipe.Geometry.IndexOffset(group))];
        int late = backing.Reads.Count(read => indexes.Contains(read.Offset) && !backing.WasAsked(read.Offset, read.Length));
        Assert.InRange(late, 1, 6);
        Assert.True(groups > 40);
    }

    [Fact]
    public void Damage_further_on_is_not_this_reads_fault()
    {
        byte[] text = new byte[2 << 20];
        text.AsSpan().Fill(5);
        (SealedFixture fixture, CountingBacking backing) = Make(new Recipe(CipherSuite.Aes256Gcm, true, 14), text);
        backing.Write(fixture.Recipe.Geometry.IndexOffset(2) + 300, new byte[50]);
        using SealedFile file = fixture.Open();
        backing.IsSlow = true;
        int good = 2 * (int)fixture.Recipe.Geometry.GroupSize;
        for (int at = 0; at < good; at += 58 << 10)
            Assert.Equal(Math.Min(58 << 10, good - at), file.ReadBytes(at, Math.Min(58 << 10, good - at)).Length);
        Assert.Equal(Errno.EIO, Assert.Throws<ErrnoException>(() => file.ReadBytes(good, 100)).Errno);
    }

    private (SealedFixture Fixture, CountingBacking Backing) Make(Recipe recipe) => Make(recipe, _data);

    private static (SealedFixture Fixture, CountingBacking Backing) Make(Recipe recipe, byte[] data)
    {
        CountingBacking backing = new();
        SealedFixture fixture = SealedFixture.Create(recipe, backing);
        using SealedFile file = fixture.Open();
        file.WriteAt(0, data);
        return (fixture, backing);
    }

    /// <summary>Random: at this block size nothing is compressed.</summary>
    private static byte[] MakeData(int blocks = Blocks)
    {
        byte[] data = new byte[blocks * BlockSize];
        new Random(5).NextBytes(data);
        return data;
    }
}
