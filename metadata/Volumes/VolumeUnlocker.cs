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
    /// <summary>The key slots of a volume, for who may read its store: no secret is needed to see them.</summary>
    public static IReadOnlyList<KeySlotRow> ReadSlots(string root)
    {
        VolumePaths paths = new(root);
        VolumeConfig config = VolumeConfig.Load(paths.Root);
        using MetadataStore store = MetadataStore.Open(paths.Store(config));
        CheckVolume(store, config);
        return store.ReadKeySlots();
    }

    /// <summary>
    /// Tries the slots of the secret's kind. <see cref="VolumeError.WrongKey"/>: none of them is for this secret;
    /// <see cref="VolumeError.StoreDamaged"/>: one is, but something does not hold together.
    /// </summary>
    public static UnlockedVolume Unlock(string root, KeySecret secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        VolumePaths paths = new(root);
        VolumeConfig config = VolumeConfig.Load(paths.Root);
        MetadataStore store = MetadataStore.Open(paths.Store(config));
        SecretMemory key = new(SlotSealing.KeySize);
        try
        {
            CheckVolume(store, config);
            int slot = OpenAnySlot(store, secret, paths.Root, key.Bytes);
            CheckKey(store, key.Bytes);
            return new UnlockedVolume(paths.Root, store, key, slot);
        }
        catch
        {
            key.Dispose();
            store.Dispose();
            throw;
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

    /// <returns>The slot's number.</returns>
    private static int OpenAnySlot(MetadataStore store, KeySecret secret, string root, Span<byte> volumeKey)
    {
        List<KeySlotRow> slots = store.ReadKeySlots().Where(
            slot => slot.Kind == secret.Kind && slot.KeyVersion == store.Volume.KeyVersion).ToList();
        string kind = secret.Kind == SlotKind.KeyFile ? "key file" : "passphrase";
        if (slots.Count == 0)
            throw new VolumeException(VolumeError.NoSuchSlot, $"The volume {root} cannot be unlocked by {kind}.");
        foreach (KeySlotRow slot in slots)
        {
            if (SlotSealing.TryOpen(slot, secret, store.Volume.Id.Span, store.Path, volumeKey))
                return slot.Id;
        }
        throw new VolumeException(VolumeError.WrongKey, $"This is not the {kind} of the volume {root}.");
    }

    private static void CheckKey(MetadataStore store, ReadOnlySpan<byte> volumeKey)
    {
        KeyVersionRow? version = store.ReadKeyVersions().FirstOrDefault(row => row.Version == store.Volume.KeyVersion);
        bool right = version is not null
            && Secret.Same(SlotSealing.CheckValue(volumeKey, store.Volume.Id.Span), version.CheckValue.Span);
        if (!right)
            throw StoreErrors.Damaged(store.Path, "its volume key is not the one it should be.");
    }
}
