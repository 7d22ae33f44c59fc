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

    internal UnlockedVolume(string root, MetadataStore store, SecretMemory volumeKey)
    {
        Root = root;
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

    /// <summary>Adds another way to unlock the volume. A passphrase's cost is measured if it is not given.</summary>
    public void AddSlot(KeySecret secret, string label, PassphraseCost? cost = null)
    {
        ArgumentNullException.ThrowIfNull(secret);
        PassphraseCost? needed = secret.Kind == SlotKind.Passphrase ? cost ?? PassphraseCost.Calibrate() : null;
        KeySlotRow row = SlotSealing.Seal(secret, needed, Store.Volume, _volumeKey.Bytes, label);
        Store.Connection.InTransaction(() => VolumeTables.Insert(Store.Connection, row));
    }

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
