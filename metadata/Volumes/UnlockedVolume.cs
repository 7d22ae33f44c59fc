using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Store;

namespace Overlay.Metadata.Volumes;

/// <summary>
/// A volume whose key is at hand: unwraps and makes the keys of its files. Owns the store and the volume key, which is
/// wiped on disposal. Not thread-safe.
/// </summary>
public sealed partial class UnlockedVolume : IDisposable
{
    private readonly SecretMemory _volumeKey;
    // Opens the slot again when the volume key was changed by another process.
    private readonly SecretMemory _slotPrivateKey;
    private FileKeyWrap _fileKeys;
    private string? _realRoot;

    internal UnlockedVolume(string root, MetadataStore store, SecretMemory volumeKey, SecretMemory slotPrivateKey, int openedSlot)
    {
        Root = root;
        OpenedSlot = openedSlot;
        Store = store;
        _volumeKey = volumeKey;
        _slotPrivateKey = slotPrivateKey;
        if (!VolumeFiles.TryStatus(root + "/.", out FileStatus status))
            throw new VolumeException(VolumeError.NotADirectory, $"{root} is gone.");
        Device = status.Device;
        Inode = status.Inode;
        _fileKeys = new FileKeyWrap(volumeKey.Bytes, VolumeId.Span);
    }

    public string Root { get; }

    /// <summary>Without symbolic links: what the kernel calls files in it by.</summary>
    internal string RealRoot => _realRoot ??= VolumeFiles.RealPath(Root);

    public MetadataStore Store { get; }

    public ReadOnlyMemory<byte> VolumeId => Store.Volume.Id;

    public CipherSuite Suite => Store.Volume.Suite;

    public bool Compress => Store.Volume.Compress;

    public int BlockSizeLog2 => Store.Volume.BlockSizeLog2;

    /// <summary>The root directory as the kernel knows it, whatever path a program reaches it by.</summary>
    internal ulong Device { get; }

    internal ulong Inode { get; }

    /// <summary>The key of a file. False: there is no such row.</summary>
    /// <exception cref="VolumeException">The row is damaged.</exception>
    public bool TryGetFileKey(ReadOnlySpan<byte> fileId, Span<byte> key32)
    {
        FileRow? row = Store.TryFindFile(fileId);
        if (row is null)
            return false;
        if (row.KeyVersion != Store.Volume.KeyVersion && !IsCurrent())
        {
            Follow();
            row = Store.TryFindFile(fileId);
            if (row is null)
                return false;
        }
        if (!TryUnwrap(row, key32))
            throw StoreErrors.Damaged(Store.Path, $"the key of file {Convert.ToHexStringLower(fileId)} does not unwrap.");
        return true;
    }

    /// <summary>False: the row is damaged, or of another version of the volume key.</summary>
    internal bool TryUnwrap(FileRow row, Span<byte> key32) => TryUnwrap(row.FileId.Span, row.KeyVersion, row.WrappedKey.Span, key32);

    internal bool TryUnwrap(ReadOnlySpan<byte> fileId, int keyVersion, ReadOnlySpan<byte> wrappedKey, Span<byte> key32) =>
        keyVersion == Store.Volume.KeyVersion && _fileKeys.TryUnwrap(fileId, keyVersion, wrappedKey, key32);

    /// <summary>The key slot that the secret opened.</summary>
    public int OpenedSlot { get; }

    /// <summary>Adds another way to unlock the volume. A passphrase's cost is measured if it is not given.</summary>
    /// <returns>The new slot.</returns>
    public KeySlotRow AddSlot(KeySecret secret, string label, PassphraseCost? cost = null)
    {
        return Insert(Seal(secret, label, cost));
    }

    /// <summary>Lets whoever has the X25519 private key unlock the volume.</summary>
    /// <exception cref="ErrnoException">This is nobody's public key.</exception>
    public KeySlotRow AddRecipient(byte[] publicKey, string label) => Insert(SlotSealing.SealTo(publicKey, Store.Volume, _volumeKey.Bytes, label));

    /// <summary>Takes a way to unlock the volume away; the last one stays.</summary>
    /// <param name="mayLeaveNoneUnattended">The last slot that needs no person may go, too.</param>
    /// <exception cref="VolumeException">There is no such slot, or no other.</exception>
    public void RemoveSlot(int id, bool mayLeaveNoneUnattended = false)
    {
        Store.Connection.InTransaction(() =>
        {
            IReadOnlyList<KeySlotRow> before = Store.ReadKeySlots();
            Delete(id);
            CheckWhatIsLeft(id, before, mayLeaveNoneUnattended);
        });
    }

    internal void CheckWhatIsLeft(int removed, IReadOnlyList<KeySlotRow> before, bool mayLeaveNoneUnattended)
    {
        IReadOnlyList<KeySlotRow> left = Store.ReadKeySlots();
        if (left.Count == 0)
            throw new VolumeException(VolumeError.LastSlot, $"Slot {removed} is the last one: without it nobody could unlock {Root} any more.");
        bool had = before.Any(slot => SlotKinds.IsUnattended(slot.Kind)), has = left.Any(slot => SlotKinds.IsUnattended(slot.Kind));
        if (had && !has && !mayLeaveNoneUnattended)
        {
            throw new VolumeException(VolumeError.LastUnattendedSlot,
                $"Slot {removed} is the last one that unlocks {Root} without a person (a key file or token): services could not start any more. --last-unattended does it all the same.");
        }
    }

