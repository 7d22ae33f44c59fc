using System;
using System.Buffers.Binary;
using Overlay.Crypto;
using Overlay.Metadata.Store;

namespace Overlay.Metadata.Volumes;

/// <summary>
/// The arithmetic of key slots.
/// <code>
/// slot key (passphrase) = Argon2id(passphrase, salt, memory, iterations)
/// slot key (key file)   = HKDF-SHA-256(content, salt, "overlay key file v1")
/// secret check          = HKDF-SHA-256(slot key, salt, "overlay slot check v1"), 16 bytes
/// wrapped volume key    = wrap(slot key, context = "volume key" | volume id | key version (4), volume key)
/// check value           = HKDF-SHA-256(volume key, volume id, "overlay volume key check v1"), 16 bytes
/// </code>
/// The secret check tells a wrong key from a damaged slot; it is as hard to guess from as the wrapped key itself.
/// </summary>
internal static class SlotSealing
{
    internal const int KeySize = 32, SaltSize = 16, CheckSize = 16;
    internal const int WrappedSize = KeySize + KeyWrap.Overhead;

    internal static KeySlotRow Seal(
        KeySecret secret, PassphraseCost? cost, VolumeRow volume, ReadOnlySpan<byte> volumeKey, string label)
    {
        byte[] salt = new byte[SaltSize];
        NonceSource.Fill(salt);
        byte[] wrapped = new byte[WrappedSize];
        byte[] check;
        Span<byte> slotKey = stackalloc byte[KeySize];
        try
        {
            DeriveSlotKey(secret, salt, cost, slotKey);
            check = SecretCheck(slotKey, salt);
            KeyWrap.Wrap(slotKey, VolumeKeyContext(volume.Id.Span, volume.KeyVersion), volumeKey, wrapped);
        }
        finally
        {
            Secret.Wipe(slotKey);
        }
        return new KeySlotRow(0, secret.Kind, volume.KeyVersion, salt, cost, check, wrapped, DateTimeOffset.UtcNow, label);
    }

    /// <summary>Tries one slot. False: it is not for this secret.</summary>
    /// <exception cref="VolumeException">It is for this secret, but damaged.</exception>
    internal static bool TryOpen(
        KeySlotRow slot, KeySecret secret, ReadOnlySpan<byte> volumeId, string storePath, Span<byte> volumeKey)
    {
        CheckSound(slot, storePath);
        Span<byte> slotKey = stackalloc byte[KeySize];
        try
        {
            DeriveSlotKey(secret, slot.Salt.Span, slot.Cost, slotKey);
            if (!Secret.Same(SecretCheck(slotKey, slot.Salt.Span), slot.SecretCheck.Span))
                return false;
            if (!KeyWrap.TryUnwrap(slotKey, VolumeKeyContext(volumeId, slot.KeyVersion), slot.WrappedKey.Span, volumeKey))
                throw StoreErrors.Damaged(storePath, $"key slot {slot.Id} does not open with its own key.");
            return true;
        }
        finally
        {
            Secret.Wipe(slotKey);
        }
    }

    internal static byte[] CheckValue(ReadOnlySpan<byte> volumeKey, ReadOnlySpan<byte> volumeId)
    {
        byte[] check = new byte[CheckSize];
        Hkdf.DeriveSha256(volumeKey, volumeId, "overlay volume key check v1"u8, check);
        return check;
    }

    private static byte[] VolumeKeyContext(ReadOnlySpan<byte> volumeId, int keyVersion)
    {
        ReadOnlySpan<byte> purpose = "volume key"u8;
        byte[] context = new byte[purpose.Length + volumeId.Length + sizeof(int)];
        purpose.CopyTo(context);
        volumeId.CopyTo(context.AsSpan(purpose.Length));
        BinaryPrimitives.WriteInt32LittleEndian(context.AsSpan(purpose.Length + volumeId.Length), keyVersion);
        return context;
    }

    private static void CheckSound(KeySlotRow slot, string storePath)
    {
        bool costFits = slot.Kind == SlotKind.Passphrase ? slot.Cost is { IsInRange: true } : slot.Cost is null;
        bool sizesFit = slot.Salt.Length == SaltSize && slot.SecretCheck.Length == CheckSize
            && slot.WrappedKey.Length == WrappedSize;
        if (!costFits || !sizesFit)
            throw StoreErrors.Damaged(storePath, $"key slot {slot.Id} is unsound.");
    }

    private static void DeriveSlotKey(KeySecret secret, ReadOnlySpan<byte> salt, PassphraseCost? cost, Span<byte> slotKey)
    {
        if (secret.Kind == SlotKind.KeyFile)
            Hkdf.DeriveSha256(secret.Bytes, salt, "overlay key file v1"u8, slotKey);
        else
            PassphraseKdf.Derive(secret.Bytes, salt, cost!.MemoryKiB, cost.Iterations, slotKey);
    }

    private static byte[] SecretCheck(ReadOnlySpan<byte> slotKey, ReadOnlySpan<byte> salt)
    {
        byte[] check = new byte[CheckSize];
        Hkdf.DeriveSha256(slotKey, salt, "overlay slot check v1"u8, check);
        return check;
    }
}
