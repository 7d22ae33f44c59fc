using System;
using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;

namespace Overlay.Metadata.Volumes;

/// <summary>Keys of files in place of others (docs/keys.md, Rekeying): the store's part. Invariants:
/// <list type="number">
/// <item>While a file's header may name a key, the store has it: the next one is durable before any file says so, and the present one goes
/// after the file, durably, says that it is not needed.</item>
/// <item>There is one next key at a time, whoever asks for it, and it stays until it is the present one.</item>
/// </list></summary>
public sealed partial class UnlockedVolume
{
    /// <summary>The same volume once more, for another thread; the caller's to dispose of.</summary>
    internal UnlockedVolume OpenAgain()
    {
        SecretMemory volumeKey = new(SlotSealing.KeySize), slotPrivateKey = new(SlotSealing.KeySize);
        MetadataStore? store = null;
        try
        {
            _volumeKey.Bytes.CopyTo(volumeKey.Bytes);
            _slotPrivateKey.Bytes.CopyTo(slotPrivateKey.Bytes);
            store = MetadataStore.Open(Store.Path);
            // The key that was copied is that of the state which is known here: what another process changed is followed from there.
            store.Volume = Store.Volume;
            return new UnlockedVolume(Root, store, volumeKey, slotPrivateKey, OpenedSlot);
        }
        catch
        {
            store?.Dispose();
            volumeKey.Dispose();
            slotPrivateKey.Dispose();
            throw;
        }
    }

    /// <summary>All keys that a file has: one, or two while it is given another.</summary>
    /// <param name="keys">Room for two; the present one comes first.</param>
    /// <returns>0: there is no such row.</returns>
    public int GetFileKeys(ReadOnlySpan<byte> fileId, Span<byte> keys)
    {
        byte[] id = fileId.ToArray();
        List<(byte[] Wrapped, int Version)> found;
        while ((found = NextKeyTable.ReadKeys(Store.Connection, id)).Exists(key => key.Version != Store.Volume.KeyVersion) && !IsCurrent())
            Follow();
        for (int i = 0; i < found.Count; i++)
        {
            Span<byte> key = keys.Slice(i * DataKey.KeySize, DataKey.KeySize);
            if (found[i].Version != Store.Volume.KeyVersion || !_fileKeys.TryUnwrap(id, found[i].Version, found[i].Wrapped, key))
                throw StoreErrors.Damaged(Store.Path, $"a key of file {Convert.ToHexStringLower(id)} does not unwrap.");
        }
        return found.Count;
    }

    /// <summary>Makes the next key of a file durable, unless there is one: of a rekeying that was killed, or runs.</summary>
    /// <returns>False: there is no such row, so no key that could be replaced.</returns>
    internal bool TryMakeNextKey(byte[] fileId, string path, Span<byte> key32)
    {
        Span<byte> keys = stackalloc byte[2 * DataKey.KeySize];
        try
        {
            for (; ; )
            {
                int count = GetFileKeys(fileId, keys);
                if (count == 2)
                    keys[DataKey.KeySize..].CopyTo(key32);
                if (count != 1)
                    return count == 2;
                NonceSource.Fill(keys[..DataKey.KeySize]);
                TryInsertNext(fileId, Wrap(fileId, keys[..DataKey.KeySize]), Store.Volume.KeyVersion, path);
            }
        }
        finally
        {
            Secret.Wipe(keys);
        }
    }

    /// <summary>Nothing is done where the volume key was changed, or somebody was faster: it is looked at again.</summary>
    private void TryInsertNext(byte[] fileId, byte[] wrapped, int version, string path) => Store.Connection.InTransaction(() =>
    {
        if (IsCurrent() && NextKeyTable.ReadKeys(Store.Connection, fileId).Count == 1)
            NextKeyTable.Insert(Store.Connection, fileId, wrapped, version, path);
    });

    /// <summary>After the file says, durably, that it needs no other: destroys its old key.</summary>
    /// <param name="keyCheck">Of the key that the file has come to (format §4).</param>
    /// <returns>False: that is not the next key. Another process was faster, or the keys were destroyed.</returns>
    internal bool TryPromote(byte[] fileId, CipherSuite suite, ReadOnlySpan<byte> keyCheck)
    {
        byte[] wanted = keyCheck.ToArray();
        bool? isDone = null;
        while (isDone is null)
        {
            if (!IsCurrent())
                Follow();
            // Nothing is done where the volume key was changed at this moment: then once more.
            Store.Connection.InTransaction(() => isDone = IsCurrent() ? PromoteIfNext(fileId, suite, wanted) : null);
        }
        return isDone.Value;
    }

    private bool PromoteIfNext(byte[] fileId, CipherSuite suite, byte[] keyCheck)
    {
        bool isNext = IsNext(fileId, suite, keyCheck);
        if (isNext)
            NextKeyTable.Promote(Store.Connection, fileId);
        return isNext;
    }

    private bool IsNext(byte[] fileId, CipherSuite suite, byte[] keyCheck)
    {
        Span<byte> keys = stackalloc byte[2 * DataKey.KeySize];
        try
        {
            if (GetFileKeys(fileId, keys) != 2)
                return false;
            using DataKey next = DataKey.Import(suite, keys[DataKey.KeySize..]);
            return Secret.Same(next.KeyCheck, keyCheck);
        }
        finally
        {
            Secret.Wipe(keys);
        }
    }
}
