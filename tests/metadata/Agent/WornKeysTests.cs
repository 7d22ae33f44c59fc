using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Threading;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Tests.Keys;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;
using Xunit;

namespace Overlay.Metadata.Tests.Agent;

public class WornKeysTests
{
    [Theory]
    [InlineData(1, true)]
    [InlineData(3, false)] // xchacha20-poly1305: 128 bits of nonce are good for more
    public void A_key_is_worn_when_it_has_sealed_too_often(int suite, bool isWorn)
    {
        using var volume = new TestVolume();
        var (ids, _) = KeyRotationTests.MakeFiles(volume, 2);
        volume.Sql($"UPDATE file SET suite = {suite}");
        using var unlocked = volume.Unlock();
        using var pool = new KeyPool(unlocked) { MostSeals = 100 };
        pool.NoteState(ids[0], 1, 1, 60);
        pool.NoteState(ids[1], 1, 1, 99);
        pool.Flush();
        Assert.Empty(pool.TakeWorn());
        pool.NoteState(ids[0], 2, 1, 40);
        pool.Flush();
        Assert.Equal(isWorn ? [ids[0]] : [], pool.TakeWorn());
        Assert.Empty(pool.TakeWorn());
    }

    [Fact]
    public void They_are_replaced_one_after_the_other_and_not_again_at_once()
    {
        using var volume = new TestVolume();
        var (ids, _) = KeyRotationTests.MakeFiles(volume, 3);
        using var unlocked = volume.Unlock();
        var rekeyer = new Recorder();
        var log = new ConcurrentQueue<string>();
        using (var worn = new WornKeys(rekeyer, log.Enqueue))
        {
            Assert.Equal(-1, worn.WaitMilliseconds);
            foreach (var id in ids.Concat(ids))
                worn.Add(unlocked, id);
            for (var i = 0; i < 3; i++)
            {
                worn.KeepUp();
                worn.KeepUp();
                Assert.True(rekeyer.Begun.Wait(5000));
                Assert.Equal(i + 1, rekeyer.Ids.Count);
                rekeyer.Ends.Release();
                Assert.True(SpinWait.SpinUntil(() => log.Count == 2 * (i + 1), 5000));
                Thread.Sleep(20);
            }
            worn.KeepUp();
            Assert.Equal(-1, worn.WaitMilliseconds);
        }
        Assert.Equal(ids, rekeyer.Ids);
        Assert.Equal(1, rekeyer.Most);
    }

    /// <summary>An agent that ends does not wait for terabytes.</summary>
    [Fact]
    public void The_end_of_an_agent_stops_it()
    {
        using var volume = new TestVolume();
        var (ids, _) = KeyRotationTests.MakeFiles(volume, 1);
        using var unlocked = volume.Unlock();
        var rekeyer = new Recorder();
        var log = new ConcurrentQueue<string>();
        using (var worn = new WornKeys(rekeyer, log.Enqueue))
        {
            worn.Add(unlocked, ids[0]);
            worn.KeepUp();
            Assert.True(rekeyer.Begun.Wait(5000));
        }
        Assert.Contains(log, line => line.Contains("stopped", StringComparison.Ordinal));
    }

    private sealed class Recorder : IFileRekeyer
    {
        private int _atOnce;

        public ConcurrentQueue<byte[]> Ids { get; } = new();

        public SemaphoreSlim Begun { get; } = new(0);

        public SemaphoreSlim Ends { get; } = new(0);

        public int Most { get; private set; }

        public string? Rekey(UnlockedVolume volume, byte[] fileId, string path, CancellationToken stop)
        {
            Most = Math.Max(Most, Interlocked.Increment(ref _atOnce));
            Ids.Enqueue(fileId);
            Assert.True(volume.TryGetFileKey(fileId, new byte[32]));
            Begun.Release();
            try
            {
                Ends.Wait(stop);
                return null;
            }
            catch (OperationCanceledException)
            {
                return "stopped";
            }
            finally
            {
                Interlocked.Decrement(ref _atOnce);
            }
        }
    }
}
