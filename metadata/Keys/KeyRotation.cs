using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Overlay.Crypto;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Keys;

/// <summary>
/// Changes the volume key: a new one, to which every slot, every file key and every other secret of the store is brought in one transaction. Invariants:
/// <list type="number">
/// <item>Until the commit the store is the old one, from then on the new one, whoever is killed.</item>
/// <item>Nothing that the old volume key opens leads to the new one: slots get it by their public keys.</item>
/// <item>Nobody wraps under the old key behind the commit: <see cref="UnlockedVolume.IsCurrent"/> is asked under the write lock.</item>
/// </list>
/// Nearly all rewrapping is done ahead of the transaction, so that agents are kept waiting only while rows are written.
/// </summary>
public sealed class KeyRotation : IDisposable
{
    private const int BatchSize = 16_384;

    // What is rewrapped ahead lies in memory, some 300 bytes a row.
    private const int MostAhead = 2 * 1024 * 1024;

    // Pages of the store that are changed stay in memory rather than in the log, twice.
    private const int CacheKiB = 256 * 1024;

    private readonly UnlockedVolume _volume;
    private readonly IReadOnlyCollection<int> _dropped;
    private readonly SecretMemory _nextKey = new(SlotSealing.KeySize);
    private readonly FileKeyWrap _from, _to;
    private readonly int _fromVersion, _toVersion;
    private long _done;

    /// <param name="volume">Unlocked with a slot that stays.</param>
    /// <param name="dropped">Slots that do not get the new key.</param>
    public KeyRotation(UnlockedVolume volume, IReadOnlyCollection<int> dropped)
    {
        ArgumentNullException.ThrowIfNull(volume);
        ArgumentNullException.ThrowIfNull(dropped);
        _volume = volume;
        _dropped = dropped;
        NonceSource.Fill(_nextKey.Bytes);
        _from = new FileKeyWrap(volume.VolumeKey, volume.VolumeId.Span);
        _to = new FileKeyWrap(_nextKey.Bytes, volume.VolumeId.Span);
        _fromVersion = volume.Store.Volume.KeyVersion;
        _toVersion = _fromVersion + 1;
        Total = volume.Store.Connection.QueryNumber("SELECT count(*) FROM file");
    }

    /// <summary>Rows of files when it began.</summary>
    public long Total { get; }

    /// <summary>Half of them are rewrapped and half written, when this is half of the total.</summary>
    public long Done => Interlocked.Read(ref _done) / 2;

    /// <summary>Keys that do not unwrap: their files were lost before, and stay it.</summary>
    public long Damaged { get; private set; }

    /// <summary>The version of the new volume key.</summary>
    public int Version => _toVersion;

    /// <summary>What stands in the way, if anything does. Changes nothing.</summary>
    /// <exception cref="VolumeException">A slot cannot be carried over, or none would be left.</exception>
    public void Check() => _ = ResealSlots();

    /// <summary>Does it. The volume goes on with the new key.</summary>
    /// <returns>False: it is done, but another process reads the log of the store, where old wrapped keys still are.</returns>
    public bool Run()
    {
        StoreConnection store = _volume.Store.Connection;
        store.Execute($"PRAGMA cache_size = -{CacheKiB}");
        Check();
        using (FileKeyRewriter rows = new(store))
        {
            List<WrappedKey[]> ahead = RewrapAhead(rows);
            store.InTransaction(() => Write(rows, ahead));
        }
        _volume.Follow();
        return StoreCleaning.TryClean(store);
    }

    public void Dispose()
    {
        _from.Dispose();
        _to.Dispose();
        _nextKey.Dispose();
    }

    private List<WrappedKey[]> RewrapAhead(FileKeyRewriter rows)
    {
        List<WrappedKey[]> ahead = [];
        long last = -1;
        for (int count = 0; count < MostAhead; count += BatchSize)
        {
            List<WrappedKey> read = rows.Read(_fromVersion, last, BatchSize);
            if (read.Count == 0)
                break;
            ahead.Add(Rewrap(read));
            last = read[^1].Row;
        }
        return ahead;
    }

    private WrappedKey[] Rewrap(List<WrappedKey> keys)
    {
        WrappedKey[] rewrapped = new WrappedKey[keys.Count];
        Parallel.For(0, keys.Count, i => rewrapped[i] = keys[i].Rewrap(_from, _fromVersion, _to, _toVersion));
        Interlocked.Add(ref _done, keys.Count);
        return rewrapped;
    }

    private void Write(FileKeyRewriter rows, List<WrappedKey[]> ahead)
    {
        StoreConnection store = _volume.Store.Connection;
        if (!_volume.IsCurrent())
            throw new VolumeException(VolumeError.Busy, $"The volume key of {_volume.Root} was changed by somebody else at this moment; nothing was done.");
        List<KeySlotRow> slots = ResealSlots();
        KeyVersionRow version = new(_toVersion, KeyVersionState.Current, DateTimeOffset.UtcNow, SlotSealing.CheckValue(_nextKey.Bytes, _volume.VolumeId.Span));
        VolumeTables.Replace(store, version);
        foreach (WrappedKey[] batch in ahead)
        {
            rows.Write(batch, _toVersion);
            Interlocked.Add(ref _done, batch.Length);
        }
        WriteWhatCameMeanwhile(rows);
        Damaged += NextKeyTable.Rewrap(store, _from, _fromVersion, _to, _toVersion);
        foreach (int slot in _dropped)
            _ = VolumeTables.DeleteSlot(store, slot);
        slots.ForEach(slot => VolumeTables.UpdateSlot(store, slot));
        VolumeSecrets.Rewrap(store, _volume, _nextKey.Bytes, _toVersion);
    }

    private void WriteWhatCameMeanwhile(FileKeyRewriter rows)
    {
        long last = -1;
        Damaged = 0;
        while (rows.Read(_fromVersion, last, BatchSize) is { Count: > 0 } read)
        {
            WrappedKey[] rewrapped = Rewrap(read);
            rows.Write(rewrapped, _toVersion);
            Damaged += rewrapped.Count(key => key.New is null);
            last = read[^1].Row;
        }
    }

    private List<KeySlotRow> ResealSlots()
    {
        IReadOnlyList<KeySlotRow> slots = _volume.Store.ReadKeySlots();
        if (_dropped.Where(id => slots.All(slot => slot.Id != id)).ToList() is { Count: > 0 } missing)
            throw new VolumeException(VolumeError.NoSuchSlot, $"The volume {_volume.Root} has no key slot {missing[0]}.");
        if (_dropped.Contains(_volume.OpenedSlot))
            throw new VolumeException(VolumeError.BadOption, $"Slot {_volume.OpenedSlot} is the one that the given key opens: give the key of a slot that stays.");
        return slots.Where(slot => !_dropped.Contains(slot.Id)).Select(slot => SlotSealing.Reseal(
            slot, _volume.VolumeKey, _nextKey.Bytes, _toVersion, _volume.VolumeId.Span, _volume.Store.Path)).ToList();
    }
}
