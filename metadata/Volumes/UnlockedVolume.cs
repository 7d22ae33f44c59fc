using System;
using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Store;

namespace Overlay.Metadata.Volumes;

/// <summary>
/// A volume whose key is at hand: unwraps and makes the keys of its files. Owns the store and the volume key, which is
/// wiped on disposal. Not thread-safe.
/// </summary>
public sealed class UnlockedVolume : IDisposable
{
    private readonly SecretMemory _volumeKey;
    private readonly FileKeyWrap _fileKeys;

    internal UnlockedVolume(string root, MetadataStore store, SecretMemory volumeKey, int openedSlot)
    {
        Root = root;
        OpenedSlot = openedSlot;
        Store = store;
        _volumeKey = volumeKey;
        if (!VolumeFiles.TryStatus(root + "/.", out FileStatus status))
            throw new VolumeException(VolumeError.NotADirectory, $"{root} is gone.");
        Device = status.Device;
        Inode = status.Inode;
        _fileKeys = new FileKeyWrap(volumeKey.Bytes, VolumeId.Span);
    }

    public string Root { get; }

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
        if (!TryUnwrap(row, key32))
            throw StoreErrors.Damaged(Store.Path, $"the key of file {Convert.ToHexStringLower(fileId)} does not unwrap.");
        return true;
    }

    /// <summary>False: the row is damaged.</summary>
    internal bool TryUnwrap(FileRow row, Span<byte> key32) =>
        row.KeyVersion == Store.Volume.KeyVersion && _fileKeys.TryUnwrap(row.FileId.Span, row.KeyVersion, row.WrappedKey.Span, key32);

    /// <summary>Files that exist and got their rows at about the same time as that one, which is not among them; at most so many.</summary>
    internal IReadOnlyList<FileRow> ReadNeighbours(ReadOnlySpan<byte> fileId, int most) =>
        most > 0 ? Store.Files.ReadNeighbours(fileId.ToArray(), most) : [];

    /// <summary>The key slot that the secret opened.</summary>
    public int OpenedSlot { get; }

    /// <summary>Adds another way to unlock the volume. A passphrase's cost is measured if it is not given.</summary>
    /// <returns>The new slot.</returns>
    public KeySlotRow AddSlot(KeySecret secret, string label, PassphraseCost? cost = null)
    {
        KeySlotRow row = Seal(secret, label, cost);
        Store.Connection.InTransaction(() => VolumeTables.Insert(Store.Connection, row));
        return Newest();
    }

    /// <summary>Takes a way to unlock the volume away; the last one stays.</summary>
    /// <exception cref="VolumeException">There is no such slot, or no other.</exception>
    public void RemoveSlot(int id)
    {
        Store.Connection.InTransaction(() =>
        {
            Delete(id);
            if (Store.ReadKeySlots().Count == 0)
                throw new VolumeException(VolumeError.LastSlot, $"Slot {id} is the last one: without it nobody could unlock {Root} any more.");
        });
    }

    /// <summary>Puts a new secret in the place of an old one, in one step.</summary>
    /// <returns>The new slot, which has a number of its own.</returns>
    public KeySlotRow ReplaceSlot(int id, KeySecret secret, string label, PassphraseCost? cost = null)
    {
        KeySlotRow row = Seal(secret, label, cost);
        Store.Connection.InTransaction(() =>
        {
            Delete(id);
            VolumeTables.Insert(Store.Connection, row);
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

    /// <summary>Wraps the key of a new file for its row.</summary>
    internal byte[] Wrap(ReadOnlySpan<byte> fileId, ReadOnlySpan<byte> key) =>
        _fileKeys.Wrap(fileId, Store.Volume.KeyVersion, key);

    public void Dispose()
    {
        _fileKeys.Dispose();
        _volumeKey.Dispose();
        Store.Dispose();
    }
}
