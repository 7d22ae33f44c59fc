using System.Collections.Generic;

namespace Overlay.Files;

/// <summary>How far <see cref="SealedFile.Reseal"/> has come: the groups that are to be looked at yet, parents before children.</summary>
/// <param name="keyCheck">Of the key that it is for.</param>
public sealed class RekeyWalk(byte[] keyCheck)
{
    private readonly Stack<long> _groups = new([0]);
    private int _slot;

    /// <summary>Plain bytes that were looked at.</summary>
    public long Bytes { get; internal set; }

    /// <summary>Grows with each part that is done.</summary>
    public long Parts { get; private set; }

    internal byte[] KeyCheck => keyCheck;

    internal bool TryNext(out long group, out int slot)
    {
        slot = _slot;
        return _groups.TryPeek(out group);
    }

    /// <summary>The group is not done: next time from this slot on.</summary>
    internal void ComeBack(int slot)
    {
        _slot = slot;
        Parts++;
    }

    /// <summary>The group is done, or is no more; these are below it.</summary>
    internal void Leave(IEnumerable<long> below)
    {
        _ = _groups.Pop();
        _slot = 0;
        Parts++;
        foreach (long group in below)
            _groups.Push(group);
    }

    internal void GiveUp() => _groups.Clear();
}
