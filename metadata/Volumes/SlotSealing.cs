using System;
using System.Buffers.Binary;
using Overlay.Crypto;
using Overlay.Metadata.Store;

namespace Overlay.Metadata.Volumes;

/// <summary>
/// The arithmetic of key slots.
/// <code>
/// slot key (passphrase) = Argon2id(passphrase, salt, memory, iterations)
/// slot key (key file)   = HKDF-SHA-256(content, salt, "overlay key file v1"); of a token: content = what it decrypts the slot's data to
/// secret check          = HKDF-SHA-256(slot key, salt, "overlay slot check v1"), 16 bytes
/// wrapped volume key    = wrap(slot key, context = "volume key" | volume id | key version (4), volume key), 72 bytes; since the volume key
///                         was changed without the slot's secret, and always for a recipient:
///                         RecipientSeal(slot public key, the same context, volume key), 104 bytes
/// slot private key      = HKDF-SHA-256(slot key, salt, "overlay slot key pair v1"), an X25519 key; of a recipient its identity
/// recipient seal        = HKDF-SHA-256(volume key, volume id, "overlay slot recipient v1" | kind (4) | salt | slot public key), 32 bytes
/// check value           = HKDF-SHA-256(volume key, volume id, "overlay volume key check v1"), 16 bytes
/// </code>
/// The secret check tells a wrong key from a damaged slot; it is as hard to guess from as the wrapped key itself. The recipient seal is why
/// somebody who can write the store, but has no key, cannot have the next volume key sealed to a public key of his own.
/// </summary>
internal static class SlotSealing
{
    internal const int KeySize = 32, SaltSize = 16, CheckSize = 16;
    internal const int WrappedSize = KeySize + KeyWrap.Overhead, SealedSize = KeySize + RecipientSeal.Overhead;
    internal const int RecipientSealSize = 32;

    /// <param name="secret">Of any kind but a recipient: for that its public key is enough.</param>
    internal static KeySlotRow Seal(
        KeySecret secret, PassphraseCost? cost, VolumeRow volume, ReadOnlySpan<byte> volumeKey, string label)
    {
        if (secret.Kind == SlotKind.Recipient)
            return SealTo(RecipientSeal.PublicKey(secret.Bytes), volume, volumeKey, label);
        byte[] salt = new byte[SaltSize];
        NonceSource.Fill(salt);
        byte[] wrapped = new byte[WrappedSize];
        Span<byte> slotKey = stackalloc byte[KeySize], slotPrivateKey = stackalloc byte[KeySize];
        try
        {
            DeriveSlotKey(secret.Kind, secret.Bytes, salt, cost, slotKey);
            DerivePrivateKey(slotKey, salt, slotPrivateKey);
            KeyWrap.Wrap(slotKey, VolumeKeyContext(volume.Id.Span, volume.KeyVersion), volumeKey, wrapped);
            byte[] publicKey = RecipientSeal.PublicKey(slotPrivateKey);
            return new KeySlotRow(0, secret.Kind, volume.KeyVersion, salt, cost, SecretCheck(slotKey, salt), wrapped, DateTimeOffset.UtcNow, label)
            {
                PublicKey = publicKey, PublicKeySeal = RecipientSealOf(secret.Kind, salt, publicKey, volumeKey, volume.Id.Span),
                Token = secret.Token, TokenData = secret.TokenData,
            };
        }
        finally
        {
            Secret.Wipe(slotKey);
            Secret.Wipe(slotPrivateKey);
        }
    }

    /// <summary>A slot for whoever has the private key.</summary>
    internal static KeySlotRow SealTo(byte[] publicKey, VolumeRow volume, ReadOnlySpan<byte> volumeKey, string label)
    {
        byte[] salt = new byte[SaltSize];
        NonceSource.Fill(salt);
        byte[] wrapped = RecipientSeal.Seal(publicKey, VolumeKeyContext(volume.Id.Span, volume.KeyVersion), volumeKey);
        // Nobody who only has the public key can make a check of the secret; the public key itself serves for one.
        return new KeySlotRow(0, SlotKind.Recipient, volume.KeyVersion, salt, null, new byte[CheckSize], wrapped, DateTimeOffset.UtcNow, label)
        {
            PublicKey = publicKey, PublicKeySeal = RecipientSealOf(SlotKind.Recipient, salt, publicKey, volumeKey, volume.Id.Span),
        };
    }

    /// <summary>The same slot for another volume key, without its secret.</summary>
    /// <exception cref="VolumeException">The slot's public key is missing, or was not written by who had the volume key.</exception>
    internal static KeySlotRow Reseal(
        KeySlotRow slot, ReadOnlySpan<byte> volumeKey, ReadOnlySpan<byte> nextKey, int nextVersion, ReadOnlySpan<byte> volumeId, string storePath)
    {
        if (slot.PublicKey.IsEmpty)
        {
            throw new VolumeException(VolumeError.SlotNotReady,
                $"Key slot {slot.Id} was made by an older Overlay and has not been used since: unlock the volume with it once (for example with 'overlay-ctl store verify'), or drop it.");
        }
        byte[] expected = RecipientSealOf(slot.Kind, slot.Salt.Span, slot.PublicKey.Span, volumeKey, volumeId);
        if (!Secret.Same(expected, slot.PublicKeySeal.Span))
            throw StoreErrors.Damaged(storePath, $"the public key of key slot {slot.Id} is not the one it was made with; somebody may have put another in its place.");
        return slot with
        {
            KeyVersion = nextVersion,
            WrappedKey = RecipientSeal.Seal(slot.PublicKey.Span, VolumeKeyContext(volumeId, nextVersion), nextKey),
            PublicKeySeal = RecipientSealOf(slot.Kind, slot.Salt.Span, slot.PublicKey.Span, nextKey, volumeId),
        };
    }

