using System;
using System.Collections.Generic;
using System.Threading;
using Overlay.Crypto;
using Overlay.Files;

namespace Overlay.Tests.Doubles;

/// <summary>Remembers what was read, and what was asked for beforehand.</summary>
public sealed class CountingBacking : MemoryBacking, IBackingFile
{
    public List<(long Offset, int Length)> Reads { get; } = [];

    public List<(long Offset, long Length)> Asked { get; } = [];

    /// <summary>Reads of what was not asked for.</summary>
    public List<(long Offset, int Length)> Waits { get; } = [];

    /// <summary>As a disk: what was not asked for takes a while.</summary>
    public bool IsSlow { get; set; }

    /// <summary>Asking helps nothing.</summary>
    public bool IsLate { get; set; }

    /// <summary>The disk cannot give this byte.</summary>
    public long Unreadable { get; set; } = -1;

    public bool HearsOfReads => IsSlow;

    public void WillRead(long offset, long length) => Asked.Add((offset, length));

    public bool WasAsked(long offset, int length) => Asked.Exists(asked => asked.Offset <= offset && offset + length <= asked.Offset + asked.Length);

    public void Forget()
    {
        Reads.Clear();
        Asked.Clear();
        Waits.Clear();
    }

    public override int Read(long offset, Span<byte> buffer)
    {
        Reads.Add((offset, buffer.Length));
        if (offset <= Unreadable && Unreadable < offset + buffer.Length)
            throw new ErrnoException(Errno.EIO, "a bad sector");
        if (IsSlow && (IsLate || !WasAsked(offset, buffer.Length)))
        {
            Waits.Add((offset, buffer.Length));
            Thread.Sleep(1);
        }
        return base.Read(offset, buffer);
    }
}
