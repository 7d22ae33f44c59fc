using System;

namespace Overlay.Ctl.Repair;

/// <summary>Where the readable blocks of a damaged file go. What is never written reads as zeros.</summary>
internal interface ISaveTarget : IDisposable
{
    string FilePath { get; }

    void Write(long offset, ReadOnlySpan<byte> plain);

    /// <summary>Gives it its size and makes it durable.</summary>
    void Complete(long size);
}
