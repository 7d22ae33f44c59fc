using System;
using System.Security.Cryptography;
using Overlay.Engine;
using Xunit;

namespace Overlay.Tests.Engine;

public class RecentKeysTests
{
    [Fact]
    public void Keys_are_found_until_others_take_their_place()
    {
        RecentKeys keys = new();
        byte[] found = new byte[32];
        for (int i = 0; i < 64; i++)
            keys.Put(Id(i), Key(i));
        for (int i = 0; i < 64; i++)
        {
            Assert.True(keys.TryGet(Id(i), found));
            Assert.Equal(Key(i), found);
        }
        Assert.False(keys.TryGet(Id(64), found));
        for (int i = 0; i < 1_000_000; i++)
            keys.Put(Id(1000 + i), Key(1000 + i));
        Assert.False(keys.TryGet(Id(0), found));
    }

    /// <summary>Files that were made one after the other and are read so: hardly anybody has to wait.</summary>
    [Fact]
    public void Reading_files_in_a_row_waits_for_a_few_and_asks_ahead_for_the_others()
    {
        RecentKeys keys = new();
        int waited = 0, ahead = 0, granted = 0, next = 0, onTheWay = 0;
        for (int file = 0; file < 30_000; file++)
        {
            if (!keys.TryGet(Id(file), new byte[32], out int more) && onTheWay > 0)
            {
                // The answer is taken when it is needed.
                keys.BeginBatch();
                Put(keys, next, onTheWay);
                next += onTheWay;
                onTheWay = 0;
                Assert.True(keys.TryGet(Id(file), new byte[32], out more));
            }
            else if (file >= next)
            {
                waited++;
                int most = keys.NextBatch();
                int first = file / most * most;
                Put(keys, first, most);
                granted += most;
                next = first + most;
            }
            if (more > 0)
            {
                Assert.Equal(0, onTheWay);
                ahead++;
                granted += more;
                onTheWay = more;
            }
        }
        Assert.InRange(waited, 1, 10);
        Assert.InRange(ahead, 200, 260);
        Assert.InRange(granted, 30_000, 30_500);
    }

    /// <summary>As <c>grep -r</c> does: each file of a tree once, in the order in which a directory lists them, which is none.</summary>
    [Theory]
    [InlineData(3_000, 1_000, 60)]
    [InlineData(30_000, 1_000, 500)]
    [InlineData(30_000, 30_000, 500)]
    public void Reading_a_tree_in_no_order_asks_for_less_and_less(int count, int perDirectory, int mostQuestions)
    {
        RecentKeys keys = new();
        int[] files = new int[count];
        for (int i = 0; i < files.Length; i++)
            files[i] = i;
        Random random = new(7);
        for (int i = 0; i < files.Length; i += perDirectory)
            random.Shuffle(files.AsSpan(i, perDirectory));
        int asked = 0;
        foreach (int file in files)
        {
            if (keys.TryGet(Id(file), new byte[32]))
                continue;
            int most = keys.NextBatch();
            asked++;
            Put(keys, file / most * most, most);
        }
        Assert.InRange(asked, 1, mostQuestions);
    }

    [Fact]
    public void Reading_here_and_there_is_tried_for_a_while_and_then_asks_for_few()
    {
        RecentKeys keys = new();
        Random random = new(1);
        Assert.InRange(ReadHereAndThere(keys, random, 3_000), 3_000, 50_000);
        Assert.InRange(ReadHereAndThere(keys, random, 3_000), 3_000, 15_000);
    }

    [Fact]
    public void Who_opens_two_files_gets_few()
    {
        RecentKeys keys = new();
        Assert.Equal(1, keys.NextBatch());
        Assert.Equal(4, keys.NextBatch());
        Put(keys, 0, 4);
        Assert.True(keys.TryGet(Id(0), new byte[32], out int more));
        Assert.True(keys.TryGet(Id(1), new byte[32], out more));
        Assert.True(keys.TryGet(Id(2), new byte[32], out more));
        Assert.Equal(0, more);
    }

    [Fact]
    public void Destroyed_keys_are_forgotten_and_nothing_goes_on_from_them()
    {
        RecentKeys keys = new();
        keys.BeginBatch();
        Put(keys, 0, 64);
        for (int i = 0; i < 31; i++)
            Assert.True(keys.TryGet(Id(i), new byte[32]));
        keys.Clear();
        for (int i = 0; i < 64; i++)
            Assert.False(keys.TryGet(Id(i), new byte[32], out _));
    }

    private static int ReadHereAndThere(RecentKeys keys, Random random, int count)
    {
        int granted = 0;
        for (int i = 0; i < count; i++)
        {
            int file = random.Next() / 256 * 256;
            if (keys.TryGet(Id(file), new byte[32]))
                continue;
            int most = keys.NextBatch();
            granted += most;
            Put(keys, file, most);
        }
        return granted;
    }

    private static void Put(RecentKeys keys, int first, int count)
    {
        for (int i = first; i < first + count; i++)
            keys.Put(Id(i), Key(i));
    }

    private static byte[] Id(int number)
    {
        byte[] id = SHA256.HashData(BitConverter.GetBytes(number))[..16]; // ids are random, in each of their last bytes
        BitConverter.TryWriteBytes(id.AsSpan(4), number);
        return id;
    }

    private static byte[] Key(int number) => [.. Id(number), .. Id(number)];
}
