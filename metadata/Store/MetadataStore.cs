using System;
using System.Collections.Generic;
using Microsoft.Data.Sqlite;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Store;

/// <summary>
/// A volume's store: a SQLite database in write-ahead mode. A process killed at any statement leaves it at the last commit.
/// Any number of processes may have it open. Not thread-safe.
/// </summary>
public sealed class MetadataStore : IDisposable
{
    private static readonly string[] s_sideFiles = ["-wal", "-shm", "-journal"];

    private readonly FileTable _files;
    private KeyRows? _keyRows;

    private MetadataStore(StoreConnection connection, bool isAlone)
    {
        Connection = connection;
        IsAlone = isAlone;
        Volume = VolumeTables.ReadVolume(connection);
        _files = new FileTable(connection);
    }

    public string Path => Connection.Path;

    /// <summary>As it was when the store was opened, or last refreshed: its key version may be another one by now.</summary>
    public VolumeRow Volume { get; internal set; }

    internal StoreConnection Connection { get; }

    /// <summary>Nobody else can open it, not in this process either.</summary>
    internal bool IsAlone { get; }

    internal FileTable Files => _files;

    internal KeyRows KeyRows => _keyRows ??= new KeyRows(Connection);

    /// <summary>Opens a store, migrating one of an older Overlay. A <see cref="VolumeException"/> says what is wrong with it.</summary>
    public static MetadataStore Open(string path)
    {
        if (!VolumeFiles.TryStatus(path, out FileStatus status))
            throw new VolumeException(VolumeError.StoreMissing, $"The store {path} does not exist.");
        if (status.Type != FileStatus.Regular && status.Type != FileStatus.Link)
            throw StoreErrors.Damaged(path, "it is not a file.");
        try
        {
            return Open(path, isAlone: false);
        }
        catch (VolumeException e) when (e.InnerException is SqliteException { SqliteErrorCode: StoreErrors.InputOutput or StoreErrors.Full })
        {
            // A full disk has no room for what processes share of the log. Alone we need none: existing files can be read, and deleted.
            return Open(path, isAlone: true);
        }
    }

    internal void Refresh() => Volume = VolumeTables.ReadVolume(Connection);

    public IReadOnlyList<KeySlotRow> ReadKeySlots() => VolumeTables.ReadKeySlots(Connection);

    public IReadOnlyList<KeyVersionRow> ReadKeyVersions() => VolumeTables.ReadKeyVersions(Connection);

    /// <returns>The row of a file, or null.</returns>
    public FileRow? TryFindFile(ReadOnlySpan<byte> fileId)
    {
        try
        {
            return _files.TryFind(fileId.ToArray());
        }
        catch (Exception e) when (StoreErrors.IsUnsoundValue(e))
        {
            throw StoreErrors.Damaged(Path, e.Message);
        }
    }

    /// <summary>The rows of all files, keys in stock among them.</summary>
    public IEnumerable<FileRow> ReadFiles() => FileTable.ReadAll(Connection);

    /// <summary>How many rows are in this state; reads all of them.</summary>
    public long CountFiles(FileState state) =>
        Connection.QueryNumber($"SELECT count(*) FROM file WHERE state = {(int)state}");

    public void Dispose()
    {
        _files.Dispose();
        _keyRows?.Dispose();
        Connection.Dispose();
    }

    private static MetadataStore Open(string path, bool isAlone)
    {
        StoreConnection connection = StoreConnection.Open(path, isAlone);
        try
        {
            SchemaMigration.Migrate(connection);
            UseWriteAheadLog(connection);
            return new MetadataStore(connection, isAlone);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Makes a store that nobody sees before it is complete and on the disk: built under another name, then renamed. What
    /// is in the way at that other name is the remains of an attempt that was killed.
    /// </summary>
    internal static void Create(string path, Action<StoreConnection> fill)
    {
        string unfinished = path + VolumePaths.UnfinishedSuffix;
        Remove(unfinished);
        _ = FileCalls.Close(VolumeFiles.CreateNew(unfinished));
        using (StoreConnection connection = StoreConnection.Open(unfinished))
        {
            SchemaMigration.Create(connection);
            connection.InTransaction(() => fill(connection));
            UseWriteAheadLog(connection);
        }
        VolumeFiles.Sync(unfinished);
        // A log left behind by an earlier store of that name would be replayed into this one.
        RemoveSideFiles(path);
        VolumeFiles.Rename(unfinished, path);
        VolumeFiles.Sync(System.IO.Path.GetDirectoryName(path)!);
    }

    internal static void Remove(string path)
    {
        VolumeFiles.RemoveIfThere(path);
        RemoveSideFiles(path);
    }

    internal static void RemoveSideFiles(string path)
    {
        foreach (string suffix in s_sideFiles)
            VolumeFiles.RemoveIfThere(path + suffix);
    }

    private static void UseWriteAheadLog(StoreConnection connection)
    {
        string mode = connection.QueryText("PRAGMA journal_mode = WAL");
        if (mode != "wal")
        {
            throw new VolumeException(VolumeError.StoreUnavailable,
                $"The store {connection.Path} is on a file system that cannot hold a write-ahead log (mode {mode}).");
        }
    }
}
