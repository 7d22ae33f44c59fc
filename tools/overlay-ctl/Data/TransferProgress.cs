using System;
using System.Diagnostics;
using Overlay.Ctl.Terminal;

namespace Overlay.Ctl.Data;

/// <summary>A line on a terminal: how far, how fast, how long still. The first half second shows nothing.</summary>
internal sealed class TransferProgress : IDisposable
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly StatusLine _line;

    internal TransferProgress(Transfer transfer, bool isWanted) => _line = new StatusLine(isWanted, () =>
        Line(transfer.Files + transfer.Done, transfer.Bytes, transfer.AllFiles, transfer.AllBytes, _watch.Elapsed, Screen.Width(Screen.Error)));

    internal static bool IsPossible => StatusLine.IsPossible;

    public void Dispose() => _line.Dispose();

    /// <summary>By bytes, but a file counts as some, too: many small ones are not done in no time.</summary>
    internal static string Line(long files, long bytes, long allFiles, long allBytes, TimeSpan elapsed, int width)
    {
        const double FileCost = 16 * 1024;
        double done = bytes + files * FileCost, all = Math.Max(1, allBytes + allFiles * FileCost);
        string rate = elapsed.TotalSeconds == 0 ? "" : $", {Progress.Size((long)(bytes / elapsed.TotalSeconds))}/s";
        return Progress.Line(Math.Min(1, done / all), $"{files}/{allFiles} files, {Progress.Size(bytes)}{rate}", elapsed, width);
    }
}
