using System;
using System.Diagnostics;
using System.Threading;

namespace Overlay.Metadata.Agent;

/// <summary>How long something took, in buckets; written by one thread, read by others.</summary>
public sealed class LatencyHistogram
{
    private readonly long[] _counts = new long[s_bounds.Length + 1];
    private long _ticks;

    // Seconds; the last bucket has no bound.
    private static readonly double[] s_bounds = [0.0001, 0.001, 0.01, 0.1, 1, 10];

    /// <summary>Upper bounds of the buckets, in seconds.</summary>
    public static ReadOnlySpan<double> Bounds => s_bounds;

    /// <summary>How many were not above the bound of this number; the number of all for one that is too large.</summary>
    public long CountUpTo(int bound)
    {
        long count = 0;
        for (int i = 0; i < _counts.Length && i <= bound; i++)
            count += Volatile.Read(ref _counts[i]);
        return count;
    }

    public double Seconds => (double)Volatile.Read(ref _ticks) / TimeSpan.TicksPerSecond;

    internal void Add(long startTimestamp) => Add(Stopwatch.GetElapsedTime(startTimestamp));

    internal void Add(TimeSpan took)
    {
        double seconds = took.TotalSeconds;
        int bucket = 0;
        while (bucket < s_bounds.Length && seconds > s_bounds[bucket])
            bucket++;
        Volatile.Write(ref _counts[bucket], _counts[bucket] + 1);
        Volatile.Write(ref _ticks, _ticks + took.Ticks);
    }
}
