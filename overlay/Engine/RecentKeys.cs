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
    private const int FirstSets = 128, MostSets = 1024, Ways = 4, IdSize = 16;
    private const int LeastBatch = 4, GreatestBatch = 64;

    private readonly System.Threading.Lock _gate = new();

    /// <summary>A power of two: it grows while a program opens more files than there is room for, a tree in the order of its directories.</summary>
    private int _sets = FirstSets;
    private byte[] _ids = new byte[FirstSets * Ways * IdSize];

    /// <summary>Pinned, so that the collector leaves no copies.</summary>
    private byte[] _keys = AllocateKeys(FirstSets);

    private byte[] _nextWay = new byte[FirstSets];
    private int _known;

    private int _batch;
    private int _hits;

    internal bool TryGet(ReadOnlySpan<byte> fileId, Span<byte> key)
    {
        lock (_gate)
        {
            int place = Find(fileId);
            if (place < 0)
                return false;
            _hits++;
            _keys.AsSpan(place * DataKey.KeySize, DataKey.KeySize).CopyTo(key);
            return true;
        }
    }

    /// <summary>Keys were destroyed; any of these may be among them.</summary>
    internal void Clear()
    {
        lock (_gate)
        {
            Secret.Wipe(_keys);
            Array.Clear(_ids);
            _known = 0;
        }
    }

    internal void Put(ReadOnlySpan<byte> fileId, ReadOnlySpan<byte> key)
    {
        lock (_gate)
        {
            if (_known >= _sets * Ways / 2 && _sets < MostSets)
                Grow();
            PutInPlace(fileId, key);
        }
    }

    private void PutInPlace(ReadOnlySpan<byte> fileId, ReadOnlySpan<byte> key)
    {
        int place = Find(fileId);
        if (place < 0)
        {
            int set = SetOf(fileId);
            place = set * Ways + (_nextWay[set] = (byte)((_nextWay[set] + 1) % Ways));
            _known++;
        }
        fileId.CopyTo(_ids.AsSpan(place * IdSize));
        key.CopyTo(_keys.AsSpan(place * DataKey.KeySize));
    }

    private void Grow()
    {
        byte[] ids = _ids, keys = _keys;
        _sets *= 2;
        (_ids, _keys, _nextWay, _known) = (new byte[ids.Length * 2], AllocateKeys(_sets), new byte[_sets], 0);
        for (int at = 0; at < ids.Length / IdSize; at++)
            if (ids.AsSpan(at * IdSize, IdSize).IndexOfAnyExcept((byte)0) >= 0)
                PutInPlace(ids.AsSpan(at * IdSize, IdSize), keys.AsSpan(at * DataKey.KeySize, DataKey.KeySize));
        Secret.Wipe(keys);
    }

    private static byte[] AllocateKeys(int sets) => GC.AllocateArray<byte>(sets * Ways * DataKey.KeySize, pinned: true);

    /// <summary>
    /// For how many keys to ask now that one is missing. Many programs open one file; who opens a second is likely to open what lies beside it,
    /// and more of it for as long as an eighth of what came with the last one was wanted.
    /// </summary>
    internal int NextBatch()
    {
        lock (_gate)
        {
            _batch = _batch == 0 ? 1 : _hits * 8 >= _batch ? Math.Min(Math.Max(_batch * 2, LeastBatch), GreatestBatch) : Math.Max(_batch / 2, LeastBatch);
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

    /// <summary>Ids are random, but for the first bytes, which files share that were made together.</summary>
    private int SetOf(ReadOnlySpan<byte> fileId) => BitConverter.ToUInt16(fileId[(IdSize - sizeof(ushort))..]) & (_sets - 1);
}
