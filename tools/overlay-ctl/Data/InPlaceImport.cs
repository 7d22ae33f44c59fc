using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Data;

/// <summary>Seals the plain files of a directory that lies in a volume.</summary>
internal sealed class InPlaceImport : IDisposable
{
    private readonly RawVolume _volume;
    private readonly Tree _tree;
    private readonly Transfer _transfer;
    private readonly Staging _staging;
    private readonly KeyPool _keys;
    private readonly Sealer _sealer;
    private readonly InPlaceBatch _batch;
    private readonly LinkGroups _links = new();

    internal InPlaceImport(RawVolume volume, Tree tree, Transfer transfer)
    {
        (_volume, _tree, _transfer) = (volume, tree, transfer);
        _staging = Staging.OfVolume(tree.Root);
        _keys = new KeyPool(volume.Unlocked);
        _sealer = new Sealer(volume, _keys);
        _batch = new InPlaceBatch(tree, _staging, _keys, transfer);
    }

    /// <param name="directory">Below the volume's root; "" is all of it.</param>
    internal void Run(byte[] directory)
    {
        if (_staging.ReadRecord() is BatchRecord record)
            InPlaceBatch.Recover(record, _tree, _staging, _transfer);
        _staging.RemoveLeftovers(_volume.Unlocked.VolumeId.Span);
        foreach (TreeEntry entry in VolumeTree.Walk(_tree, _transfer.LeaveOut).From(directory))
        {
            if (entry.Status.IsRegular)
                Visit(entry);
            else if (entry.IsEnd)
                _transfer.Directories++;
            if (_batch.IsFull)
                Commit();
            if (_transfer.IsFull)
                return;
        }
        Commit();
        foreach ((byte[] path, long missing) in _links.Incomplete())
            _transfer.LeaveOut(path, $"it has {missing} more hard links outside of the directory: import a directory that holds all of them, or remove those");
    }

    public void Dispose()
    {
        _sealer.Dispose();
        VolumeTree.Retire(_keys, _transfer);
        _staging.Dispose();
    }

    private void Visit(TreeEntry entry)
    {
        try
        {
            using PlainSource source = PlainSource.Open(_tree, entry.Path, wantsLease: false);
            switch (FileKinds.Of(source, _volume.Unlocked.VolumeId.Span))
            {
                case FileKind.Empty: _transfer.Done++; return;
                case FileKind.Sealed: NoteSealed(source, entry.Path); return;
                case FileKind.Foreign: _transfer.LeaveOut(entry.Path, "it is a sealed file of another volume: copy it with both volumes under 'overlay-ctl run'"); return;
                case FileKind.Unsound: _transfer.LeaveOut(entry.Path, "it begins as a sealed file does, but its header is damaged: see 'overlay-ctl verify'"); return;
                default: break;
            }
        }
        catch (Exception exception) when (DiskFull.IsOfOneFile(exception))
        {
            _transfer.LeaveOut(entry.Path, exception.Message);
            return;
        }
        if ((entry.Status.Mode & NodeStatus.Sticky) != 0)
            _transfer.LeaveOut(entry.Path, "it bears the mark of sealed files, the sticky bit, but is none: a damaged one? If it is a plain file, chmod -t it");
        else if (_links.TryComplete(entry, out List<byte[]>? paths))
            Stage(paths);
    }

    /// <summary>Once more after the batch has made room, if the disk is full.</summary>
    private void Stage(List<byte[]> paths)
    {
        for (bool isLast = _batch.IsEmpty; ; isLast = true)
        {
            try
            {
                _batch.Add(Copy(paths));
                return;
            }
            catch (Exception exception) when (DiskFull.Is(exception))
            {
                _transfer.IsFull = isLast;
                if (isLast)
                    _transfer.LeaveOut(paths[0], exception.Message);
                Commit();
                if (isLast || _transfer.IsFull)
                    return;
            }
            catch (Exception exception) when (DiskFull.IsOfOneFile(exception))
            {
                _transfer.LeaveOut(paths[0], exception.Message);
                return;
            }
        }
    }

    private StagedFile Copy(List<byte[]> paths)
    {
        byte[] path = paths[0];
        PlainSource source = PlainSource.Open(_tree, path, wantsLease: true);
        int number = _staging.NextNumber();
        for (int i = 1; i < paths.Count; i++)
            _ = _staging.NextNumber();
        try
        {
            if (source.Status.Links != paths.Count)
                throw new ErrnoException(Errno.EBUSY, "its hard links changed meanwhile");
            byte[] fileId = _sealer.Seal(source, _staging.PathOf(number), path, _transfer.AddBytes);
            uint mode = source.Status.Permissions | FormatConstants.SealedModeBit;
            Attributes.Copy(_tree.ProcPath(path), source.Status, _staging.Directory, Staging.NameOf(number), _staging.ProcPath(number), mode, keepsOwner: true);
            for (int i = 1; i < paths.Count; i++)
                if (Calls.Link(_staging.Directory, Staging.NameOf(number), _staging.Directory, Staging.NameOf(number + i), 0) != 0)
                    throw Tree.Failure("a hard link cannot be made");
            _ = _staging.TryStatus(number, out NodeStatus copy);
            return new StagedFile(number, source.Status, copy.Inode, fileId, paths) { Source = source };
        }
        catch
        {
            source.Dispose();
            for (int i = 0; i < paths.Count; i++)
                _staging.Remove(number + i);
            throw;
        }
    }

    /// <summary>No room for the record of a batch: its copies are given up, and the plain files are as they were.</summary>
    private void Commit()
    {
        try
        {
            _batch.Commit();
        }
        catch (Exception exception) when (DiskFull.Is(exception))
        {
            _transfer.IsFull = true;
            _transfer.LeaveOut([], exception.Message);
        }
    }

    /// <summary>An import that was killed may not have come to tell the store where the file is.</summary>
    private void NoteSealed(PlainSource source, byte[] path)
    {
        _transfer.Done++;
        VolumeTree.NoteIfUnknown(_volume, _keys, source, path);
    }
}
