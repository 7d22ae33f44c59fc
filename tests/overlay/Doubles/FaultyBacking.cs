using System;
using Overlay.Crypto;
using Overlay.Files;

namespace Overlay.Tests.Doubles;

/// <summary>Fails at a chosen call; a write that fails may have written its first pages.</summary>
public sealed class FaultyBacking : MemoryBacking
{
    public int Calls { get; private set; }

    /// <summary>Which call fails, from 1; 0 none.</summary>
    public int FailAt { get; set; }

    /// <summary>All calls after that one fail, too.</summary>
    public bool IsPersistent { get; set; }

    public bool WritesPartly { get; set; }

    /// <summary>Neither counts nor fails: for a look at the file.</summary>
    public bool IsSuspended { get; set; }

    public int FaultErrno { get; set; } = Errno.EIO;

    /// <summary>What the calls behind the first failing one fail with, where it shall be another.</summary>
    public int? LaterErrno { get; set; }

    /// <summary>Fails as no system call does: memory has run out.</summary>
    public bool RunsOutOfMemory { get; set; }

    public int Failures { get; private set; }

    public override int Read(long offset, Span<byte> buffer)
    {
        Count();
        return base.Read(offset, buffer);
    }

    public override void Write(long offset, ReadOnlySpan<byte> data)
    {
        try
        {
            Count();
        }
        catch (ErrnoException) when (WritesPartly && offset % PageSize == 0 && data.Length > PageSize)
        {
            base.Write(offset, data[..(data.Length / 2 / PageSize * PageSize)]);
            throw;
        }
        base.Write(offset, data);
    }

    public override void SetLength(long length)
    {
        Count();
        base.SetLength(length);
    }

    public override void PunchHole(long offset, long length)
    {
        Count();
        base.PunchHole(offset, length);
    }

    public override void Sync(bool dataOnly)
    {
        Count();
        base.Sync(dataOnly);
    }

    private void Count()
    {
        if (IsSuspended)
            return;
        Calls++;
        if (FailAt == 0 || Calls < FailAt || (Calls > FailAt && !IsPersistent))
            return;
        Failures++;
        if (RunsOutOfMemory)
            throw new OutOfMemoryException();
        throw new ErrnoException(Calls > FailAt ? LaterErrno ?? FaultErrno : FaultErrno, "made to fail");
    }
}
