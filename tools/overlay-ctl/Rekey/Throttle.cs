using System;
using System.Diagnostics;
using System.Threading;

namespace Overlay.Ctl.Rekey;

/// <summary>No more than so many bytes a second, on average since the start.</summary>
internal sealed class Throttle(double bytesPerSecond)
{
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(1);

    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private double _bytes;

    internal void Wait(long bytes)
    {
        if (double.IsPositiveInfinity(bytesPerSecond))
            return;
        _bytes += bytes;
        TimeSpan ahead = TimeSpan.FromSeconds(_bytes / bytesPerSecond) - _watch.Elapsed;
        for (; ahead > TimeSpan.Zero; ahead -= s_longest)
            Thread.Sleep(ahead < s_longest ? ahead : s_longest);
    }
}
