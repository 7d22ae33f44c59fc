using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Tests.Doubles;
using Xunit;

namespace Overlay.Tests.Files;

/// <summary>Large writes with a helper leave the same file as without one, whenever it comes.</summary>
public class HelpedWriteTests
{
    private const int Calls = 5;

    public static TheoryData<HelperManner, CipherSuite, bool, int> Recipes()
    {
        TheoryData<HelperManner, CipherSuite, bool, int> recipes = [];
        foreach (var manner in Enum.GetValues<HelperManner>())
            foreach (var suite in Enum.GetValues<CipherSuite>())
                foreach (var compresses in new[] { false, true })
                    foreach (var blockSizeLog2 in new[] { 12, 14, 16 })
                        recipes.Add(manner, suite, compresses, blockSizeLog2);
        return recipes;
    }

    [Theory]
    [MemberData(nameof(Recipes))]
    public void Files_are_alike_with_and_without_help(HelperManner manner, CipherSuite suite, bool compresses, int blockSizeLog2)
    {
        Recipe recipe = new(suite, compresses, blockSizeLog2);
        foreach (var (content, isMixed) in Contents(Calls * CallSize(recipe)).Zip([false, false, true]))
        {
            ThreadHelper helper = new(manner);
            var (helped, helpedForms) = WriteAll(recipe, content, helper);
            var (alone, aloneForms) = WriteAll(recipe, content, null);
            Assert.Equal(content, ReadAll(helped));
            Assert.Equal(content, ReadAll(alone));
            // Which blocks are not tried, where few have shrunk, is told in another order.
            if (!(compresses && isMixed))
                Assert.Equal(aloneForms, helpedForms);
            Assert.True(helper.Jobs >= Calls);
            Assert.True(helper.IsAway);
            Assert.Equal(manner != HelperManner.Never, helper.BlocksDone > 0 || manner == HelperManner.BesideTheCaller);
        }
    }

