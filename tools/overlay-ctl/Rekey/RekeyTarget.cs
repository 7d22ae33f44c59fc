using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Overlay.Crypto;
using Overlay.Ctl.Keys;
using Overlay.Ctl.Verify;
using Overlay.Files;
using Overlay.Format;
using Overlay.Interop;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Rekey;

/// <summary>A sealed file that is to get another key; each inode once.</summary>
/// <param name="Relative">To the volume's root.</param>
/// <param name="Size">As its header says, not authenticated: for the progress bar.</param>
internal sealed record RekeyTarget(string Path, string Relative, byte[] FileId, ulong Device, ulong Inode, long Size)
{
    /// <param name="paths">Files and directories of the volume.</param>
    /// <param name="pattern">Only what matches; null: all.</param>
    /// <param name="leaveOut">Takes what is no target, and why.</param>
    internal static List<RekeyTarget> Find(UnlockedVolume volume, IEnumerable<string> paths, string? pattern, Action<string, string> leaveOut)
    {
        string root = Posix.RealPath(volume.Root) ?? volume.Root;
        List<RekeyTarget> targets = [];
        foreach (string real in paths.Select(path => Resolve(path, root)).Distinct(StringComparer.Ordinal))
        {
            foreach (string file in Directory.Exists(real) ? Walk(root, real, leaveOut) : [real])
            {
                string relative = VolumeWalk.Relative(root, file);
                if (pattern is null || PathGlob.Matches(pattern.TrimStart('/'), relative))
                    Add(volume, file, relative, targets, leaveOut);
            }
        }
        return WithoutCopies(volume, targets.DistinctBy(target => (target.Device, target.Inode)).ToList(), leaveOut);
    }

    /// <summary>The file of this path; null, and a word to <paramref name="leaveOut"/>, if there is none of the volume's.</summary>
    internal static RekeyTarget? TryAt(UnlockedVolume volume, string relative, Action<string, string> leaveOut)
    {
        List<RekeyTarget> found = [];
        Add(volume, System.IO.Path.Join(Posix.RealPath(volume.Root) ?? volume.Root, relative), relative, found, leaveOut);
        return found.FirstOrDefault();
    }

    private static string Resolve(string path, string root)
    {
        string real = Posix.RealPath(path) ?? throw new ControlException(ExitCodes.Failed, $"{path} does not exist.");
        bool isInside = real == root || (real.StartsWith(root + "/", StringComparison.Ordinal) && !real.StartsWith($"{root}/{VolumePaths.DirectoryName}/", StringComparison.Ordinal));
        return isInside ? real : throw new ControlException(ExitCodes.Usage, $"{path} does not lie in the volume {root}.");
    }

    private static List<string> Walk(string root, string directory, Action<string, string> leaveOut)
    {
        VolumeWalk walk = new(directory, finding => leaveOut(VolumeWalk.Relative(root, System.IO.Path.Join(directory, finding.Path)), finding.Cause), allNames: true);
        walk.Run();
        return walk.Files.Where(file => !file.StartsWith($"{root}/{VolumePaths.DirectoryName}/", StringComparison.Ordinal)).ToList();
    }

    private static void Add(UnlockedVolume volume, string path, string relative, List<RekeyTarget> targets, Action<string, string> leaveOut)
    {
        try
        {
            using RawFile file = new(path);
            if (TryRead(volume, file, path, relative, out string reason) is RekeyTarget target)
                targets.Add(target);
            else if (reason.Length > 0)
                leaveOut(relative, reason);
        }
        catch (ErrnoException exception) when (exception.Errno == Errno.ENOENT)
        {
            // Deleted since the directory was read.
        }
        catch (ErrnoException exception)
        {
            leaveOut(relative, exception.Message);
        }
    }

    /// <param name="reason">"" for an empty file that has no key yet: the first who writes it gives it one.</param>
    private static RekeyTarget? TryRead(UnlockedVolume volume, RawFile file, string path, string relative, out string reason)
    {
        byte[] head = new byte[FormatConstants.HeaderSize];
        int count = file.Read(0, head);
        Kernel.StatusBuffer status = file.Status;
        bool isNewborn = count == 0 && (status.Mode & FormatConstants.SealedModeBit) == 0;
        HeaderFault fault = FileHeader.Parse(head.AsSpan(0, count), out FileHeader header);
        bool isOurs = fault == HeaderFault.Ok && FileHeader.VolumeIdOf(head).SequenceEqual(volume.VolumeId.Span);
        reason = isNewborn ? "" : fault == HeaderFault.UnsupportedVersion ? "sealed by a newer version of Overlay" : "it is not a sealed file of this volume";
        return isOurs ? new RekeyTarget(path, relative, FileHeader.FileIdOf(head).ToArray(), status.Device, status.Inode, header.Size) : null;
    }

    /// <summary>Copies that were made outside of Overlay have one key: the new one would be that of one of them alone, and the old one be gone.</summary>
    private static List<RekeyTarget> WithoutCopies(UnlockedVolume volume, List<RekeyTarget> targets, Action<string, string> leaveOut)
    {
        const string Advice = "a copy that was made outside of Overlay, and would be lost: copy it under 'overlay-ctl run', then remove this one";
        List<RekeyTarget> single = [];
        foreach (IGrouping<string, RekeyTarget> same in targets.GroupBy(target => Convert.ToHexString(target.FileId)))
        {
            foreach (RekeyTarget target in same)
            {
                if (same.Count() > 1)
                    leaveOut(target.Relative, $"{string.Join(" and ", same.Where(other => other != target).Select(other => other.Relative))} has the same key: {Advice}");
                else if (Original(volume, target) is string original)
                    leaveOut(target.Relative, $"{original} has the same key: {Advice}");
                else
                    single.Add(target);
            }
        }
        return single;
    }

    /// <summary>Another file of this id, where the store knows the id to be.</summary>
    private static string? Original(UnlockedVolume volume, RekeyTarget target)
    {
        string known = volume.Store.TryFindFile(target.FileId)?.Path ?? "";
        if (known.Length == 0 || known == target.Relative)
            return null;
        RekeyTarget? other = TryAt(volume, known, (_, _) => { });
        return other is not null && other.FileId.AsSpan().SequenceEqual(target.FileId) && (other.Device, other.Inode) != (target.Device, target.Inode) ? known : null;
    }
}
