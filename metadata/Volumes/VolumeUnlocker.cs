using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Store;

namespace Overlay.Metadata.Volumes;

/// <summary>Turns a volume and a secret into an <see cref="UnlockedVolume"/>.</summary>
public static class VolumeUnlocker
{
    /// <summary>Called with each volume that is unlocked in this process, before its caller has it: to record who did it. What it throws refuses the caller.</summary>
    internal static Action<UnlockedVolume>? Unlocked { get; set; }

    /// <summary>The key slots of a volume, for who may read its store: no secret is needed to see them.</summary>
    public static IReadOnlyList<KeySlotRow> ReadSlots(string root)
    {
        using MetadataStore store = OpenStore(root);
        return store.ReadKeySlots();
    }

    /// <summary>A volume's store, for what needs no key. The caller disposes of it.</summary>
    internal static MetadataStore OpenStore(string root)
    {
        VolumePaths paths = new(root);
        VolumeConfig config = VolumeConfig.Load(paths.Root);
        MetadataStore store = MetadataStore.Open(paths.Store(config));
        try
        {
            CheckVolume(store, config);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Tries the slots of the secret's kind. <see cref="VolumeError.WrongKey"/>: none of them is for this secret;
    /// <see cref="VolumeError.StoreDamaged"/>: one is, but something does not hold together.
    /// </summary>
    public static UnlockedVolume Unlock(string root, KeySecret secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        VolumePaths paths = new(root);
        UnlockedVolume volume = UnlockCopy(root, paths.Store(VolumeConfig.Load(paths.Root)), secret);
        try
        {
            Unlocked?.Invoke(volume);
            return volume;
        }
        catch
        {
            volume.Dispose();
            throw;
        }
    }

    /// <summary>The volume with a copy of its store in the store's place.</summary>
    internal static UnlockedVolume UnlockCopy(string root, string storePath, KeySecret secret)
    {
        VolumePaths paths = new(root);
        VolumeConfig config = VolumeConfig.Load(paths.Root);
        MetadataStore store = MetadataStore.Open(storePath);
        SecretMemory key = new(SlotSealing.KeySize), slotPrivateKey = new(SlotSealing.KeySize);
        try
        {
            CheckVolume(store, config);
            KeySlotRow slot = OpenAnySlot(store, secret, paths.Root, key.Bytes, slotPrivateKey.Bytes);
            UnlockedVolume volume = new(paths.Root, store, key, slotPrivateKey, slot.Id);
            if (slot.PublicKey.IsEmpty)
                TryAddPublicKey(store, slot, key.Bytes, slotPrivateKey.Bytes);
            return volume;
        }
        catch
        {
            key.Dispose();
            slotPrivateKey.Dispose();
            store.Dispose();
            throw;
        }
    }

    /// <summary>For a slot of an older Overlay, so that the volume key can be changed without its secret from now on.</summary>
    private static void TryAddPublicKey(MetadataStore store, KeySlotRow slot, ReadOnlySpan<byte> volumeKey, ReadOnlySpan<byte> slotPrivateKey)
    {
        byte[] publicKey = RecipientSeal.PublicKey(slotPrivateKey);
        byte[] seal = SlotSealing.RecipientSealOf(slot.Kind, slot.Salt.Span, publicKey, volumeKey, store.Volume.Id.Span);
        try
        {
            store.Connection.InTransaction(() => VolumeTables.InsertRecipient(store.Connection, slot with { PublicKey = publicKey, PublicKeySeal = seal }));
        }
        catch (VolumeException e) when (e.Error is VolumeError.Busy or VolumeError.DiskFull or VolumeError.StoreUnavailable)
        {
            // A store that cannot be written now can be read all the same; the next time will do.
        }
    }

    private static void CheckVolume(MetadataStore store, VolumeConfig config)
    {
        VolumeRow volume = store.Volume;
        if (!volume.Id.Span.SequenceEqual(config.VolumeId))
            throw StoreErrors.Damaged(store.Path, "it belongs to another volume.");
        if (volume.Format != VolumeConfig.Format || !Enum.IsDefined(volume.Suite))
            throw StoreErrors.Damaged(store.Path, "it describes an unknown kind of volume.");
    }

    private static KeySlotRow OpenAnySlot(MetadataStore store, KeySecret secret, string root, Span<byte> volumeKey, Span<byte> slotPrivateKey)
    {
        // All of them as they are at one moment: the volume key may be changed meanwhile.
        IReadOnlyList<KeySlotRow> all = [];
        IReadOnlyList<KeyVersionRow> versions = [];
        store.Connection.InSnapshot(() =>
        {
            store.Refresh();
            all = store.ReadKeySlots();
            versions = store.ReadKeyVersions();
        });
        List<KeySlotRow> slots = all.Where(slot => slot.Kind == secret.Kind && slot.KeyVersion == store.Volume.KeyVersion).ToList();
        string kind = SlotKinds.Name(secret.Kind);
        if (slots.Count == 0)
            throw new VolumeException(VolumeError.NoSuchSlot, $"The volume {root} cannot be unlocked by {kind}.");
        foreach (KeySlotRow slot in slots)
        {
            if (!SlotSealing.TryOpen(slot, secret, store.Volume.Id.Span, store.Path, volumeKey, slotPrivateKey))
                continue;
            CheckKey(store, versions, volumeKey);
            return slot;
        }
        throw new VolumeException(VolumeError.WrongKey, $"This is not the {kind} of the volume {root}.");
    }

    internal static void CheckKey(MetadataStore store, IReadOnlyList<KeyVersionRow> versions, ReadOnlySpan<byte> volumeKey)
    {
        KeyVersionRow? version = versions.FirstOrDefault(row => row.Version == store.Volume.KeyVersion);
        bool right = version is not null
            && Secret.Same(SlotSealing.CheckValue(volumeKey, store.Volume.Id.Span), version.CheckValue.Span);
        if (!right)
            throw StoreErrors.Damaged(store.Path, "its volume key is not the one it should be.");
    }
}