    internal static byte[] RecipientSealOf(
        SlotKind kind, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> volumeKey, ReadOnlySpan<byte> volumeId)
    {
        ReadOnlySpan<byte> purpose = "overlay slot recipient v1"u8;
        byte[] info = new byte[purpose.Length + sizeof(int) + salt.Length + publicKey.Length];
        purpose.CopyTo(info);
        BinaryPrimitives.WriteInt32LittleEndian(info.AsSpan(purpose.Length), (int)kind);
        salt.CopyTo(info.AsSpan(purpose.Length + sizeof(int)));
        publicKey.CopyTo(info.AsSpan(purpose.Length + sizeof(int) + salt.Length));
        byte[] seal = new byte[RecipientSealSize];
        Hkdf.DeriveSha256(volumeKey, volumeId, info, seal);
        return seal;
    }

    /// <summary>Tries one slot. False: it is not for this secret.</summary>
    /// <param name="slotPrivateKey">Receives what opens the slot again after the volume key was changed.</param>
    /// <exception cref="VolumeException">It is for this secret, but damaged.</exception>
    internal static bool TryOpen(
        KeySlotRow slot, KeySecret secret, ReadOnlySpan<byte> volumeId, string storePath, Span<byte> volumeKey, Span<byte> slotPrivateKey)
    {
        CheckSound(slot, storePath);
        Span<byte> slotKey = stackalloc byte[KeySize];
        try
        {
            if (slot.Kind == SlotKind.Recipient)
            {
                if (!Secret.Same(RecipientSeal.PublicKey(secret.Bytes), slot.PublicKey.Span))
                    return false;
                secret.Bytes.CopyTo(slotPrivateKey);
            }
            else
            {
                if (!TryDeriveSlotKey(slot, secret, slotKey))
                    return false;
                if (!Secret.Same(SecretCheck(slotKey, slot.Salt.Span), slot.SecretCheck.Span))
                    return false;
                DerivePrivateKey(slotKey, slot.Salt.Span, slotPrivateKey);
            }
            bool opens = slot.WrappedKey.Length == WrappedSize
                ? KeyWrap.TryUnwrap(slotKey, VolumeKeyContext(volumeId, slot.KeyVersion), slot.WrappedKey.Span, volumeKey)
                : TryOpenSealed(slot, slotPrivateKey, volumeId, volumeKey);
            return opens ? true : throw StoreErrors.Damaged(storePath, $"key slot {slot.Id} does not open with its own key.");
        }
        finally
        {
            Secret.Wipe(slotKey);
        }
    }

    /// <summary>Opens a slot that was resealed.</summary>
    internal static bool TryOpenSealed(KeySlotRow slot, ReadOnlySpan<byte> slotPrivateKey, ReadOnlySpan<byte> volumeId, Span<byte> volumeKey) =>
        RecipientSeal.TryOpen(slotPrivateKey, VolumeKeyContext(volumeId, slot.KeyVersion), slot.WrappedKey.Span, volumeKey);

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
            && (slot.WrappedKey.Length == SealedSize || (slot.WrappedKey.Length == WrappedSize && slot.Kind != SlotKind.Recipient));
        if (!costFits || !sizesFit)
            throw StoreErrors.Damaged(storePath, $"key slot {slot.Id} is unsound.");
    }

    private static bool TryDeriveSlotKey(KeySlotRow slot, KeySecret secret, Span<byte> slotKey)
    {
        if (slot.Kind != SlotKind.Token)
        {
            DeriveSlotKey(slot.Kind, secret.Bytes, slot.Salt.Span, slot.Cost, slotKey);
            return true;
        }
        byte[]? opened = secret.TryOpenToken(slot.TokenData);
        if (opened is null)
            return false;
        DeriveSlotKey(slot.Kind, opened, slot.Salt.Span, null, slotKey);
        Secret.Wipe(opened);
        return true;
    }

    private static void DeriveSlotKey(SlotKind kind, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> salt, PassphraseCost? cost, Span<byte> slotKey)
    {
        if (kind is SlotKind.KeyFile or SlotKind.Token)
            Hkdf.DeriveSha256(secret, salt, "overlay key file v1"u8, slotKey);
        else
            PassphraseKdf.Derive(secret, salt, cost!.MemoryKiB, cost.Iterations, slotKey);
    }

    private static void DerivePrivateKey(ReadOnlySpan<byte> slotKey, ReadOnlySpan<byte> salt, Span<byte> slotPrivateKey) =>
        Hkdf.DeriveSha256(slotKey, salt, "overlay slot key pair v1"u8, slotPrivateKey);

    private static byte[] SecretCheck(ReadOnlySpan<byte> slotKey, ReadOnlySpan<byte> salt)
    {
        byte[] check = new byte[CheckSize];
        Hkdf.DeriveSha256(slotKey, salt, "overlay slot check v1"u8, check);
        return check;
    }
}
