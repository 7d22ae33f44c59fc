using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Keys;

/// <summary>
/// Destroys keys of files: their rows in one transaction, which also remembers that it was done, so that no older copy of the store brings
/// them back; then what is left of them in the store's files and log, and in the copies that are known. Killed after the transaction, it can be
/// done again, and finishes the rest.
/// </summary>
internal sealed class KeyShredder(UnlockedVolume volume, string certificate)
{
    /// <summary>Wrapped keys that were found, to look for afterwards.</summary>
    private readonly List<byte[]> _wrapped = [];

    internal List<ShreddedKey> Keys { get; } = [];

    /// <summary>What there is to destroy. Changes nothing.</summary>
    internal static ShreddedKey Look(UnlockedVolume volume, byte[] fileId, string path)
    {
        FileRow? row = volume.Store.TryFindFile(fileId);
        DateTimeOffset? before = row is null ? ShredTable.TryFind(volume.Store.Connection, fileId) : null;
        return new ShreddedKey(fileId, path, row?.Suite, row?.Created, before);
    }

    internal void DestroyRows(IReadOnlyCollection<(byte[] FileId, string Path)> files)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        StoreConnection store = volume.Store.Connection;
        store.InTransaction(() =>
        {
            Keys.Clear();
            _wrapped.Clear();
            foreach ((byte[] fileId, string path) in files)
            {
                ShreddedKey key = Look(volume, fileId, path);
                Keys.Add(key);
                if (!key.IsThere)
                    continue;
                _wrapped.Add(volume.Store.TryFindFile(fileId)!.WrappedKey.ToArray());
                _wrapped.AddRange(NextKeyTable.ReadWrapped(store, fileId));
                ShredTable.DeleteKey(store, fileId);
                ShredTable.Insert(store, fileId, now, path, certificate);
            }
        });
    }

    /// <summary>The store's own files.</summary>
    internal CopyResult CleanStore()
    {
        bool isEmptied = StoreCleaning.TryClean(volume.Store.Connection);
        int left = StoreCleaning.Count(volume.Store.Path, _wrapped, out long scanned);
        return new CopyResult(volume.Store.Path, left > 0 || !isEmptied ? CopyState.Remains : CopyState.Clean, scanned, left);
    }

    /// <summary>Copies that 'store backup' made, and others that are named.</summary>
    internal List<CopyResult> CleanCopies(IEnumerable<string> more) =>
        ShredTable.ReadBackups(volume.Store.Connection).Concat(more.Select(Path.GetFullPath)).Distinct(StringComparer.Ordinal).Select(CleanCopy).ToList();

    private CopyResult CleanCopy(string path)
    {
        if (!VolumeFiles.Exists(path))
            return new CopyResult(path, CopyState.Missing, 0, 0);
        try
        {
            List<byte[]> wrapped = [.. _wrapped];
            using (StoreCopy copy = StoreCopy.Open(path))
            {
                if (!copy.Store.Volume.Id.Span.SequenceEqual(volume.VolumeId.Span))
                    return new CopyResult(path, CopyState.Foreign, 0, 0);
                StoreConnection store = copy.Store.Connection;
                DateTimeOffset now = DateTimeOffset.UtcNow;
                store.InTransaction(() =>
                {
                    foreach (ShreddedKey key in Keys)
                    {
                        if (copy.Store.TryFindFile(key.FileId) is FileRow row)
                            wrapped.Add(row.WrappedKey.ToArray());
                        wrapped.AddRange(NextKeyTable.ReadWrapped(store, key.FileId));
                        ShredTable.DeleteKey(store, key.FileId);
                        ShredTable.Insert(store, key.FileId, now, key.Path, certificate);
                    }
                });
                _ = StoreCleaning.TryClean(store);
            }
            int left = StoreCleaning.Count(path, wrapped, out long scanned);
            return new CopyResult(path, left > 0 ? CopyState.Remains : CopyState.Clean, scanned, left);
        }
        catch (VolumeException e)
        {
            return new CopyResult(path, CopyState.Unreachable, 0, 0) { Reason = e.Message };
        }
    }
}
