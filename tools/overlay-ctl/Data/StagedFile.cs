using System.Collections.Generic;

namespace Overlay.Ctl.Data;

/// <summary>A sealed copy in <c>.overlay/import</c> that waits for its name.</summary>
/// <param name="Number">Its name there.</param>
/// <param name="Plain">The plain file, as it was when it was read.</param>
/// <param name="Sealed">The copy's inode.</param>
/// <param name="Paths">The names it gets, below the volume's root; several are hard links.</param>
internal sealed record StagedFile(int Number, NodeStatus Plain, ulong Sealed, byte[] FileId, List<byte[]> Paths)
{
    /// <summary>Open, to know of writers, until the copy has its name; null in what was read back.</summary>
    internal PlainSource? Source { get; init; }
}
