using System;
using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Files;

namespace Overlay.Ctl.Data;

/// <summary>
/// Copies a tree into another; what a regular file's copy is, the heirs know. A file gets its name when it is whole, with everything that
/// belongs to it, and on the disk; a directory its attributes when everything in it has its own. So the same command, started again after
/// it was killed, goes on where it was.
/// </summary>
internal abstract class TreeCopy(Tree from, Tree to, Staging staging, Transfer transfer, bool keepsOwner)
{
    private const int MostQueued = 512;
    private const long MostBytes = 64 << 20;
    private const uint OwnerOnly = 0x1C0;

    private readonly Queue<Action> _queue = [];
    private readonly Dictionary<(ulong Device, ulong Inode), byte[]> _linked = [];
    private long _queuedBytes;

    protected Tree From => from;

    protected Tree To => to;

    protected Staging Staging => staging;

    protected Transfer Transfer => transfer;

    /// <param name="map">Where something goes, below the target's root; "" is the root, whose attributes are not ours.</param>
    internal void Run(IEnumerable<TreeEntry> entries, Func<byte[], byte[]> map)
    {
        foreach (TreeEntry entry in entries)
        {
            Guard(entry.Path, () => Visit(entry, map(entry.Path)));
            if (_queue.Count >= MostQueued || _queuedBytes >= MostBytes)
                Commit();
            if (transfer.IsFull)
                break;
        }
        Commit();
        staging.SyncAll();
    }

    /// <summary>Makes a copy of the content in the staging directory.</summary>
    /// <returns>What is to be done when it has its name.</returns>
    protected abstract Action CopyContent(TreeEntry entry, int number, byte[] target);

    /// <summary>Is this the copy that an earlier start has made? Told by size and time.</summary>
    protected abstract bool IsCopyOf(TreeEntry entry, byte[] target, in NodeStatus status);

    protected abstract uint ModeOf(in NodeStatus regularFile);

    private void Visit(TreeEntry entry, byte[] target)
    {
        if (entry.IsEnd)
            Queue(entry, target, () => FinishDirectory(entry, target));
        else if (entry.Status.IsDirectory)
            MakeDirectory(target);
        else if (entry.Status.Links > 1 && _linked.TryGetValue((entry.Status.Device, entry.Status.Inode), out byte[]? first))
            Queue(entry, target, () => Link(first, target));
        else if (entry.Status.IsRegular)
            CopyFile(entry, target);
        else
            CopyOther(entry, target);
    }

    private void CopyFile(TreeEntry entry, byte[] target)
    {
        if (to.TryStatus(target, out NodeStatus there))
        {
            if (!there.IsRegular || !IsCopyOf(entry, target, there))
                throw new ErrnoException(Errno.EEXIST, "something else of that name is there already");
            transfer.Done++;
        }
        else
        {
            int number = staging.NextNumber();
            Action placed = Stage(entry, number, target);
            _queuedBytes += entry.Status.Size;
            Queue(entry, target, () => Place(number, target, placed));
        }
        if (entry.Status.Links > 1)
            _linked[(entry.Status.Device, entry.Status.Inode)] = target;
    }

    private Action Stage(TreeEntry entry, int number, byte[] target)
    {
        try
        {
            Action placed = CopyContent(entry, number, target);
            Attributes.Copy(from.ProcPath(entry.Path), entry.Status, staging.Directory, Staging.NameOf(number), staging.ProcPath(number), ModeOf(entry.Status), keepsOwner);
            return placed;
        }
        catch
        {
            staging.Remove(number);
            throw;
        }
    }

    private void Place(int number, byte[] target, Action placed)
    {
        if (Calls.Rename(staging.Directory, Staging.NameOf(number), to.ParentOf(target), Tree.NameOf(target), Calls.DoNotReplace) != 0)
        {
            ErrnoException failure = Tree.Failure("the copy cannot get its name");
            staging.Remove(number);
            throw failure;
        }
        transfer.AddFile();
        placed();
    }

