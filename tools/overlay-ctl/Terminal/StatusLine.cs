using System;
using System.Threading;

namespace Overlay.Ctl.Terminal;

/// <summary>One line on standard error that is drawn again and again while something takes long, and then taken away; on a terminal alone.</summary>
internal sealed class StatusLine : IDisposable
{
    /// <summary>What is done by then shows nothing.</summary>
    internal const int FirstMilliseconds = 500;

    private const int PeriodMilliseconds = 200;

    private readonly Func<string> _write;
    private readonly Timer? _timer;
    private int _drawn;

    /// <param name="write">The line, from any thread.</param>
    internal StatusLine(bool isWanted, Func<string> write)
    {
        _write = write;
        if (isWanted && IsPossible)
            _timer = new Timer(_ => Draw(), null, FirstMilliseconds, PeriodMilliseconds);
    }

    internal static bool IsPossible => Screen.CanDraw(Screen.Error);

    public void Dispose()
    {
        using ManualResetEvent ended = new(false);
        if (_timer?.Dispose(ended) == true)
            ended.WaitOne();
        if (_drawn > 0)
            Console.Error.Write("\r\u001b[K");
    }

    private void Draw()
    {
        // The last column stays free: some terminals go to the next line when it is written.
        string line = Screen.Fit(_write(), Screen.Width(Screen.Error) - 1);
        Console.Error.Write($"\r{line}\u001b[K");
        _drawn++;
    }
}
