using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Microsoft.Data.Sqlite;
using Overlay.Crypto;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Policy;

/// <summary>
/// The policies of a volume: every version there was, each signed with the volume's signing key, and which of them is the newest, wrapped under the volume key.
/// <code>
/// signature = Ed25519("overlay policy v1" | volume id (16) | version (8) | created (8) | length of author (4) | author | text)
/// head      = version (8) | first 24 bytes of HMAC-SHA-256("overlay policy head", version (8) | signature): the volume's secret "policy"
/// </code>
/// </summary>
public static class PolicyStore
{
    internal const string HeadName = "policy";

    private const int HeadSize = VolumeSecrets.Size;

    /// <summary>The newest. Null: there never was one.</summary>
    /// <exception cref="VolumeException">Somebody without the key changed it, or took it away.</exception>
    public static StoredPolicy? ReadNewest(UnlockedVolume volume)
    {
        ArgumentNullException.ThrowIfNull(volume);
        if (!volume.IsCurrent())
            volume.Follow();
        StoredPolicy? newest = null;
        byte[]? head = null;
        volume.Store.Connection.InSnapshot(() =>
        {
            newest = ReadAll(volume.Store.Connection).LastOrDefault();
            head = ReadHead(volume);
        });
        if (newest is null && head is null)
            return null;
        if (newest is null || head is null || !Secret.Same(HeadOf(newest), head))
            throw Tampered(volume);
        using SigningKey key = VolumeSigning.Open(volume);
        return IsSigned(newest, volume.VolumeId.Span, key.PublicKey) ? newest : throw Tampered(volume);
    }

    /// <summary>Puts a new version in the place of the newest, whatever state that is in.</summary>
    public static StoredPolicy Set(UnlockedVolume volume, string text, string author)
    {
        ArgumentNullException.ThrowIfNull(volume);
        using SigningKey key = VolumeSigning.Open(volume);
        StoreConnection store = volume.Store.Connection;
        StoredPolicy? set = null;
        store.InTransaction(() =>
        {
            volume.CheckCurrent();
            long before = Math.Max(ReadHead(volume) is byte[] head ? BinaryPrimitives.ReadInt64LittleEndian(head) : 0, store.QueryNumber("SELECT coalesce(max(version), 0) FROM policy"));
            StoredPolicy unsigned = new(before + 1, DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds()), author, text, default);
            set = unsigned with { Signature = key.Sign(Message(unsigned, volume.VolumeId.Span)) };
            Insert(store, set);
            VolumeSecrets.Replace(volume, HeadName, HeadOf(set));
        });
        return set!;
    }

    /// <summary>All versions, the oldest first; nothing is checked.</summary>
    public static IReadOnlyList<StoredPolicy> ReadAll(MetadataStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        return ReadAll(store.Connection);
    }

    /// <summary>With the signing key as the store says it: as trustworthy as whoever can write the store. Null: nothing was ever signed.</summary>
    public static byte[]? ReadPublicKey(MetadataStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        return VolumeSigning.TryReadPublicKey(store.Connection);
    }

    public static bool IsSigned(StoredPolicy policy, ReadOnlySpan<byte> volumeId, ReadOnlySpan<byte> publicKey)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return SigningKey.Verify(publicKey, Message(policy, volumeId), policy.Signature.Span);
    }

    /// <summary>The store's policy in force, or why it cannot be.</summary>
    internal static PolicyDocument Parse(StoredPolicy policy, IAccounts accounts, string root)
    {
        if (PolicyParser.TryParse(policy.Text, accounts, out IReadOnlyList<PolicyError> errors) is PolicyDocument document)
            return document;
        throw new VolumeException(VolumeError.StoreUnavailable,
            $"The policy of {root} (version {policy.Version}) cannot be kept, and no keys are given: line {errors[0].Line}: {errors[0].Message}. 'overlay-ctl policy set' gives it another one.");
    }

    private static List<StoredPolicy> ReadAll(StoreConnection store)
    {
        try
        {
            return store.Guard(() =>
            {
                using SqliteCommand command = store.Prepare("SELECT version, created, author, text, signature FROM policy ORDER BY version");
                using SqliteDataReader reader = command.ExecuteReader();
                List<StoredPolicy> rows = [];
                while (reader.Read())
                    rows.Add(new StoredPolicy(reader.GetInt64(0), DateTimeOffset.FromUnixTimeSeconds(reader.GetInt64(1)), reader.GetString(2), reader.GetString(3), reader.GetFieldValue<byte[]>(4)));
                return rows;
            });
        }
        catch (Exception e) when (StoreErrors.IsUnsoundValue(e))
        {
            throw StoreErrors.Damaged(store.Path, e.Message);
        }
    }

    private static byte[]? ReadHead(UnlockedVolume volume)
    {
        byte[] head = new byte[HeadSize];
        return VolumeSecrets.TryRead(volume, HeadName, head, out _) ? head : null;
    }

    private static void Insert(StoreConnection store, StoredPolicy policy)
    {
        using SqliteCommand command = store.Prepare("INSERT INTO policy VALUES ($version, $created, $author, $text, $signature)",
            "$version", "$created", "$author", "$text", "$signature");
        object[] values = [policy.Version, policy.Created.ToUnixTimeSeconds(), policy.Author, policy.Text, policy.Signature.ToArray()];
        for (int i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i];
        command.ExecuteNonQuery();
    }

    private static byte[] HeadOf(StoredPolicy policy)
    {
        byte[] version = BytesOf(policy.Version), mac = new byte[MessageMac.Size];
        MessageMac.HmacSha256("overlay policy head"u8, [.. version, .. policy.Signature.Span], mac);
        return [.. version, .. mac.AsSpan(0, HeadSize - version.Length)];
    }

    private static byte[] Message(StoredPolicy policy, ReadOnlySpan<byte> volumeId)
    {
        byte[] author = Encoding.UTF8.GetBytes(policy.Author);
        return [.. "overlay policy v1"u8, .. volumeId, .. BytesOf(policy.Version), .. BytesOf(policy.Created.ToUnixTimeSeconds()),
            .. BytesOf(author.Length).AsSpan(0, sizeof(int)), .. author, .. Encoding.UTF8.GetBytes(policy.Text)];
    }

    private static byte[] BytesOf(long value)
    {
        byte[] bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes;
    }

    private static VolumeException Tampered(UnlockedVolume volume) => new(VolumeError.StoreDamaged,
        $"The policy of {volume.Root} was changed, or taken away, by somebody without the volume's key: no keys are given while that is so. Look with 'overlay-ctl policy show'; 'overlay-ctl policy set' gives it one again.");
}
