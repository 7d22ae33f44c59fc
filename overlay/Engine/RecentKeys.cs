using System;
using Overlay.Crypto;

namespace Overlay.Engine;

/// <summary>
/// The keys of files that this process has opened or made lately, so that opening one again needs no word with the agent. Wiped
/// when overwritten. A process that may open a file may keep its key: see docs/threat-model.md, Keys.
/// </summary>
internal sealed class RecentKeys
{
    private const int Capacity = 256; // a power of two; each id has one place

    private readonly byte[] _ids = new byte[Capacity * 16];

    /// <summary>Pinned, so that the collector leaves no copies.</summary>
    private readonly byte[] _keys = GC.AllocateArray<byte>(Capacity * DataKey.KeySize, pinned: true);

    internal bool TryGet(ReadOnlySpan<byte> fileId, Span<byte> key)
    {
        lock (_keys)
        {
            int place = PlaceOf(fileId);
            if (!_ids.AsSpan(place * 16, 16).SequenceEqual(fileId))
                return false;
            _keys.AsSpan(place * DataKey.KeySize, DataKey.KeySize).CopyTo(key);
            return true;
        }
    }

    internal void Put(ReadOnlySpan<byte> fileId, ReadOnlySpan<byte> key)
    {
        lock (_keys)
        {
            int place = PlaceOf(fileId);
            fileId.CopyTo(_ids.AsSpan(place * 16));
            key.CopyTo(_keys.AsSpan(place * DataKey.KeySize));
        }
    }

    /// <summary>Ids are random: any of their bytes will do.</summary>
    private static int PlaceOf(ReadOnlySpan<byte> fileId) => fileId[0] & (Capacity - 1);
}
