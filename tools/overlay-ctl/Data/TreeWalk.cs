using System;
using System.Collections.Generic;
using Overlay.Crypto;

namespace Overlay.Ctl.Data;

/// <summary>Everything below a directory of a tree, each directory before its content and again behind it. Stays on one file system.</summary>
internal sealed class TreeWalk(Tree tree, Action<byte[], string> complain)
{
    /// <summary>Names that are passed over; told by their path below the root.</summary>
    internal Func<byte[], bool> IsLeftOut { get; init; } = _ => false;

    /// <summary>Directories that are not entered, with the reason; null: enter.</summary>
    internal Func<byte[], string?> WhyNotEnter { get; init; } = _ => null;

    internal IEnumerable<TreeEntry> From(byte[] start)
    {
        if (!tree.TryStatus(start, out NodeStatus status))
        {
            complain(start, "it does not exist");
            return [];
        }
        return Visit(start, status);
    }

    private IEnumerable<TreeEntry> Visit(byte[] path, NodeStatus status)
    {
        if (status.IsDirectory && WhyNot(path, status) is string reason)
        {
            complain(path, reason);
            yield break;
        }
        yield return new TreeEntry(path, status);
        if (!status.IsDirectory)
            yield break;
        foreach (byte[] name in List(path))
        {
            byte[] child = TreePath.Join(path, name);
            if (IsLeftOut(child) || !TryStatus(child, out NodeStatus found))
                continue;
            foreach (TreeEntry entry in Visit(child, found))
                yield return entry;
        }
        yield return new TreeEntry(path, status, IsEnd: true);
    }

    private string? WhyNot(byte[] path, in NodeStatus status) =>
        status.Device != tree.RootStatus.Device ? "it lies on another file system" : WhyNotEnter(path);

    private List<byte[]> List(byte[] path)
    {
        try
        {
            return tree.List(path);
        }
        catch (ErrnoException exception)
        {
            complain(path, exception.Message);
            return [];
        }
    }

    /// <summary>False: it was deleted since the directory was read, or cannot be looked at.</summary>
    private bool TryStatus(byte[] path, out NodeStatus status)
    {
        try
        {
            return tree.TryStatus(path, out status);
        }
        catch (ErrnoException exception)
        {
            complain(path, exception.Message);
            status = default;
            return false;
        }
    }
}
