using System;
using System.Collections.Generic;
using System.IO;
using Microsoft.Data.Sqlite;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Keys;

/// <summary>
/// Copies of a volume's store, made while agents use it: all of it as it was at one moment, in one file, that is on the disk and sound before it
/// gets its name. The store remembers where they are, so that shredding reaches them.
/// </summary>
internal static class StoreBackup
{
    private static readonly string[] s_checks = ["PRAGMA integrity_check(20)", "PRAGMA foreign_key_check"];

    /// <exception cref="VolumeException">The copy is not sound, or there is no room.</exception>
    internal static void Make(MetadataStore store, string path)
    {
        string full = Path.GetFullPath(path), unfinished = full + VolumePaths.UnfinishedSuffix;
        // Ahead of the copy, so that it is in it, and of the file, so that none is unknown.
        store.Connection.InTransaction(() => ShredTable.InsertBackup(store.Connection, full));
        MetadataStore.Remove(unfinished);
        _ = Interop.FileCalls.Close(VolumeFiles.CreateNew(unfinished));
        try
        {
            Copy(store.Connection, unfinished);
            Check(unfinished, full, store.Volume.Id.Span);
            VolumeFiles.Sync(unfinished);
            MetadataStore.RemoveSideFiles(full);
            VolumeFiles.Rename(unfinished, full);
            VolumeFiles.Sync(Path.GetDirectoryName(full)!);
        }
        catch
        {
            MetadataStore.Remove(unfinished);
            throw;
        }
    }

    /// <summary>A copy into an empty file; nothing else is left beside it.</summary>
    internal static void Copy(StoreConnection from, string path) => from.Guard(() =>
    {
        SqliteConnectionStringBuilder settings = new() { DataSource = path, Mode = SqliteOpenMode.ReadWrite, Pooling = false };
        using SqliteConnection target = new(settings.ConnectionString);
        target.Open();
        from.Sqlite.BackupDatabase(target);
        // The copy is marked as one with a log, like the store; a file that is to be carried about has none.
        using SqliteCommand command = target.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = DELETE";
        _ = command.ExecuteScalar();
    });

    /// <summary>What is wrong with the database itself; the first things of it.</summary>
    internal static List<string> FindDamage(StoreConnection store) => store.Guard(() =>
    {
        List<string> found = [];
        foreach (string pragma in s_checks)
        {
            using SqliteCommand command = store.Sqlite.CreateCommand();
            command.CommandText = pragma;
            using SqliteDataReader reader = command.ExecuteReader();
            while (reader.Read())
                if (reader.GetValue(0) is var value && !Equals(value, "ok"))
                    found.Add(pragma.EndsWith("foreign_key_check", StringComparison.Ordinal) ? $"a row of {value} refers to none" : $"{value}");
        }
        return found;
    });

    /// <param name="path">Of the copy; brought to this version's form.</param>
    /// <param name="name">What it is called to people.</param>
    /// <param name="volumeId">Whose store it must be.</param>
    internal static void Check(string path, string name, ReadOnlySpan<byte> volumeId)
    {
        try
        {
            using StoreCopy copy = StoreCopy.Open(path);
            if (FindDamage(copy.Store.Connection) is { Count: > 0 } damage)
                throw StoreErrors.Damaged(name, damage[0]);
            if (!copy.Store.Volume.Id.Span.SequenceEqual(volumeId))
                throw StoreErrors.Damaged(name, "it belongs to another volume.");
        }
        catch (VolumeException e) when (e.Message.Contains(path, StringComparison.Ordinal))
        {
            throw new VolumeException(e.Error, e.Message.Replace(path, name, StringComparison.Ordinal), e);
        }
    }
}
