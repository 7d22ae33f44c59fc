using System;
using System.Collections.Generic;

namespace Overlay.Tests.Doubles;

/// <summary>The machine went off at this call.</summary>
public sealed class PowerCutException : Exception
{
    public PowerCutException()
        : base("power cut")
    {
    }
}

/// <summary>
/// What is written lies in a cache until it is synced; when the power goes, any of its sectors may have landed or not. Lengths and
/// holes land in their order, up to any point, as a journal does it.
/// </summary>
public sealed class PowerLossBacking : MemoryBacking
{
    private const int SectorSize = 512;

    private readonly MemoryBacking _durable = new();
    private readonly List<Change> _changes = [];

    private enum Kind
    {
        Sector,
        Length,
        Hole,
    }

    private sealed record Change(Kind Kind, long Offset, long Length, byte[]? Bytes);

    /// <summary>The call at which the power goes, counted down; 0 never.</summary>
    public int CallsToCut { get; set; }

    /// <summary>What happens while the kernel syncs.</summary>
    public Action? DuringSync { get; set; }

    public override int Read(long offset, Span<byte> buffer)
    {
        Count();
        return base.Read(offset, buffer);
    }

    public override void Write(long offset, ReadOnlySpan<byte> data)
    {
        // The cut may also fall behind the call.
        bool isLast = CallsToCut == 1;
        if (isLast && offset % 2 == 0)
            Count();
        for (long sector = offset / SectorSize; sector <= (offset + data.Length - 1) / SectorSize; sector++)
        {
            long start = Math.Max(sector * SectorSize, offset);
            long end = Math.Min((sector + 1) * SectorSize, offset + data.Length);
            _changes.Add(new Change(Kind.Sector, start, end - start, data.Slice((int)(start - offset), (int)(end - start)).ToArray()));
        }
        base.Write(offset, data);
        Count();
    }

    public override void SetLength(long length)
    {
        Count();
        if (length != Length)
            _changes.Add(new Change(Kind.Length, length, 0, null));
        base.SetLength(length);
    }

    public override void PunchHole(long offset, long length)
    {
        Count();
        _changes.Add(new Change(Kind.Hole, offset, length, null));
        base.PunchHole(offset, length);
    }

    public override void Sync(bool dataOnly)
    {
        Count();
        base.Sync(dataOnly);
        _changes.Clear();
        CopyTo(_durable);
        Action? during = DuringSync;
        DuringSync = null;
        during?.Invoke();
        Count();
    }

    /// <summary>What the disk holds after a power cut.</summary>
    /// <param name="landsPercent">How likely each sector landed; 0 and 100 are exact.</param>
    public PowerLossBacking Land(Random random, int landsPercent)
    {
        int firstLostMetadata = random.Next(100) < landsPercent ? int.MaxValue : random.Next(_changes.Count + 1);
        MemoryBacking image = _durable.Clone();
        for (int i = 0; i < _changes.Count; i++)
        {
            Change change = _changes[i];
            if (change.Kind == Kind.Sector && random.Next(100) < landsPercent)
                image.Write(change.Offset, change.Bytes);
            else if (change.Kind == Kind.Length && i < firstLostMetadata)
                image.SetLength(change.Offset);
            else if (change.Kind == Kind.Hole && i < firstLostMetadata)
                image.PunchHole(change.Offset, change.Length);
        }
        PowerLossBacking next = new();
        image.CopyTo(next);
        image.CopyTo(next._durable);
        return next;
    }

    private void Count()
    {
        if (CallsToCut > 0 && --CallsToCut == 0)
            throw new PowerCutException();
    }
}
