using System;
using System.Diagnostics;
using System.Globalization;
using System.Threading;

namespace Overlay.Ctl.Data;

/// <summary>A line on a terminal: how far, how fast, how long still. The first half second shows nothing.</summary>
internal sealed class TransferProgress : IDisposable
{
    private const int Width = 24, LineWidth = 79;

    private readonly Transfer _transfer;
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly Timer? _timer;
    private bool _isDrawn;

    internal TransferProgress(Transfer transfer, bool isWanted)
    {
        _transfer = transfer;
        if (isWanted && IsPossible)
            _timer = new Timer(_ => Draw(), null, 500, 200);
    }

    internal static bool IsPossible => !Console.IsErrorRedirected;

    public void Dispose()
    {
        using ManualResetEvent ended = new(false);
        if (_timer?.Dispose(ended) == true)
            ended.WaitOne();
        if (_isDrawn)
            Console.Error.Write($"\r{new string(' ', LineWidth)}\r");
    }

    /// <summary>By bytes, but a file counts as some, too: many small ones are not done in no time.</summary>
    internal static string Line(long files, long bytes, long allFiles, long allBytes, TimeSpan elapsed)
    {
        const double FileCost = 16 * 1024;
        double done = bytes + files * FileCost, all = Math.Max(1, allBytes + allFiles * FileCost);
        double part = Math.Min(1, done / all);
        int filled = (int)(part * Width);
        string left = done == 0 ? "" : $", {Duration(TimeSpan.FromSeconds(elapsed.TotalSeconds * (1 - part) / part))} left";
        string rate = elapsed.TotalSeconds == 0 ? "" : $", {Size((long)(bytes / elapsed.TotalSeconds))}/s";
        return $"[{new string('#', filled)}{new string('.', Width - filled)}] {files}/{allFiles} files, {Size(bytes)}{rate}{left}";
    }

    internal static string Size(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        double value = bytes;
        int unit = 0;
        for (; value >= 1024 && unit < units.Length - 1; unit++)
            value /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {units[unit]}");
    }

    private static string Duration(TimeSpan time) => time.TotalHours >= 1
        ? $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}" : $"{time.Minutes}:{time.Seconds:00}";

    private void Draw()
    {
        string line = Line(_transfer.Files + _transfer.Done, _transfer.Bytes, _transfer.AllFiles, _transfer.AllBytes, _watch.Elapsed);
        Console.Error.Write($"\r{(line.Length > LineWidth ? line[..LineWidth] : line.PadRight(LineWidth))}");
        _isDrawn = true;
    }
}
