using System;

namespace Overlay.Metadata.Agent;

/// <summary>Lines that others can provoke: a burst is written, a flood is counted.</summary>
internal sealed class LogLimiter
{
    private const int LinesPerPeriod = 20;
    private const long PeriodMilliseconds = 10_000;

    private readonly Action<string> _log;
    private long _periodEnd;
    private int _lines;
    private long _dropped;

    internal LogLimiter(Action<string> log) => _log = log;

    internal void Write(string line)
    {
        long now = Environment.TickCount64;
        if (now >= _periodEnd)
        {
            if (_dropped > 0)
                _log($"{_dropped} more lines like these were dropped");
            _periodEnd = now + PeriodMilliseconds;
            _lines = 0;
            _dropped = 0;
        }
        if (_lines++ < LinesPerPeriod)
            _log(line);
        else
            _dropped++;
    }
}
