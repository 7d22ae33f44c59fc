using System;
using System.Diagnostics;

namespace Overlay.Ctl.Terminal;

/// <summary>A bar on standard error while something runs, with how long it will still take; if that is a terminal.</summary>
internal sealed class ProgressBar : IDisposable
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly StatusLine _line;

    /// <param name="progress">Asked from another thread. All 0: it is not known yet.</param>
    /// <param name="unit">What is counted.</param>
    internal ProgressBar(bool isWanted, Func<(long Done, long All)> progress, string unit = "files") => _line = new StatusLine(isWanted, () =>
    {
        (long done, long all) = progress();
        return all == 0
            ? $"{(done == 0 ? "looking" : $"{done} {unit}")}, {Progress.Duration(_watch.Elapsed)}"
            : Progress.Line((double)done / all, $"{done} of {all} {unit}", _watch.Elapsed, Screen.Width(Screen.Error));
    });

    /// <summary>For what cannot tell how far it is.</summary>
    internal static StatusLine OfTime(bool isWanted, string what)
    {
        Stopwatch watch = Stopwatch.StartNew();
        return new StatusLine(isWanted, () => $"{what}, {Progress.Duration(watch.Elapsed)}");
    }

    public void Dispose() => _line.Dispose();
}
