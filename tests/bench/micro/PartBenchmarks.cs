using System;
using Overlay.Files;
using Overlay.Format;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Tests.Support;

namespace Overlay.Benchmarks;

/// <summary>Parts that each call needs, by themselves.</summary>
internal static class PartBenchmarks
{
    private const int Times = 1000;

    /// <summary>Where a block's entry and its place lie, for a thousand offsets.</summary>
    public static void Entries()
    {
        Geometry geometry = new(14);
        long sum = 0;
        double took = Measure.Seconds(() =>
        {
            for (long i = 0; i < Times; i++)
            {
                long block = geometry.BlockOf(i * 1234567);
                sum += geometry.PlaceOffset(Geometry.GroupOf(block), Geometry.SlotOf(block), 1) + geometry.IndexOffset(Geometry.GroupOf(block));
            }
        });
        GC.KeepAlive(sum);
        Measure.Each("part-entry-arithmetic", Times, took);
    }

    /// <summary>4 KiB out of the block cache.</summary>
    public static void CacheHit()
    {
        using BlockCache cache = new(32 << 20);
        byte[] page = new byte[4096], block = new byte[16384];
        long stamp = BlockCache.NewStamp();
        for (int i = 0; i < 64; i++)
            cache.PutBlock(stamp, i, block.Length, block);
        Measure.Each("part-cache-hit-4k", Times, Measure.Seconds(() =>
        {
            for (int i = 0; i < Times; i++)
                if (!cache.TryRead(stamp, i % 64, 4096, page))
                    throw new InvalidOperationException("not cached");
        }));
    }

    /// <summary>A question to an agent in another thread: what it serves, over its socket.</summary>
    public static void AgentRoundTrip()
    {
        using TestVolume volume = new();
        using RunningAgent agent = new(volume);
        using AgentClient client = agent.Connect();
        VolumeGrant grant = client.Attach(volume.Root);
        byte[] fileId = new byte[16], key = new byte[32];
        Measure.Each("part-agent-round-trip", 1, Measure.Seconds(() => client.TryGetKey(grant.VolumeId, fileId, key)));
    }
}
