using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Overlay.Crypto;
using Overlay.Ctl.Verify;
using Overlay.Format;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Keys;

/// <summary>A sealed file whose key is to be destroyed.</summary>
/// <param name="Relative">To the volume's root.</param>
internal sealed record ShredTarget(string Path, string Relative, byte[] FileId, ulong Device, ulong Inode, long StoredBytes)
{
    /// <summary>The files that are named.</summary>
    /// <exception cref="ControlException">One is not a sealed file of this volume.</exception>
    internal static List<ShredTarget> FromPaths(UnlockedVolume volume, IEnumerable<string> paths)
    {
        List<ShredTarget> targets = [];
        string root = Posix.RealPath(volume.Root) ?? volume.Root;
        foreach (string path in paths)
        {
            if (Directory.Exists(path))
                throw new ControlException(ExitCodes.Usage, $"{path} is a directory: name its files, or use --where.");
            string real = Posix.RealPath(path) ?? throw new ControlException(ExitCodes.Failed, $"{path} does not exist.");
            if (!real.StartsWith(root + "/", StringComparison.Ordinal))
                throw new ControlException(ExitCodes.Usage, $"{path} does not lie in the volume {volume.Root}.");
            targets.Add(TryRead(volume, real, real[(root.Length + 1)..], out string reason)
                ?? throw new ControlException(ExitCodes.Damaged, $"{path}: {reason}; nothing was destroyed."));
        }
        return Distinct(targets);
    }

    /// <summary>The sealed files whose paths match; others are passed over.</summary>
    internal static List<ShredTarget> FromPattern(UnlockedVolume volume, string pattern)
    {
        List<string> unreadable = [];
        VolumeWalk walk = new(volume.Root, finding => AddUnreadable(finding, unreadable), allNames: true);
        walk.Run();
        if (unreadable.Count > 0)
            throw new ControlException(ExitCodes.Unchecked, $"not everything could be looked at, so nothing was destroyed: {FindingText.Escape(unreadable[0])}");
        List<ShredTarget> targets = [];
        foreach (string path in walk.Files)
        {
            string relative = VolumeWalk.Relative(volume.Root, path);
            if (PathGlob.Matches(pattern.TrimStart('/'), relative) && TryRead(volume, path, relative, out _) is ShredTarget target)
                targets.Add(target);
        }
        return Distinct(targets);
    }

    private static void AddUnreadable(Finding finding, List<string> unreadable)
    {
        if (finding.Kind == Kind.Unreadable)
            unreadable.Add($"{finding.Path}: {finding.Cause}");
    }

    private static List<ShredTarget> Distinct(List<ShredTarget> targets) => targets.DistinctBy(target => Convert.ToHexString(target.FileId)).ToList();

    private static ShredTarget? TryRead(UnlockedVolume volume, string path, string relative, out string reason)
    {
        try
        {
            using RawFile file = new(path);
            byte[] head = new byte[FormatConstants.HeaderSize];
            reason = "it is not a sealed file of this volume";
            if (file.Read(0, head) != head.Length || FileHeader.Parse(head, out _) != HeaderFault.Ok || !FileHeader.VolumeIdOf(head).SequenceEqual(volume.VolumeId.Span))
                return null;
            _ = VolumeFiles.TryStatus(path, out FileStatus status);
            return new ShredTarget(path, relative, FileHeader.FileIdOf(head).ToArray(), status.Device, status.Inode, file.Status.AllocatedBytes);
        }
        catch (ErrnoException exception)
        {
            reason = exception.Message;
            return null;
        }
    }
}
