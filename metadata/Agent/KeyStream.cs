using System;

namespace Overlay.Metadata.Agent;

/// <summary>
/// Which rows a client got keys of last, and where it is going: files are often read in the order in which they were made, which is that of their rows.
/// (In older stores it is the other way round in each refill of a pool.)
/// </summary>
internal sealed class KeyStream
{
    /// <summary>How many rows are looked at for a key that comes along: those of files that do not exist have none.</summary>
    private const int LookedAtPerKey = 8;

    private KeyPool? _pool;
    private long _first, _last;

    internal bool IsAscending { get; private set; } = true;

    /// <summary>The rows around that one. They are aligned: answers for other files bring other keys, or the same.</summary>
    internal (long First, long Last) Around(KeyPool pool, long row, int most)
    {
        if (pool == _pool && row > _last && row - _last <= most)
            IsAscending = true;
        else if (pool == _pool && row < _first && _first - row <= most)
            IsAscending = false;
        _pool = pool;
        _first = (row - 1) / most * most + 1;
        _last = _first + most - 1;
        return (_first, _last);
    }

    /// <summary>Those that follow; the last one is before the first if nothing is known of this client, or there are none.</summary>
    internal (long First, long Last) Next(KeyPool pool, int most)
    {
        if (pool != _pool)
            return (1, 0);
        long reach = (long)most * LookedAtPerKey;
        return IsAscending ? (_last + 1, _last + reach) : (Math.Max(_first - reach, 1), _first - 1);
    }

    /// <summary>It got keys of these.</summary>
    internal void Came(long first, long last) => (_first, _last) = (first, last);
}
