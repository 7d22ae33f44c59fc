using System;
using System.Linq;
using System.Threading;
using Overlay.Files;
using Xunit;

namespace Overlay.Tests.Files;

public sealed unsafe class BlockCacheTests
{
    private const int Slice = BlockCache.SliceSize;
    private const int First = 32 << 20;

    private readonly byte[] _slice = new byte[Slice], _read = new byte[Slice];

    private sealed class Room(long greatest, bool mayGrow) : ICacheRoom
    {
        public long Greatest => greatest;

        public bool MayGrowBy(long bytes) => mayGrow;
    }

    [Fact]
    public void File_that_is_as_large_as_the_cache_fits_into_it()
    {
        using BlockCache cache = new(1 << 20);
        long stamp = BlockCache.NewStamp();
        Fill(cache, stamp, 64);
        Assert.Equal(64, CountHits(cache, stamp, 64));
    }

    /// <summary>Columns of a matrix, a table's pages: each block as far behind the last as a power of two.</summary>
    [Theory]
    [InlineData(64)]
    [InlineData(512)]
    [InlineData(4096)]
    [InlineData(1 << 20)]
    public void Blocks_at_equal_distances_do_not_crowd_each_other_out(long distance)
    {
        using BlockCache cache = new(First);
        long stamp = BlockCache.NewStamp();
        for (int i = 0; i < 256; i++)
            cache.PutBlock(stamp, i * distance, Slice, _slice);
        int hits = 0;
        for (int i = 0; i < 256; i++)
            hits += cache.TryRead(stamp, i * distance, 0, _read) ? 1 : 0;
        Assert.InRange(hits, 240, 256);
    }

    [Fact]
    public void Part_behind_the_end_of_a_short_slice_is_zeros()
    {
        using BlockCache cache = new(1 << 20);
        long stamp = BlockCache.NewStamp();
        _slice.AsSpan().Fill(1);
        cache.PutBlock(stamp, 3, Slice, _slice);
        cache.PutBlock(stamp, 3, Slice, _slice.AsSpan(0, 100));
        _read.AsSpan().Fill(2);
        Assert.True(cache.TryRead(stamp, 3, 50, _read.AsSpan(0, 200)));
        Assert.Equal(Enumerable.Repeat((byte)1, 50).Concat(new byte[150]), _read.Take(200));
    }

    [Fact]
    public void Cache_grows_when_what_it_evicted_comes_back_and_stays_small_for_what_does_not()
    {
        using BlockCache cache = new(new Room(128 << 20, mayGrow: true), null);
        Fill(cache, BlockCache.NewStamp(), 3 * First / Slice);
        Assert.Equal(First, cache.Capacity);
        long stamp = BlockCache.NewStamp();
        for (int round = 0; round < 4; round++)
            Fill(cache, stamp, 3 * First / 2 / Slice);
        Assert.Equal(2 * First, cache.Capacity);
        Assert.Equal(3 * First / 2 / Slice, CountHits(cache, stamp, 3 * First / 2 / Slice));
    }

    [Fact]
    public void Cache_does_not_grow_where_there_is_no_room()
    {
        using BlockCache cache = new(new Room(128 << 20, mayGrow: false), null);
        long stamp = BlockCache.NewStamp();
        for (int round = 0; round < 4; round++)
            Fill(cache, stamp, 2 * First / Slice);
        Assert.Equal(First, cache.Capacity);
        Assert.False(cache.TryMakeRoom(First));
    }

    [Fact]
    public void Wipe_leaves_nothing_of_a_stamp_also_of_what_was_kept_before_the_cache_grew()
    {
        using BlockCache cache = new(new Room(128 << 20, mayGrow: true), null);
        long stamp = BlockCache.NewStamp(), other = BlockCache.NewStamp();
        Fill(cache, other, 8);
        Fill(cache, stamp, 1024);
        Assert.True(cache.TryMakeRoom(2 * First));
        Fill(cache, stamp, 1500);
        Fill(cache, other, 8); // what lay where nobody looks any more may have made room
        cache.Wipe(stamp, 0, 1499, Slice);
        Assert.Equal(0, CountHits(cache, stamp, 1500));
        Assert.Equal(0, cache.CountFramesOf(stamp));
        Assert.NotEqual(0, cache.CountFramesOf(other));
    }

    [Fact]
    public void Reader_gets_a_whole_slice_or_none_when_its_place_is_taken_meanwhile()
    {
        using BlockCache cache = new(1 << 16); // one set
        long stamp = BlockCache.NewStamp();
        using CancellationTokenSource isOver = new();
        Thread writer = new(() =>
        {
            byte[] slice = new byte[Slice];
            for (int i = 0; !isOver.IsCancellationRequested; i++)
            {
                slice.AsSpan().Fill((byte)(i % 9));
                cache.PutBlock(stamp, i % 9, Slice, slice);
                Thread.SpinWait(i % 64 * 40); // or no reader would ever be in time
            }
        });
        writer.Start();
        int hits = 0, wrong = 0;
        long giveUp = Environment.TickCount64 + 60_000; // on a machine that is busy, the writer may come late
        for (int i = 0; i < 100_000 || (hits < 100 && Environment.TickCount64 < giveUp); i++)
        {
            if (!cache.TryRead(stamp, i % 9, 0, _read))
                continue;
            hits++;
            wrong += _read.AsSpan().IndexOfAnyExcept((byte)(i % 9)) < 0 ? 0 : 1;
        }
        isOver.Cancel();
        writer.Join();
        Assert.Equal(0, wrong);
        Assert.True(hits >= 100);
    }

    private void Fill(BlockCache cache, long stamp, int slices)
    {
        for (int i = 0; i < slices; i++)
        {
            if (cache.TryRead(stamp, i, 0, _read))
                continue;
            _slice.AsSpan().Fill((byte)(i % 250 + 1));
            cache.PutBlock(stamp, i, Slice, _slice);
        }
    }

    private int CountHits(BlockCache cache, long stamp, int slices)
    {
        int hits = 0;
        for (int i = 0; i < slices; i++)
            hits += cache.TryRead(stamp, i, 0, _read) && _read.AsSpan().IndexOfAnyExcept((byte)(i % 250 + 1)) < 0 ? 1 : 0;
        return hits;
    }
}
