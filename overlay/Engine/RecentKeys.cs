using System;
using Overlay.Crypto;

namespace Overlay.Engine;

/// <summary>
/// The keys of files that this process has opened or made lately, and of some that it is likely to open next: a word with the agent costs ten times
/// what opening a small file does. Wiped when overwritten. A process that may open a file may keep its key: see
/// docs/threat-model.md, Keys.
/// </summary>
internal sealed class RecentKeys
{
    private const int Sets = 128, Ways = 4, Capacity = Sets * Ways, IdSize = 16;
    private const int LeastBatch = 4, GreatestBatch = 64;

    private readonly byte[] _ids = new byte[Capacity * IdSize];

    /// <summary>Pinned, so that the collector leaves no copies.</summary>
    private readonly byte[] _keys = GC.AllocateArray<byte>(Capacity * DataKey.KeySize, pinned: true);

    private readonly byte[] _nextWay = new byte[Sets];

    private int _batch;
    private int _hits;

    internal bool TryGet(ReadOnlySpan<byte> fileId, Span<byte> key)
    {
        lock (_keys)
        {
            int place = Find(fileId);
            if (place < 0)
                return false;
            _hits++;
            _keys.AsSpan(place * DataKey.KeySize, DataKey.KeySize).CopyTo(key);
            return true;
        }
    }

    internal void Put(ReadOnlySpan<byte> fileId, ReadOnlySpan<byte> key)
    {
        lock (_keys)
        {
            int place = Find(fileId);
            if (place < 0)
            {
                int set = SetOf(fileId);
                place = set * Ways + (_nextWay[set] = (byte)((_nextWay[set] + 1) % Ways));
            }
            fileId.CopyTo(_ids.AsSpan(place * IdSize));
            key.CopyTo(_keys.AsSpan(place * DataKey.KeySize));
        }
    }

    /// <summary>
    /// For how many keys to ask now that one is missing. Many programs open one file; who opens a second is likely to open what lies beside it,
    /// and more of it for as long as a quarter of what came with the last one was wanted.
    /// </summary>
    internal int NextBatch()
    {
        lock (_keys)
        {
            _batch = _batch == 0 ? 1 : _hits * 4 >= _batch ? Math.Min(Math.Max(_batch * 2, LeastBatch), GreatestBatch) : Math.Max(_batch / 2, LeastBatch);
            _hits = 0;
            return _batch;
        }
    }

    private int Find(ReadOnlySpan<byte> fileId)
    {
        int first = SetOf(fileId) * Ways;
        for (int place = first; place < first + Ways; place++)
            if (_ids.AsSpan(place * IdSize, IdSize).SequenceEqual(fileId))
                return place;
        return -1;
    }

    /// <summary>Ids are random: any of their bytes will do.</summary>
    private static int SetOf(ReadOnlySpan<byte> fileId) => fileId[0] & (Sets - 1);
}
