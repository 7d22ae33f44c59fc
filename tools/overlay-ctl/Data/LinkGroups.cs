using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Linq;

namespace Overlay.Ctl.Data;

/// <summary>Names of files with several, collected until all are known.</summary>
internal sealed class LinkGroups
{
    private readonly Dictionary<(ulong Device, ulong Inode), (uint Links, List<byte[]> Paths)> _groups = [];

    /// <summary>True: these are all its names.</summary>
    internal bool TryComplete(TreeEntry entry, [NotNullWhen(true)] out List<byte[]>? paths)
    {
        paths = [entry.Path];
        if (entry.Status.Links <= 1)
            return true;
        (ulong, ulong) file = (entry.Status.Device, entry.Status.Inode);
        if (_groups.TryGetValue(file, out (uint Links, List<byte[]> Paths) known))
        {
            paths = known.Paths;
            paths.Add(entry.Path);
        }
        _groups[file] = (entry.Status.Links, paths);
        if (paths.Count < entry.Status.Links)
            return false;
        _ = _groups.Remove(file);
        return true;
    }

    /// <summary>Of those whose other names were not met: one name, and how many are missing.</summary>
    internal IEnumerable<(byte[] Path, long Missing)> Incomplete() =>
        _groups.Values.Select(group => (group.Paths[0], (long)group.Links - group.Paths.Count));
}