    /// <summary>Puts a new secret in the place of an old one, in one step.</summary>
    /// <returns>The new slot, which has a number of its own.</returns>
    public KeySlotRow ReplaceSlot(int id, KeySecret secret, string label, PassphraseCost? cost = null, bool mayLeaveNoneUnattended = true)
    {
        KeySlotRow row = Seal(secret, label, cost);
        Store.Connection.InTransaction(() =>
        {
            CheckCurrent();
            IReadOnlyList<KeySlotRow> before = Store.ReadKeySlots();
            Delete(id);
            VolumeTables.Insert(Store.Connection, row);
            CheckWhatIsLeft(id, before, mayLeaveNoneUnattended);
        });
        return Newest();
    }

    /// <summary>After a slot was removed: no copy of it is left in the store's files. False: another process holds the store's log.</summary>
    public bool TryForgetRemoved() => Store.Connection.TryEmptyLog();

    private KeySlotRow Seal(KeySecret secret, string label, PassphraseCost? cost)
    {
        ArgumentNullException.ThrowIfNull(secret);
        PassphraseCost? needed = secret.Kind == SlotKind.Passphrase ? cost ?? PassphraseCost.Calibrate() : null;
        return SlotSealing.Seal(secret, needed, Store.Volume, _volumeKey.Bytes, label);
    }

    private KeySlotRow Insert(KeySlotRow row)
    {
        Store.Connection.InTransaction(() =>
        {
            CheckCurrent();
            VolumeTables.Insert(Store.Connection, row);
        });
        return Newest();
    }

    /// <summary>False: the volume key was changed since this volume was unlocked, or followed.</summary>
    internal bool IsCurrent() => Store.Connection.QueryNumber("SELECT key_version FROM volume") == Store.Volume.KeyVersion;

    internal void CheckCurrent()
    {
        if (!IsCurrent())
            throw new VolumeException(VolumeError.Busy, $"The volume key of {Root} was changed at this moment; nothing was done. Do it again.");
    }

    /// <summary>The volume key was changed by another process: ours comes from the slot that this volume was unlocked by.</summary>
    /// <exception cref="VolumeException">That slot is no more.</exception>
    internal void Follow()
    {
        VolumeRow before = Store.Volume;
        try
        {
            FollowTo();
        }
        catch
        {
            // Nothing may be wrapped under the old key in the new one's name.
            Store.Volume = before;
            throw;
        }
    }

    private void FollowTo()
    {
        using SecretMemory next = new(SlotSealing.KeySize);
        IReadOnlyList<KeySlotRow> slots = [];
        IReadOnlyList<KeyVersionRow> versions = [];
        Store.Connection.InSnapshot(() =>
        {
            Store.Refresh();
            slots = Store.ReadKeySlots();
            versions = Store.ReadKeyVersions();
        });
        byte[] publicKey = RecipientSeal.PublicKey(_slotPrivateKey.Bytes);
        KeySlotRow slot = slots.FirstOrDefault(row => Secret.Same(row.PublicKey.Span, publicKey)) ?? throw new VolumeException(VolumeError.WrongKey,
            $"The volume key of {Root} was changed, and the key slot that it was unlocked with (slot {OpenedSlot}) is gone: unlock it again, with a key that it still has.");
        if (!SlotSealing.TryOpenSealed(slot, _slotPrivateKey.Bytes, VolumeId.Span, next.Bytes))
            throw StoreErrors.Damaged(Store.Path, $"key slot {slot.Id} does not open with its own key.");
        VolumeUnlocker.CheckKey(Store, versions, next.Bytes);
        next.Bytes.CopyTo(_volumeKey.Bytes);
        _fileKeys.Dispose();
        _fileKeys = new FileKeyWrap(_volumeKey.Bytes, VolumeId.Span);
    }

    internal ReadOnlySpan<byte> VolumeKey => _volumeKey.Bytes;

    private void Delete(int id)
    {
        if (VolumeTables.DeleteSlot(Store.Connection, id) == 0)
            throw new VolumeException(VolumeError.NoSuchSlot, $"The volume {Root} has no key slot {id}.");
    }

    private KeySlotRow Newest() => Store.ReadKeySlots()[^1];

    /// <summary>Files have come that far, at least.</summary>
    public void RaiseSequences(IReadOnlyCollection<(byte[] FileId, ulong Sequence)> states, uint bootWord) =>
        Store.Connection.InTransaction(() =>
        {
            foreach ((byte[] fileId, ulong sequence) in states)
                Store.Files.RaiseSequence(fileId, sequence, bootWord);
        });

    /// <summary>Files that are there count as made at these paths.</summary>
    /// <returns>How many the store knows.</returns>
    internal int SetPaths(IReadOnlyCollection<(byte[] FileId, string Path)> files)
    {
        int known = 0;
        Store.Connection.InTransaction(() =>
        {
            foreach ((byte[] fileId, string path) in files)
                known += Store.Files.SetPath(fileId, path);
        });
        return known;
    }

    /// <summary>Wraps the key of a new file for its row.</summary>
    internal byte[] Wrap(ReadOnlySpan<byte> fileId, ReadOnlySpan<byte> key) =>
        _fileKeys.Wrap(fileId, Store.Volume.KeyVersion, key);

    public void Dispose()
    {
        _fileKeys.Dispose();
        _volumeKey.Dispose();
        _slotPrivateKey.Dispose();
        Store.Dispose();
    }
}
