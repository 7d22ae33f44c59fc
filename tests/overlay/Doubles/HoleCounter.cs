using System;

namespace Overlay.Tests.Doubles;

/// <summary>Counts holes.</summary>
public sealed class HoleCounter : MemoryBacking
{
    public int Holes { get; private set; }

    public override void PunchHole(long offset, long length)
    {
        Holes++;
        base.PunchHole(offset, length);
    }
}
