using System;
using System.IO;

namespace Overlay.Metadata.Volumes;

/// <summary>Where things lie in a volume (format §1).</summary>
public sealed class VolumePaths
{
    public const string DirectoryName = ".overlay";
    internal const string ConfigName = "config.json", StoreName = "store.db", LocksName = "locks", CoherenceName = "coherence",
        KeeperName = "keeper", KeeperSocketName = "keeper.sock";

    /// <summary>Not yet the real thing: complete it, then rename it.</summary>
    internal const string UnfinishedSuffix = ".new";

    public VolumePaths(string root) => Root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    public string Root { get; }

    public string Overlay => Path.Combine(Root, DirectoryName);

    public string Config => Path.Combine(Overlay, ConfigName);

    internal string UnfinishedConfig => Config + UnfinishedSuffix;

    /// <summary>The store as config.json names it: relative to .overlay, or absolute.</summary>
    public string Store(VolumeConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return Path.GetFullPath(config.Store, Overlay);
    }
}
