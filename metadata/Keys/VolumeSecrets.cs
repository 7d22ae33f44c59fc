using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Text;
using Microsoft.Data.Sqlite;
using Overlay.Crypto;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Keys;

/// <summary>
/// Keys of a volume for other ends than its files, by name: wrapped = KeyWrap(volume key, "volume secret" | volume id | key version (4) | name).
/// They stay the same when the volume key is changed.
/// </summary>
internal static class VolumeSecrets
{
    internal const int Size = 32;

    /// <summary>The secret of this name into <paramref name="secret"/>. False: there is none.</summary>
    /// <param name="publicKey">What was said to go with it.</param>
    internal static bool TryRead(UnlockedVolume volume, string name, Span<byte> secret, out byte[] publicKey)
    {
        foreach ((string found, byte[] wrapped, byte[] known) in ReadAll(volume.Store.Connection))
        {
            if (found != name)
                continue;
            if (!KeyWrap.TryUnwrap(volume.VolumeKey, Context(volume, volume.Store.Volume.KeyVersion, name), wrapped, secret))
                throw StoreErrors.Damaged(volume.Store.Path, $"the volume's secret \"{name}\" does not unwrap.");
            publicKey = known;
            return true;
        }
        publicKey = [];
        return false;
    }

    /// <summary>Unless there is one of that name. In a transaction of the caller's.</summary>
    internal static void Insert(UnlockedVolume volume, string name, ReadOnlySpan<byte> secret, byte[] publicKey) =>
        Put(volume, "IGNORE", name, secret, publicKey);

    /// <summary>In the place of one of that name, if there is one. In a transaction of the caller's.</summary>
    internal static void Replace(UnlockedVolume volume, string name, ReadOnlySpan<byte> secret) => Put(volume, "REPLACE", name, secret, []);

    private static void Put(UnlockedVolume volume, string onConflict, string name, ReadOnlySpan<byte> secret, byte[] publicKey)
    {
        byte[] wrapped = new byte[secret.Length + KeyWrap.Overhead];
        KeyWrap.Wrap(volume.VolumeKey, Context(volume, volume.Store.Volume.KeyVersion, name), secret, wrapped);
        using SqliteCommand command = volume.Store.Connection.Prepare(
            $"INSERT OR {onConflict} INTO volume_secret VALUES ($name, $wrapped, $public, $created)", "$name", "$wrapped", "$public", "$created");
        Run(command, name, wrapped, publicKey, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
    }

    /// <summary>In the transaction that changes the volume key.</summary>
    internal static void Rewrap(StoreConnection store, UnlockedVolume volume, ReadOnlySpan<byte> nextKey, int nextVersion)
    {
        Span<byte> secret = stackalloc byte[Size];
        try
        {
            foreach ((string name, byte[] wrapped, _) in ReadAll(store))
            {
                if (!KeyWrap.TryUnwrap(volume.VolumeKey, Context(volume, volume.Store.Volume.KeyVersion, name), wrapped, secret))
                    throw StoreErrors.Damaged(store.Path, $"the volume's secret \"{name}\" does not unwrap.");
                KeyWrap.Wrap(nextKey, Context(volume, nextVersion, name), secret, wrapped);
                using SqliteCommand command = store.Prepare("UPDATE volume_secret SET wrapped = $wrapped WHERE name = $name", "$wrapped", "$name");
                Run(command, wrapped, name);
            }
        }
        finally
        {
            Secret.Wipe(secret);
        }
    }

    internal static List<(string Name, byte[] Wrapped, byte[] PublicKey)> ReadAll(StoreConnection store) => store.Guard(() =>
    {
        using SqliteCommand command = store.Prepare("SELECT name, wrapped, public_key FROM volume_secret ORDER BY name");
        using SqliteDataReader reader = command.ExecuteReader();
        List<(string, byte[], byte[])> rows = [];
        while (reader.Read())
            rows.Add((reader.GetString(0), reader.GetFieldValue<byte[]>(1), reader.GetFieldValue<byte[]>(2)));
        return rows;
    });

    private static byte[] Context(UnlockedVolume volume, int version, string name)
    {
        byte[] number = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(number, version);
        return [.. "volume secret"u8, .. volume.VolumeId.Span, .. number, .. Encoding.UTF8.GetBytes(name)];
    }

    private static void Run(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        for (int i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i];
        command.ExecuteNonQuery();
    }
}
