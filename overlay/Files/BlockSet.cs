using System;

namespace Overlay.Files;

/// <summary>Numbers of blocks, a bit each. Those of small files take no memory of their own.</summary>
internal struct BlockSet
{
    private const int WordBits = 64;

    private ulong _first;
    private ulong[]? _others;

    public readonly bool Contains(long block) => (Word(block / WordBits) >> (int)(block % WordBits) & 1) != 0;

    /// <param name="blocks">How many the file has: room is made once for all of them.</param>
    public void Add(long block, long blocks)
    {
        ulong bit = 1UL << (int)(block % WordBits);
        long other = block / WordBits - 1;
        if (other < 0)
        {
            _first |= bit;
            return;
        }
        if (_others is null || other >= _others.Length)
            Array.Resize(ref _others, (int)(Math.Max(block + 1, blocks) / WordBits) + 1);
        _others[other] |= bit;
    }

    private readonly ulong Word(long index)
    {
        if (index == 0)
            return _first;
        return _others is not null && index <= _others.Length ? _others[index - 1] : 0;
    }
}
