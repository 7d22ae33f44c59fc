using System;
using System.Threading;

namespace Overlay.Ctl.Verify;

/// <summary>A bar on standard error while something runs, if that is a terminal.</summary>
internal sealed class ProgressBar : IDisposable
{
    private const int Width = 30;

    private readonly Func<(long Done, long All)> _progress;
    private readonly string _unit;
    private readonly Timer? _timer;
    private bool _isDrawn;

    /// <param name="unit">What is counted.</param>
    internal ProgressBar(bool isWanted, Func<(long Done, long All)> progress, string unit = "files")
    {
        _progress = progress;
        _unit = unit;
        if (isWanted && !Console.IsErrorRedirected)
            _timer = new Timer(_ => Draw(), null, 300, 200);
    }

    public void Dispose()
    {
        using ManualResetEvent ended = new(false);
        if (_timer?.Dispose(ended) == true)
            ended.WaitOne();
        if (_isDrawn)
            Console.Error.Write($"\r{new string(' ', Width + 40)}\r");
    }

    private void Draw()
    {
        (long done, long all) = _progress();
        int filled = all == 0 ? 0 : (int)(done * Width / all);
        Console.Error.Write($"\r[{new string('#', filled)}{new string('.', Width - filled)}] {done} of {all} {_unit}");
        _isDrawn = true;
    }
}
