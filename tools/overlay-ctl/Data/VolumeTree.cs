using System;
using System.IO;
using Overlay.Format;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Data;

/// <summary>A volume's own tree: without .overlay, and not into volumes that lie in it.</summary>
internal static class VolumeTree
{
    internal static TreeWalk Walk(Tree tree, Action<byte[], string> complain) => new(tree, complain)
    {
        IsLeftOut = path => path.AsSpan().SequenceEqual(".overlay"u8),
        WhyNotEnter = path => path.Length > 0 && tree.TryStatus(TreePath.Join(path, ".overlay/config.json"u8), out _) ? "it is a volume of its own" : null,
    };

    /// <summary>The volume that holds a path, and the path below its root. Symbolic links on the way are followed.</summary>
    internal static (string Root, byte[] Path) Locate(string path)
    {
        string real = Posix.RealPath(path) ?? throw new ControlException(ExitCodes.Usage, $"{path} does not exist.");
        string root = Repair.RepairCommand.RootOf(real) ?? throw new ControlException(ExitCodes.Volume,
            $"{path} is neither a volume nor in one. 'overlay-ctl init --non-empty' makes a directory with files a volume.");
        byte[] below = TreePath.FromText(Path.GetRelativePath(root, real));
        if (below.AsSpan().StartsWith(".overlay"u8) && (below.Length == 8 || below[8] == (byte)'/'))
            throw new ControlException(ExitCodes.Usage, $"{path} is a volume's own directory.");
        return (root, below.AsSpan().SequenceEqual("."u8) ? [] : below);
    }

    /// <summary>Tells the store of a sealed file that it does not know to exist.</summary>
    internal static void NoteIfUnknown(RawVolume volume, KeyPool keys, PlainSource file, byte[] path)
    {
        Span<byte> head = stackalloc byte[FormatConstants.HeaderSize];
        if (file.Read(0, head) < head.Length)
            return;
        FileRow? row = volume.Unlocked.Store.TryFindFile(FileHeader.FileIdOf(head));
        if (row is not null && row.State != FileState.Live)
            keys.NoteCreated(FileHeader.FileIdOf(head), TreePath.Text(path));
        if (keys.IsFullOfNotes)
            keys.Flush();
    }

    /// <summary>Keys that were not needed go; on a full disk they stay as rows that nobody uses.</summary>
    internal static void Retire(KeyPool keys, Transfer transfer)
    {
        try
        {
            keys.Retire();
        }
        catch (VolumeException exception) when (exception.Error is VolumeError.DiskFull or VolumeError.Busy)
        {
            transfer.Notes.Add(([], exception.Message));
        }
        keys.Dispose();
    }
}
