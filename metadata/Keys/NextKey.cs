using System;

namespace Overlay.Metadata.Keys;

/// <summary>A file that is being given another key.</summary>
/// <param name="Path">Relative to the volume, as it was when that began.</param>
/// <param name="Done">Bytes, when that was last noted; of <paramref name="Size"/>.</param>
internal sealed record NextKey(byte[] FileId, string Path, DateTimeOffset Created, long Done, long Size);
