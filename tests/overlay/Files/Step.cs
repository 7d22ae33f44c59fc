using System;
using Overlay.Files;

namespace Overlay.Tests.Files;

/// <summary>One operation: on the sealed file, and on a plain array (which is replaced where the size changes).</summary>
internal sealed record Step(string Name, Action<SealedFile> Do, Func<byte[], byte[]> Model)
{
    /// <summary>It either grows the file and says by how much, or fails and leaves the size: who tries again must not do it twice.</summary>
    public bool IsAppend { get; init; }
}
