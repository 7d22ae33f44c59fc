using System;
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
        for (int i = 0; i < 100_000; i++)
            keys.Put(Id(1000 + i), Key(1000 + i));
        Assert.False(keys.TryGet(Id(0), found));
    }

    /// <summary>Files that were made one after the other and are read so: hardly anybody has to be asked.</summary>
    [Fact]
    public void Reading_files_in_a_row_asks_for_more_and_more()
    {
        RecentKeys keys = new();
        byte[] found = new byte[32];
        int asked = 0;
        for (int file = 0; file < 3000; file++)
        {
            if (keys.TryGet(Id(file), found))
                continue;
            int most = keys.NextBatch();
            asked++;
            for (int i = 0; i < most; i++)
                keys.Put(Id(file + i), Key(file + i));
        }
        Assert.InRange(asked, 1, 60);
    }

    /// <summary>As <c>grep -r</c> does: each file of a tree once, in the order in which a directory lists them, which is none.</summary>
    [Fact]
    public void Reading_a_tree_in_no_order_asks_for_less_and_less()
    {
        RecentKeys keys = new();
        byte[] found = new byte[32];
        int[] files = new int[3000];
        for (int i = 0; i < files.Length; i++)
            files[i] = i;
        new Random(7).Shuffle(files);
        int asked = 0;
        foreach (int file in files)
        {
            if (keys.TryGet(Id(file), found))
                continue;
            int most = keys.NextBatch();
            asked++;
            for (int i = 0; i < most; i++)
                keys.Put(Id(file - i), Key(file - i));
        }
        Assert.InRange(asked, 1, 1000); // of 3,000
    }

    [Fact]
    public void Reading_here_and_there_asks_for_few()
    {
        RecentKeys keys = new();
        Random random = new(1);
        byte[] found = new byte[32];
        int granted = 0;
        for (int i = 0; i < 1000; i++)
        {
            int file = random.Next() / 256 * 256;
            if (keys.TryGet(Id(file), found))
                continue;
            int most = keys.NextBatch();
            granted += most;
            for (int n = 0; n < most; n++)
                keys.Put(Id(file + n), Key(file + n));
        }
        Assert.InRange(granted, 1000, 5000);
    }

    private static byte[] Id(int number)
    {
        byte[] id = new byte[16];
        new Random(number).NextBytes(id); // ids are random
        BitConverter.TryWriteBytes(id.AsSpan(4), number);
        return id;
    }

    private static byte[] Key(int number) => [.. Id(number), .. Id(number)];
}