    [Theory]
    [InlineData(HelperManner.BesideTheCaller)]
    [InlineData(HelperManner.First)]
    [InlineData(HelperManner.FirstBlockOnly)]
    public void Write_begins_and_ends_inside_of_blocks(HelperManner manner)
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, true, 14);
        ThreadHelper helper = new(manner);
        var fixture = SealedFixture.Create(recipe);
        fixture.Helper = helper;
        var expected = new byte[2_000_000];
        using (var file = fixture.Open())
        {
            Random random = new(5);
            foreach (var content in Contents(700_001))
            {
                var offset = random.Next(1_200_000);
                content.CopyTo(expected, offset);
                Assert.Equal(content.Length, file.WriteAt(offset, content));
            }
            file.WriteAt(expected.Length - 1, [expected[^1]]);
            Assert.Equal(expected, file.ReadBytes(0, expected.Length + 1));
        }
        Assert.True(helper.Jobs > 3);
        Assert.Equal(expected, ReadAll(fixture));
    }

    [Fact]
    public void Blocks_too_large_or_too_few_are_done_alone()
    {
        ThreadHelper helper = new(HelperManner.First);
        foreach (var (blockSizeLog2, size) in new[] { (17, 4 << 20), (16, 128 << 10), (14, 48 << 10), (12, 32 << 10) })
        {
            var fixture = SealedFixture.Create(new Recipe(CipherSuite.Aes256Gcm, true, blockSizeLog2));
            fixture.Helper = helper;
            using var file = fixture.Open();
            file.WriteAt(0, Text(size));
        }
        Assert.Equal(0, helper.Jobs);
    }

    [Fact]
    public void A_helper_that_another_file_has_is_not_waited_for()
    {
        ThreadHelper helper = new(HelperManner.First);
        Assert.True(helper.TryTake(1));
        var fixture = SealedFixture.Create(new Recipe(CipherSuite.Aes256Gcm, true, 14));
        fixture.Helper = helper;
        var content = Text(1 << 20);
        using (var file = fixture.Open())
            file.WriteAt(0, content);
        Assert.Equal(0, helper.Jobs);
        Assert.Equal(content, ReadAll(fixture));
    }

    [Theory]
    [InlineData(HelperManner.BesideTheCaller)]
    [InlineData(HelperManner.First)]
    [InlineData(HelperManner.Never)]
    public void Every_call_to_the_disk_may_fail(HelperManner manner)
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, true, 14);
        var old = Text(1 << 20);
        // Text and random bytes in turns: runs of raw blocks, and blocks that lie apart.
        var content = Contents(1 << 20).Last();
        for (int call = 1, failures = 1; failures > 0; call++)
        {
            FaultyBacking backing = new() { FaultErrno = Errno.ENOSPC, IsPersistent = true, IsSuspended = true };
            var fixture = SealedFixture.Create(recipe, backing);
            ThreadHelper helper = new(manner);
            using (var file = fixture.Open())
                file.WriteAt(0, old);
            fixture.Helper = helper;
            var written = 0;
            using (var file = fixture.Open())
            {
                backing.FailAt = backing.Calls + call;
                backing.IsSuspended = false;
                try
                {
                    written = file.WriteAt(0, content);
                }
                catch (ErrnoException exception)
                {
                    Assert.Equal(Errno.ENOSPC, exception.Errno);
                }
                backing.IsSuspended = true;
                failures = backing.Failures;
                Assert.True(helper.IsAway);
            }
            var found = ReadAll(fixture);
            Assert.Equal(content.AsSpan(0, written).ToArray(), found[..written]);
            // What the call does not answer for is old or new, block by block.
            for (var block = written >> 14; block < old.Length >> 14; block++)
            {
                var there = found.AsSpan(block << 14, 1 << 14);
                Assert.True(there.SequenceEqual(old.AsSpan(block << 14, 1 << 14)) || there.SequenceEqual(content.AsSpan(block << 14, 1 << 14)), $"block {block}");
            }
        }
    }

    [Fact]
    public void Helped_writes_allocate_nothing()
    {
        var fixture = SealedFixture.Create(new Recipe(CipherSuite.Aes256Gcm, true, 14), new FlatBacking(8 << 20));
        fixture.Helper = new ThreadHelper(HelperManner.First);
        var content = Text(256 << 10);
        using var file = fixture.Open();
        for (var i = 0; i < 4; i++)
            file.WriteAt(0, content);
        var least = long.MaxValue;
        for (var round = 0; round < 6; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 20; i++)
                file.WriteAt(0, content);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
    }

    /// <summary>Calls of whole blocks, and two more once more, over what is there.</summary>
    private static (SealedFixture Fixture, List<(StoredKind Kind, int Length, int Place)> Forms) WriteAll(Recipe recipe, byte[] content, ThreadHelper? helper)
    {
        var fixture = SealedFixture.Create(recipe);
        fixture.Helper = helper;
        var size = CallSize(recipe);
        using (var file = fixture.Open())
        {
            for (var at = 0; at < content.Length; at += size)
                Assert.Equal(size, file.WriteAt(at, content.AsSpan(at, size)));
            Assert.Equal(size, file.WriteAt(0, content.AsSpan(size, size)));
            Assert.Equal(size, file.WriteAt(0, content.AsSpan(0, size)));
        }
        return (fixture, [.. FormsOf(fixture, content.Length)]);
    }

    private static int CallSize(Recipe recipe) => Math.Max(128 << 10, 8 << recipe.BlockSizeLog2) * 3;

    private static IEnumerable<(StoredKind, int, int)> FormsOf(SealedFixture fixture, int length)
    {
        var geometry = fixture.Recipe.Geometry;
        var page = new byte[FormatConstants.PageSize];
        for (var block = 0L; block << fixture.Recipe.BlockSizeLog2 < length; block++)
        {
            fixture.Backing.Read(geometry.IndexOffset(Geometry.GroupOf(block)), page);
            var version = BlockVersion.Current(page, Geometry.SlotOf(block));
            yield return (version.Kind, version.StoredLength, version.Place);
        }
    }

    private static byte[] ReadAll(SealedFixture fixture)
    {
        using var file = fixture.Open();
        return file.ReadBytes(0, (int)file.CurrentLength);
    }

    /// <summary>What shrinks, what does not, and both in turns, in pieces that are no blocks.</summary>
    private static IEnumerable<byte[]> Contents(int length)
    {
        var text = Text(length);
        yield return text;
        var random = new byte[length];
        new Random(3).NextBytes(random);
        yield return random;
        var mixed = (byte[])text.Clone();
        for (var at = 0; at < length; at += 90_000)
            random.AsSpan(at, Math.Min(40_000, length - at)).CopyTo(mixed.AsSpan(at));
        yield return mixed;
    }

    private static byte[] Text(int length)
    {
        var text = new byte[length];
        Random random = new(length);
        for (var at = 0; at < length;)
            foreach (var letter in $"line {at}: {random.Next(10_000)} of a ledger\n".Take(length - at))
                text[at++] = (byte)letter;
        return text;
    }
}
