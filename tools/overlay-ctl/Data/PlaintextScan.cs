using System;
using System.Collections.Generic;
using System.Text;
using System.Threading;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Data;

/// <summary>Looks at the first bytes of every file of a volume.</summary>
internal sealed class PlaintextScan(string root)
{
    /// <summary>Of files with several names, which are looked at once.</summary>
    private readonly HashSet<(ulong Device, ulong Inode)> _linked = [];

    /// <summary>Files looked at so far; for another thread that shows it.</summary>
    internal long Looked => Interlocked.Read(ref _looked);

    private long _looked;

    internal long Sealed { get; private set; }

    /// <summary>What sealed files take on the disk.</summary>
    internal long StoredBytes { get; private set; }

    internal List<(byte[] Path, long Size)> Plain { get; } = [];

    internal List<byte[]> Foreign { get; } = [];

    internal List<byte[]> Unsound { get; } = [];

    internal List<(byte[] Path, string Reason)> Unchecked { get; } = [];

    internal int ExitCode => Plain.Count > 0 || Foreign.Count > 0 || Unsound.Count > 0 ? ExitCodes.Damaged : Unchecked.Count > 0 ? ExitCodes.Unchecked : ExitCodes.Ok;

    internal void Run()
    {
        byte[] volumeId = VolumeConfig.Load(root).VolumeId;
        using Tree tree = new(root);
        foreach (TreeEntry entry in VolumeTree.Walk(tree, (path, reason) => Unchecked.Add((path, reason))).From([]))
            if (entry.Status.IsRegular && (entry.Status.Links == 1 || _linked.Add((entry.Status.Device, entry.Status.Inode))))
                Look(tree, entry, volumeId);
        // What an import that was killed has left there may be plain.
        byte[] staging = [.. ".overlay/import"u8];
        if (!tree.TryStatus(staging, out _))
            return;
        foreach (byte[] name in tree.List(staging))
            if (int.TryParse(Encoding.UTF8.GetString(name), out _) && tree.TryStatus(TreePath.Join(staging, name), out NodeStatus status))
                Look(tree, new TreeEntry(TreePath.Join(staging, name), status), volumeId);
    }

    private void Look(Tree tree, TreeEntry entry, byte[] volumeId)
    {
        Interlocked.Increment(ref _looked);
        try
        {
            using PlainSource file = PlainSource.Open(tree, entry.Path, wantsLease: false);
            switch (FileKinds.Of(file, volumeId))
            {
                case FileKind.Plain: Plain.Add((entry.Path, entry.Status.Size)); break;
                case FileKind.Foreign: Foreign.Add(entry.Path); break;
                case FileKind.Unsound: Unsound.Add(entry.Path); break;
                case FileKind.Sealed: (Sealed, StoredBytes) = (Sealed + 1, StoredBytes + entry.Status.Sectors * 512); break;
                default: break; // an empty file holds nothing
            }
        }
        catch (Exception exception) when (DiskFull.IsOfOneFile(exception))
        {
            Unchecked.Add((entry.Path, exception.Message));
        }
    }
}
