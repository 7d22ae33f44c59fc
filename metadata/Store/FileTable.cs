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
    private readonly SqliteCommand _find, _insert, _setState, _setPlace, _setLive, _setPath, _removePooled;
    private readonly RawStatement _raiseSequence;

    internal FileTable(StoreConnection store)
    {
        _store = store;
        _find = store.Prepare(
            $"SELECT {Columns} FROM file WHERE file_id = $id",
            "$id");
        _insert = store.Prepare(
            """
            INSERT INTO file (file_id, wrapped_key, key_version, suite, block_size_log2, created, state, path)
            VALUES ($id, $key, $version, $suite, $size, $created, 0, '')
            """,
            "$id", "$key", "$version", "$suite", "$size", "$created");
        _setState = store.Prepare("UPDATE file SET state = $state WHERE file_id = $id AND state < $state", "$id", "$state");
        _setPlace = store.Prepare(
            "UPDATE file SET path = $path, suite = $suite, block_size_log2 = $size WHERE file_id = $id AND state < 2", "$id", "$path", "$suite", "$size");
        // The first word on where a file was made is the last: rules of a policy go by it.
        _setLive = store.Prepare("UPDATE file SET state = 2, path = iif(path = '', $path, path) WHERE file_id = $id AND state < 2", "$id", "$path");
        _setPath = store.Prepare("UPDATE file SET path = $path WHERE file_id = $id", "$id", "$path");
        _raiseSequence = new RawStatement(store,
            """
            UPDATE file SET boot = iif(sequence < ?2, ?3, boot), sequence = max(sequence, ?2), seals = seals + ?4
            WHERE file_id = ?1 AND (sequence < ?2 OR ?4 > 0)
            RETURNING iif(suite = 1, seals, 0)
            """);
        _removePooled = store.Prepare("DELETE FROM file WHERE file_id = $id AND state = 0", "$id");
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

    internal void InsertPooled(byte[] fileId, byte[] wrappedKey, VolumeRow volume, long created)
    {
        SqliteParameterCollection values = _insert.Parameters;
        values[0].Value = fileId;
        values[1].Value = wrappedKey;
        values[2].Value = volume.KeyVersion;
        values[3].Value = (int)volume.Suite;
        values[4].Value = volume.BlockSizeLog2;
        values[5].Value = created;
        _insert.ExecuteNonQuery();
    }

    internal void SetHanded(byte[] fileId)
    {
        _setState.Parameters[0].Value = fileId;
        _setState.Parameters[1].Value = (int)FileState.Handed;
        _setState.ExecuteNonQuery();
    }

    internal void SetLive(byte[] fileId, string path)
    {
        _setLive.Parameters[0].Value = fileId;
        _setLive.Parameters[1].Value = path;
        _setLive.ExecuteNonQuery();
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
    /// <returns>How often an aes-256-gcm key has sealed, where that is known; else 0.</returns>
    internal long RaiseSequence(byte[] fileId, ulong sequence, uint bootWord, long seals = 0)
    {
        try
        {
            _raiseSequence.Bind(1, fileId);
            _raiseSequence.Bind(2, (long)sequence);
            _raiseSequence.Bind(3, bootWord);
            _raiseSequence.Bind(4, seals);
            return _raiseSequence.Step() ? _raiseSequence.Number(0) : 0; // all is changed by the first step
        }
        finally
        {
            _raiseSequence.Reset();
        }
    }

    /// <summary>For a key that has provably not left the agent.</summary>
    internal void RemovePooled(byte[] fileId)
    {
        _removePooled.Parameters[0].Value = fileId;
        _removePooled.ExecuteNonQuery();
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
        foreach (SqliteCommand command in new[] { _find, _insert, _setState, _setPlace, _setLive, _setPath, _removePooled })
            command.Dispose();
        _raiseSequence.Dispose();
    }
}
