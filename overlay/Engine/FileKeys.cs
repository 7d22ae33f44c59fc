using System;
using Overlay.Files;

namespace Overlay.Engine;

/// <summary>The keys of a volume, asked for on behalf of one file: an agent with a policy wants to see it.</summary>
internal sealed class FileKeys(Volume volume, OpenFile file) : IKeySource
{
    public bool TryGetKey(ReadOnlySpan<byte> fileId, Span<byte> key) => volume.TryGetKey(fileId, file.Descriptor, key);

    public int GetKeysAnew(ReadOnlySpan<byte> fileId, Span<byte> keys) => volume.GetKeysAnew(fileId, file.Descriptor, keys);
}
