using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;

namespace Overlay.Metadata.Policy;

/// <summary>How new files at these paths are stored. Null: it does not say.</summary>
public sealed class StorageRule
{
    internal StorageRule(int line) => Line = line;

    public int Line { get; }

    public CipherSuite? Suite { get; internal set; }

    public bool? Compress { get; internal set; }

    public int? BlockSizeLog2 { get; internal set; }

    internal List<PathPattern> Paths { get; } = [];

    internal bool Matches(string path) => Paths.Any(pattern => pattern.Matches(path));
}