    private void Link(byte[] first, byte[] target)
    {
        if (!to.TryStatus(first, out NodeStatus file))
            throw new ErrnoException(Errno.ENOENT, $"the file that it is a hard link of, {TreePath.Show(first)}, was not copied");
        if (to.TryStatus(target, out NodeStatus there))
        {
            if (there.Inode != file.Inode)
                throw new ErrnoException(Errno.EEXIST, "something else of that name is there already");
            transfer.Done++;
            return;
        }
        // By way of a name of our own: two directories are not open at once.
        int number = staging.NextNumber();
        if (Calls.Link(to.ParentOf(first), Tree.NameOf(first), staging.Directory, Staging.NameOf(number), 0) != 0 ||
            Calls.Rename(staging.Directory, Staging.NameOf(number), to.ParentOf(target), Tree.NameOf(target), Calls.DoNotReplace) != 0)
            throw Tree.Failure("the hard link cannot be made");
        transfer.HardLinks++;
    }

    private void MakeDirectory(byte[] target)
    {
        if (target.Length == 0 || Calls.MakeDirectory(to.ParentOf(target), Tree.NameOf(target), OwnerOnly) == 0)
            return;
        if (Calls.LastError != Errno.EEXIST)
            throw Tree.Failure("the directory cannot be made");
        if (!to.TryStatus(target, out NodeStatus there) || !there.IsDirectory)
            throw new ErrnoException(Errno.EEXIST, "something else of that name is there already");
    }

    private void FinishDirectory(TreeEntry entry, byte[] target)
    {
        transfer.Directories++;
        if (target.Length > 0)
            SetAttributes(entry, target);
    }

    private void CopyOther(TreeEntry entry, byte[] target)
    {
        bool isThere = to.TryStatus(target, out NodeStatus there);
        byte[]? aim = entry.Status.Type == NodeStatus.SymbolicLink ? ReadLink(from, entry.Path) : null;
        if (isThere && (there.Type != entry.Status.Type || there.Node != entry.Status.Node || (aim is not null && !aim.AsSpan().SequenceEqual(ReadLink(to, target)))))
            throw new ErrnoException(Errno.EEXIST, "something else of that name is there already");
        int directory = to.ParentOf(target);
        int result = isThere ? 0 : aim is not null ? Calls.MakeLink(aim, directory, Tree.NameOf(target))
            : Calls.MakeNode(directory, Tree.NameOf(target), (uint)entry.Status.Type | 0x180, entry.Status.Node);
        if (result != 0)
            throw Tree.Failure("it cannot be made");
        // Also if it was there: whoever made it may have been killed before this.
        SetAttributes(entry, target);
        if (isThere)
            transfer.Done++;
        else
            transfer.Others++;
        if (entry.Status.Links > 1)
            _linked[(entry.Status.Device, entry.Status.Inode)] = target;
    }

    private void SetAttributes(TreeEntry entry, byte[] target) => Attributes.Copy(
        from.ProcPath(entry.Path), entry.Status, to.ParentOf(target), Tree.NameOf(target), to.ProcPath(target), entry.Status.Permissions, keepsOwner);

    private static unsafe byte[] ReadLink(Tree tree, byte[] path)
    {
        byte[] target = new byte[4097];
        fixed (byte* start = target)
        {
            nint length = Calls.ReadLink(tree.ParentOf(path), Tree.NameOf(path), start, 4096);
            return length >= 0 ? target[..((int)length + 1)] : throw Tree.Failure("the symbolic link cannot be read");
        }
    }

    private void Queue(TreeEntry entry, byte[] target, Action action) => _queue.Enqueue(() => Guard(entry.Path, action));

    private void Commit()
    {
        if (_queue.Count == 0)
            return;
        staging.SyncAll();
        while (_queue.TryDequeue(out Action? action))
            action();
        _queuedBytes = 0;
    }

    private void Guard(byte[] path, Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception) when (DiskFull.IsOfOneFile(exception))
        {
            transfer.LeaveOut(path, exception.Message);
            transfer.IsFull |= DiskFull.Is(exception);
        }
    }
}
