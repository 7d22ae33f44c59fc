using System;
using System.Collections.Generic;
using System.IO;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Data;

/// <summary>What an import is about.</summary>
/// <param name="Source">Real path of the directory.</param>
/// <param name="VolumeRoot">The volume that the files go to, or are in.</param>
/// <param name="Path">Where, below its root.</param>
internal sealed record ImportJob(string Source, string VolumeRoot, byte[] Path, bool IsInPlace, bool KeepsOwner)
{
    internal static ImportJob InPlace(string source)
    {
        (string root, byte[] path) = VolumeTree.Locate(source);
        return new ImportJob(source, root, path, IsInPlace: true, KeepsOwner: true);
    }

    internal static ImportJob Into(string source, string target, bool keepsOwner)
    {
        // The last part of it may still have to be made.
        bool isNew = !Directory.Exists(target);
        string full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(target));
        (string root, byte[] path) = VolumeTree.Locate(isNew ? System.IO.Path.GetDirectoryName(full) ?? full : target);
        if (isNew)
            path = TreePath.Join(path, TreePath.FromText(System.IO.Path.GetFileName(full)));
        if (path.AsSpan().SequenceEqual(".overlay"u8))
            throw new ControlException(ExitCodes.Usage, $"{target} is a volume's own directory.");
        if (Repair.RepairCommand.RootOf(source) is string own)
            throw new ControlException(ExitCodes.Usage, $"{source} lies in the volume {own}: copy it under 'overlay-ctl run'.");
        if ($"{root}/".StartsWith($"{source}/", StringComparison.Ordinal))
            throw new ControlException(ExitCodes.Usage, $"the volume {root} lies in {source}.");
        return new ImportJob(source, root, path, IsInPlace: false, keepsOwner);
    }

    internal void Run(RawVolume volume, Transfer transfer)
    {
        using Tree tree = new(VolumeRoot);
        if (IsInPlace)
        {
            using InPlaceImport import = new(volume, tree, transfer);
            import.Run(Path);
            return;
        }
        using Tree from = new(Source);
        using Staging staging = Staging.OfVolume(VolumeRoot);
        if (staging.ReadRecord() is not null)
            throw new ControlException(ExitCodes.Volume, $"an import in place of {VolumeRoot} was interrupted: start that one again first.");
        staging.RemoveLeftovers(volume.Unlocked.VolumeId.Span);
        using IntoImport copy = new(volume, from, tree, staging, transfer, KeepsOwner);
        copy.Run(SourceWalk(from, transfer.LeaveOut).From([]), Map);
    }

    /// <summary>Counts what there is to do.</summary>
    internal void Count(byte[] volumeId, Transfer transfer)
    {
        using Tree tree = new(IsInPlace ? VolumeRoot : Source);
        TreeWalk walk = IsInPlace ? VolumeTree.Walk(tree, transfer.LeaveOut) : SourceWalk(tree, transfer.LeaveOut);
        HashSet<(ulong, ulong)> linked = [];
        foreach (TreeEntry entry in walk.From(IsInPlace ? Path : []))
        {
            if (entry.IsEnd)
                transfer.Directories++;
            else if (entry.Status.IsRegular && entry.Status.Links > 1 && !linked.Add((entry.Status.Device, entry.Status.Inode)))
                transfer.HardLinks++;
            else if (entry.Status.IsRegular)
                Count(tree, entry, volumeId, transfer);
            else if (!entry.Status.IsDirectory && !IsInPlace)
                transfer.Others++;
        }
    }

    private void Count(Tree tree, TreeEntry entry, byte[] volumeId, Transfer transfer)
    {
        try
        {
            using PlainSource source = PlainSource.Open(tree, entry.Path, wantsLease: false);
            FileKind kind = FileKinds.Of(source, volumeId);
            if (kind == FileKind.Plain || (kind == FileKind.Empty && !IsInPlace))
            {
                transfer.AddFile();
                transfer.AddBytes(entry.Status.Size);
            }
            else if (kind is FileKind.Foreign or FileKind.Unsound || !IsInPlace)
            {
                transfer.LeaveOut(entry.Path, "it is a sealed file already, but not a sound one of this volume");
            }
            else
            {
                transfer.Done++;
            }
        }
        catch (Exception exception) when (DiskFull.IsOfOneFile(exception))
        {
            transfer.LeaveOut(entry.Path, exception.Message);
        }
    }

    private byte[] Map(byte[] path) => path.Length == 0 ? Path : TreePath.Join(Path, path);

    /// <summary>A name that means something else at a volume's root, and volumes, are passed over.</summary>
    private TreeWalk SourceWalk(Tree tree, Action<byte[], string> complain) => new(tree, complain)
    {
        IsLeftOut = path =>
        {
            bool isReserved = Path.Length == 0 && path.AsSpan().SequenceEqual(".overlay"u8);
            if (isReserved)
                complain(path, "the name .overlay at the top of a volume is Overlay's own");
            return isReserved;
        },
        WhyNotEnter = path => tree.TryStatus(TreePath.Join(path, ".overlay/config.json"u8), out _) ? "it is a volume" : null,
    };
}
