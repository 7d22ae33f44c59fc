using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Enumeration;
using System.Linq;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Verify;

/// <summary>The regular files of a volume, each inode once, without following symbolic links.</summary>
/// <param name="root">The volume's.</param>
/// <param name="report">Takes what cannot be looked at.</param>
/// <param name="allNames">Every name of each inode.</param>
internal sealed class VolumeWalk(string root, Action<Finding> report, bool allNames = false)
{
    private readonly Dictionary<(ulong Device, ulong Inode), string> _names = [];

    internal string Root => root;

    /// <summary>In order. Of several names of one file the first.</summary>
    internal List<string> Files { get; } = [];

    internal void Run()
    {
        Enter(root);
        if (!allNames)
            Files.AddRange(_names.Values);
        Files.Sort(StringComparer.Ordinal);
    }

    internal static string Relative(string root, string path) => path.Length > root.Length ? path[root.Length..].TrimStart('/') : "";

    private void Enter(string directory)
    {
        try
        {
            // Names alone: what a name is, is asked without following it.
            FileSystemEnumerable<string> names = new(directory, static (ref FileSystemEntry entry) => entry.ToFullPath(),
                new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = false, ReturnSpecialDirectories = false });
            foreach (string path in names)
                Visit(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            report(new Finding(Kind.Unreadable, Relative(root, directory), exception.Message));
        }
    }

    private void Visit(string path)
    {
        if (path == Path.Combine(root, VolumePaths.DirectoryName) || !VolumeFiles.TryStatus(path, out FileStatus status))
            return;
        if (status.Type == FileStatus.Regular)
        {
            if (allNames)
                Files.Add(path);
            string first = _names.GetValueOrDefault((status.Device, status.Inode), path);
            _names[(status.Device, status.Inode)] = string.CompareOrdinal(path, first) < 0 ? path : first;
        }
        else if (status.Type == FileStatus.Directory && VolumeFiles.Exists(new VolumePaths(path).Config))
        {
            report(new Finding(Kind.OtherVolume, Relative(root, path), "a volume of its own"));
        }
        else if (status.Type == FileStatus.Directory)
        {
            Enter(path);
        }
    }
}
