using System;
using System.IO;
using Microsoft.Data.Sqlite;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Keys;

/// <summary>
/// Puts a copy in a store's place. Invariants:
/// <list type="number">
/// <item>Nobody uses the store meanwhile: an agent that went on with the old one would hand out keys that are nowhere.</item>
/// <item>What is put in place was looked at, and completed, under another name. It comes into a store that is there in one transaction of SQLite's,
/// else by a rename: killed at any moment, the store is the old one or the new.</item>
/// <item>Keys that were destroyed stay it: what the old store knows of them comes into the copy first.</item>
/// </list>
/// </summary>
internal sealed class StoreRestore : IDisposable
{
    private readonly string _storePath, _unfinished;
    private MetadataStore? _current;

    private StoreRestore(string storePath) => (_storePath, _unfinished) = (storePath, storePath + VolumePaths.UnfinishedSuffix);

    /// <summary>Brings the copy beside the store and looks at it, and takes the store, if there is one, for this process alone.</summary>
    /// <exception cref="VolumeException">The copy is damaged or another volume's, or the store is in use.</exception>
    internal static StoreRestore Begin(string copyPath, string storePath, ReadOnlySpan<byte> volumeId)
    {
        StoreRestore restore = new(storePath);
        try
        {
            if (VolumeFiles.Exists(storePath))
            {
                restore._current = MetadataStore.Open(storePath);
                TakeAlone(restore._current);
            }
            _ = VolumeFiles.TryMakeDirectory(Path.GetDirectoryName(storePath)!);
            MetadataStore.Remove(restore._unfinished);
            _ = FileCalls.Close(VolumeFiles.CreateNew(restore._unfinished));
            using (StoreConnection from = StoreConnection.Open(copyPath))
                StoreBackup.Copy(from, restore._unfinished);
            StoreBackup.Check(restore._unfinished, copyPath, volumeId);
            return restore;
        }
        catch
        {
            restore.Dispose();
            throw;
        }
    }

    internal MetadataStore? Current => _current;

    /// <summary>The copy, in this version's form.</summary>
    internal StoreCopy OpenCopy() => StoreCopy.Open(_unfinished);

    internal void Run(StoreComparison comparison)
    {
        Prepare(comparison);
        VolumeFiles.Sync(_unfinished);
        if (_current is null)
        {
            // The log of a store that is lost would be replayed into this one.
            MetadataStore.RemoveSideFiles(_storePath);
            VolumeFiles.Rename(_unfinished, _storePath);
            VolumeFiles.Sync(Path.GetDirectoryName(_storePath)!);
            return;
        }
        using StoreConnection copy = StoreConnection.Open(_unfinished);
        _current.Connection.Guard(() => copy.Sqlite.BackupDatabase(_current.Connection.Sqlite));
    }

    public void Dispose()
    {
        _current?.Dispose();
        _current = null;
        MetadataStore.Remove(_unfinished);
    }

    /// <summary>Takes a store for this process alone, until it is closed.</summary>
    private static void TakeAlone(MetadataStore store)
    {
        StoreConnection connection = store.Connection;
        VolumeException inUse = new(VolumeError.Busy, $"The store {store.Path} is in use: end the programs and agents of the volume first ('overlay-ctl status' names its agent).");
        try
        {
            connection.Execute("PRAGMA busy_timeout = 500");
            // Only who is alone can leave the log; and the lock that is taken next is kept then, commits or no commits.
            if (connection.QueryText("PRAGMA journal_mode = DELETE") != "delete")
                throw inUse;
            connection.Execute("PRAGMA locking_mode = EXCLUSIVE");
            connection.Execute("BEGIN EXCLUSIVE");
            connection.Execute("COMMIT");
        }
        catch (VolumeException e) when (e.InnerException is SqliteException && e.Error == VolumeError.Busy)
        {
            throw inUse;
        }
    }

    private void Prepare(StoreComparison comparison)
    {
        using StoreCopy copy = OpenCopy();
        StoreConnection store = copy.Store.Connection;
        store.InTransaction(() =>
        {
            foreach ((byte[] fileId, long when, string file, string certificate) in comparison.Shredded)
            {
                ShredTable.DeleteKey(store, fileId);
                ShredTable.Insert(store, fileId, DateTimeOffset.FromUnixTimeSeconds(when), file, certificate);
            }
        });
        if (comparison.Shredded.Count > 0)
            _ = StoreCleaning.TryClean(store);
    }
}
