using System;

namespace Overlay.Tests.Doubles;

/// <summary>The process was killed in this call.</summary>
public sealed class KilledException : Exception
{
    public KilledException()
        : base("killed")
    {
    }
}

/// <summary>
/// Kills its process in a chosen write, of which some first bytes are there: the kernel copies a write from memory that may be taken out
/// of the page table meanwhile, stops at any byte, and does not go on where a SIGKILL waits.
/// </summary>
public sealed class CutBacking : MemoryBacking
{
    public int Writes { get; private set; }

    /// <summary>Which write is cut, from 1; 0 none.</summary>
    public int CutAt { get; set; }

    /// <summary>How much of it is there, in 1/1000 of its length; at least one byte, and never all.</summary>
    public int CutPermille { get; set; }

    /// <summary>The killed process does nothing more.</summary>
    public bool IsDead { get; private set; }

    public override int Read(long offset, Span<byte> buffer)
    {
        DieAgain();
        return base.Read(offset, buffer);
    }

    public override void Write(long offset, ReadOnlySpan<byte> data)
    {
        DieAgain();
        if (++Writes == CutAt)
        {
            int there = (int)Math.Clamp((long)data.Length * CutPermille / 1000, 1, data.Length - 1);
            base.Write(offset, data[..there]);
            IsDead = true;
            throw new KilledException();
        }
        base.Write(offset, data);
    }

    public override void SetLength(long length)
    {
        DieAgain();
        base.SetLength(length);
    }

    public override void PunchHole(long offset, long length)
    {
        DieAgain();
        base.PunchHole(offset, length);
    }

    public override void Sync(bool dataOnly)
    {
        DieAgain();
        base.Sync(dataOnly);
    }

    private void DieAgain()
    {
        if (IsDead)
            throw new KilledException();
    }
}
