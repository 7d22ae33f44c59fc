using System;
using System.Collections.Generic;
using Microsoft.Data.Sqlite;
using Overlay.Crypto;
using Overlay.Metadata.Policy;

namespace Overlay.Metadata.Store;

/// <summary>The rows of files. Writing belongs into a transaction of the caller's.</summary>
internal sealed class FileTable : IDisposable
{
    private const string Columns = "file_id, wrapped_key, key_version, suite, block_size_log2, created, state, path, sequence, boot, key_epoch";

    private readonly StoreConnection _store;
    private readonly SqliteCommand _find, _setPlace, _setPath;

    /// <summary>Those that are run for each file that is made.</summary>
    private readonly StoreStatement _insert, _setHanded, _setLive, _raiseSequence, _readSeals, _removePooled;

    internal FileTable(StoreConnection store)
    {
        _store = store;
        _find = store.Prepare(
            $"SELECT {Columns} FROM file WHERE file_id = $id",
            "$id");
        _insert = store.PrepareRaw(
            """
            INSERT INTO file (file_id, wrapped_key, key_version, suite, block_size_log2, created, state, path)
            VALUES (?, ?, ?, ?, ?, ?, 0, '')
            """);
        _setHanded = store.PrepareRaw("UPDATE file SET state = 1 WHERE file_id = ? AND state < 1");
        _setPlace = store.Prepare(
            "UPDATE file SET path = $path, suite = $suite, block_size_log2 = $size WHERE file_id = $id AND state < 2", "$id", "$path", "$suite", "$size");
        // The first word on where a file was made is the last: rules of a policy go by it.
        _setLive = store.PrepareRaw(
            """
            UPDATE file SET state = 2, path = iif(state < 2 AND path = '', ?2, path),
                boot = iif(sequence < ?3, ?4, boot), sequence = max(sequence, ?3), seals = seals + ?5
            WHERE file_id = ?1
            """);
        _setPath = store.Prepare("UPDATE file SET path = $path WHERE file_id = $id", "$id", "$path");
        _raiseSequence = store.PrepareRaw(
            """
            UPDATE file SET boot = iif(sequence < ?2, ?3, boot), sequence = max(sequence, ?2), seals = seals + ?4
            WHERE file_id = ?1 AND (sequence < ?2 OR ?4 > 0)
            """);
        // Not by RETURNING: that costs five times what the update does.
        _readSeals = store.PrepareRaw("SELECT iif(suite = 1, seals, 0) FROM file WHERE file_id = ?");
        _removePooled = store.PrepareRaw("DELETE FROM file WHERE file_id = ? AND state = 0");
    }

    internal FileRow? TryFind(byte[] fileId) => _store.Guard(() =>
    {
        _find.Parameters[0].Value = fileId;
        using SqliteDataReader reader = _find.ExecuteReader();
        return reader.Read() ? ReadSoundRow(_store, reader) : null;
    });

    /// <summary>One after the other, as the store is at the first of them.</summary>
    internal static IEnumerable<FileRow> ReadAll(StoreConnection store)
    {
        using SqliteCommand command = store.Prepare(
            $"SELECT {Columns} FROM file");
        using SqliteDataReader reader = store.Guard(command.ExecuteReader);
        while (store.Guard(reader.Read))
            yield return ReadSoundRow(store, reader);
    }

    internal void InsertPooled(ReadOnlySpan<byte> fileId, ReadOnlySpan<byte> wrappedKey, VolumeRow volume, long created)
    {
        _insert.Bind(1, fileId);
        _insert.Bind(2, wrappedKey);
        _insert.Bind(3, volume.KeyVersion);
        _insert.Bind(4, (long)volume.Suite);
        _insert.Bind(5, volume.BlockSizeLog2);
        _insert.Bind(6, created);
        _insert.Run();
    }

    internal void SetHanded(ReadOnlySpan<byte> fileId)
    {
        _setHanded.Bind(1, fileId);
        _setHanded.Run();
    }

    /// <summary>A file was made, and has come that far meanwhile: see <see cref="RaiseSequence"/>.</summary>
    internal void SetLive(ReadOnlySpan<byte> fileId, string path, ulong sequence = 0, uint bootWord = 0, long seals = 0)
    {
        _setLive.Bind(1, fileId);
        _setLive.Bind(2, path);
        _setLive.Bind(3, (long)sequence);
        _setLive.Bind(4, bootWord);
        _setLive.Bind(5, seals);
        _setLive.Run();
    }

    /// <summary>What is known of a new file when its key is handed out for it.</summary>
    internal void SetPlace(byte[] fileId, string path, FileSettings settings)
    {
        _setPlace.Parameters[0].Value = fileId;
        _setPlace.Parameters[1].Value = path;
        _setPlace.Parameters[2].Value = (int)settings.Suite;
        _setPlace.Parameters[3].Value = settings.BlockSizeLog2;
        _setPlace.ExecuteNonQuery();
    }

    /// <summary>A file that is there already counts as made at this path.</summary>
    /// <returns>How many there were: 0 or 1.</returns>
    internal int SetPath(byte[] fileId, string path)
    {
        _setPath.Parameters[0].Value = fileId;
        _setPath.Parameters[1].Value = path;
        return _setPath.ExecuteNonQuery();
    }

    /// <param name="seals">How often its key has sealed in addition.</param>
    internal void RaiseSequence(ReadOnlySpan<byte> fileId, ulong sequence, uint bootWord, long seals = 0)
    {
        _raiseSequence.Bind(1, fileId);
        _raiseSequence.Bind(2, (long)sequence);
        _raiseSequence.Bind(3, bootWord);
        _raiseSequence.Bind(4, seals);
        _raiseSequence.Run();
    }

    /// <summary>How often an aes-256-gcm key has sealed, where that is known; else 0.</summary>
    internal long ReadSeals(ReadOnlySpan<byte> fileId)
    {
        _readSeals.Bind(1, fileId);
        return _readSeals.RunForNumber() ?? 0;
    }

    /// <summary>For a key that has provably not left the agent.</summary>
    internal void RemovePooled(ReadOnlySpan<byte> fileId)
    {
        _removePooled.Bind(1, fileId);
        _removePooled.Run();
    }

    private static FileRow ReadSoundRow(StoreConnection store, SqliteDataReader reader)
    {
        try
        {
            return store.Guard(() => ReadRow(reader));
        }
        catch (Exception e) when (e is InvalidCastException or OverflowException or ArgumentOutOfRangeException)
        {
            throw StoreErrors.Damaged(store.Path, e.Message);
        }
    }

    private static FileRow ReadRow(SqliteDataReader reader) => new(
        reader.GetFieldValue<byte[]>(0), reader.GetFieldValue<byte[]>(1), reader.GetInt32(2), (CipherSuite)reader.GetByte(3),
        reader.GetInt32(4), DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(5)), (FileState)reader.GetInt32(6), reader.GetString(7))
    {
        Sequence = (ulong)reader.GetInt64(8), BootWord = (uint)reader.GetInt64(9), KeyEpoch = reader.GetInt64(10),
    };

    public void Dispose()
    {
        foreach (IDisposable statement in new IDisposable[]
            { _find, _setPlace, _setPath, _insert, _setHanded, _setLive, _raiseSequence, _readSeals, _removePooled })
            statement.Dispose();
    }
}
