using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Overlay.Crypto;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Data;

/// <summary>
/// Sealed copies that take the places of their plain files together. Invariants:
/// <list type="number">
/// <item>No plain file loses its name before its copy, and the record of the batch, are on the disk.</item>
/// <item>Names are exchanged, not replaced: whatever comes out of a name that is not the file that was read goes back.</item>
/// <item>No plain file is deleted before the exchange is on the disk.</item>
/// </list>
/// </summary>
internal sealed class InPlaceBatch(Tree tree, Staging staging, KeyPool keys, Transfer transfer)
{
    private const int MostFiles = 256;
    private const long MostBytes = 64 << 20;

    private readonly List<StagedFile> _files = [];
    private long _bytes;

    internal bool IsFull => _files.Count >= MostFiles || _bytes >= MostBytes;

    internal bool IsEmpty => _files.Count == 0;

    internal void Add(StagedFile file)
    {
        _files.Add(file);
        _bytes += file.Plain.Size;
    }

    internal void Commit()
    {
        if (IsEmpty)
            return;
        List<(byte[] Path, NodeStatus Status)> directories = Begin();
        List<StagedFile> placed;
        try
        {
            placed = [.. _files.Where(TryPlace)];
            RestoreTimes(tree, directories, transfer);
            staging.SyncAll();
        }
        finally
        {
            // If that failed, the record says to the next import what is to be done; nothing is deleted here.
            CloseSources();
        }
        Note(placed);
        Clear();
    }

    /// <summary>Ends what <paramref name="record"/> says was begun.</summary>
    internal static void Recover(BatchRecord record, Tree tree, Staging staging, Transfer transfer)
    {
        foreach (StagedFile file in record.Files)
            Recover(file, tree, staging, transfer);
        RestoreTimes(tree, record.Directories, transfer);
        staging.SyncAll();
        foreach (StagedFile file in record.Files)
            for (int i = 0; i < file.Paths.Count; i++)
                staging.Remove(file.Number + i);
        staging.RemoveRecord();
    }

    /// <summary>If it fails, nothing has begun: the copies are given up.</summary>
    private List<(byte[] Path, NodeStatus Status)> Begin()
    {
        try
        {
            List<(byte[] Path, NodeStatus Status)> directories = Directories();
            staging.WriteRecord(new BatchRecord(_files, directories));
            staging.SyncAll();
            return directories;
        }
        catch
        {
            CloseSources();
            Clear();
            throw;
        }
    }

    private void CloseSources()
    {
        foreach (StagedFile file in _files)
            file.Source?.Dispose();
    }

    /// <summary>Deletes what lies in the staging directory: plain files whose names the copies have, and copies that got none.</summary>
    private void Clear()
    {
        foreach (StagedFile file in _files)
            for (int i = 0; i < file.Paths.Count; i++)
                staging.Remove(file.Number + i);
        staging.RemoveRecord();
        _files.Clear();
        _bytes = 0;
    }

    private List<(byte[] Path, NodeStatus Status)> Directories()
    {
        Dictionary<string, (byte[], NodeStatus)> found = [];
        foreach (byte[] path in _files.SelectMany(file => file.Paths).Select(TreePath.Parent))
            if (!found.ContainsKey(Encoding.Latin1.GetString(path)) && tree.TryStatus(path, out NodeStatus status))
                found[Encoding.Latin1.GetString(path)] = (path, status);
        return [.. found.Values];
    }

    private bool TryPlace(StagedFile file)
    {
        int exchanged = 0;
        try
        {
            if (file.Source!.IsUnchanged)
                for (; exchanged < file.Paths.Count; exchanged++)
                    Exchange(tree, staging, file, exchanged);
            // A writer who came in between has the plain file open: what he writes must not be lost with it.
            bool isPlaced = exchanged > 0 && file.Source.IsUnchanged && Enumerable.Range(0, exchanged).All(i => IsPlain(file, i));
            if (isPlaced)
            {
                transfer.AddFile();
                transfer.HardLinks += file.Paths.Count - 1;
                return true;
            }
            transfer.LeaveOut(file.Paths[0], "it was changed, or opened for writing, while it was being sealed");
        }
        catch (ErrnoException exception)
        {
            transfer.LeaveOut(file.Paths[0], exception.Message);
        }
        while (exchanged > 0)
            Exchange(tree, staging, file, --exchanged);
        return false;
    }

    private bool IsPlain(StagedFile file, int number) =>
        staging.TryStatus(file.Number + number, out NodeStatus status) && status.Inode == file.Plain.Inode;

    private static void Exchange(Tree tree, Staging staging, StagedFile file, int number)
    {
        byte[] path = file.Paths[number];
        if (Calls.Rename(staging.Directory, Staging.NameOf(file.Number + number), tree.ParentOf(path), Tree.NameOf(path), Calls.Exchange) != 0)
            throw Tree.Failure("the sealed copy cannot take its place");
    }

    private void Note(List<StagedFile> placed)
    {
        foreach (StagedFile file in placed)
            keys.NoteCreated(file.FileId, TreePath.Text(file.Paths[0]));
        try
        {
            keys.Flush();
        }
        catch (VolumeException exception) when (exception.Error is VolumeError.DiskFull or VolumeError.Busy)
        {
            // The keys themselves are safe; paths are noted with the next batch, or by the next import.
            transfer.Notes.Add(([], exception.Message));
        }
    }

    private static void Recover(StagedFile file, Tree tree, Staging staging, Transfer transfer)
    {
        List<int> exchanged = [.. Enumerable.Range(0, file.Paths.Count)
            .Where(i => staging.TryStatus(file.Number + i, out NodeStatus status) && status.Inode == file.Plain.Inode)];
        if (exchanged.Count == 0)
            return; // not begun, or done
        _ = staging.TryStatus(file.Number + exchanged[0], out NodeStatus plain);
        if (plain.Size != file.Plain.Size || !plain.Modified.Equals(file.Plain.Modified))
        {
            KeepBeside(file, exchanged[0], tree, staging, transfer);
            return;
        }
        for (int i = 0; i < file.Paths.Count; i++)
            if (!exchanged.Contains(i) && tree.TryStatus(file.Paths[i], out NodeStatus status) && status.Inode == file.Plain.Inode)
                Exchange(tree, staging, file, i);
    }

    /// <summary>Somebody who had it open wrote into the plain file after its copy had been made, and the import was killed just then.</summary>
    private static void KeepBeside(StagedFile file, int number, Tree tree, Staging staging, Transfer transfer)
    {
        byte[] path = [.. file.Paths[number], .. ".unsealed"u8];
        if (Calls.Rename(staging.Directory, Staging.NameOf(file.Number + number), tree.ParentOf(path), Tree.NameOf(path), Calls.DoNotReplace) != 0)
            throw Tree.Failure($"{TreePath.Show(path)} cannot be put back");
        transfer.LeaveOut(path, "a program wrote into the plain file after it had been sealed: compare the two");
    }

    private static void RestoreTimes(Tree tree, List<(byte[] Path, NodeStatus Status)> directories, Transfer transfer)
    {
        foreach ((byte[] path, NodeStatus status) in directories)
        {
            try
            {
                tree.SetTimes(path, status);
            }
            catch (ErrnoException exception)
            {
                transfer.Notes.Add((path, exception.Message));
            }
        }
    }
}
