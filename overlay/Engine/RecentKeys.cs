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
    /// <summary>Ids are spread over the sets as chance has it: with few ways many sets would be full long before the table is.</summary>
    private const int FirstSets = 32, MostSets = 4096, Ways = 16, IdSize = 16;

    private const int LeastBatch = 4, GreatestBatch = 128;

    /// <summary>For so many keys nobody who opens many files has to prove that they are used: a tree that fits is soon known, in whatever order it is read.</summary>
    private const int UntriedKeys = MostSets * Ways / 2;

    /// <summary>Each takes some 6 KiB of the agent's socket buffer while nobody takes it.</summary>
    private const int MostAnswers = 4;

    /// <summary>An answer is worth going on from if it has so many keys.</summary>
    private const int LeastToGoOn = 12;

    private readonly System.Threading.Lock _gate = new();

    /// <summary>A power of two: it grows while a program opens more files than there is room for.</summary>
    private int _sets = FirstSets;
    private byte[] _ids = new byte[FirstSets * Ways * IdSize];

    /// <summary>Pinned, so that the collector leaves no copies.</summary>
    private byte[] _keys = AllocateKeys(FirstSets);

    /// <summary>Which answer brought it, if it was not used since; else 0.</summary>
    private byte[] _broughtBy = new byte[FirstSets * Ways];

    private byte[] _nextWay = new byte[FirstSets];
    private int _known;

    private int _batch;
    private int _hits;
    private int _asked;

    private byte _newest;
    private int _newestCount, _newestUsed;
    private bool _hasGoneOn;
    private int _window = 1;

    internal bool TryGet(ReadOnlySpan<byte> fileId, Span<byte> key) => TryGet(fileId, key, out _);

    /// <param name="more">For how many keys to ask ahead now; 0: for none.</param>
    internal bool TryGet(ReadOnlySpan<byte> fileId, Span<byte> key, out int more)
    {
        lock (_gate)
        {
            more = 0;
            int place = Find(fileId);
            if (place < 0)
                return false;
            _hits++;
            _keys.AsSpan(place * DataKey.KeySize, DataKey.KeySize).CopyTo(key);
            if (_broughtBy[place] == _newest && _newest != 0)
                more = NoteUse();
            _broughtBy[place] = 0;
            return true;
        }
    }

    /// <summary>Half of the newest answer was used: who reads files in the order in which they were made will want the next.</summary>
    private int NoteUse()
    {
        _newestUsed++;
        if (_hasGoneOn || _newestCount < LeastToGoOn || _newestUsed < _newestCount / 2)
            return 0;
        _hasGoneOn = true;
        return Math.Min(_newestCount * 2, GreatestBatch);
    }

    /// <summary>How many answers are to be under way when more is asked for ahead.</summary>
    internal int Window => System.Threading.Volatile.Read(ref _window);

    /// <summary>What was asked for ahead was waited for: the agent has much to do.</summary>
    internal void AskEarlier()
    {
        lock (_gate)
            _window = Math.Min(_window + 1, MostAnswers);
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
            PutInPlace(fileId, key, _newest);
            _newestCount++;
        }
    }

    private void PutInPlace(ReadOnlySpan<byte> fileId, ReadOnlySpan<byte> key, byte broughtBy)
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
        _broughtBy[place] = broughtBy;
    }

    private void Grow()
    {
        byte[] ids = _ids, keys = _keys, broughtBy = _broughtBy;
        _sets *= 2;
        (_ids, _keys, _nextWay, _known) = (new byte[ids.Length * 2], AllocateKeys(_sets), new byte[_sets], 0);
        _broughtBy = new byte[_sets * Ways];
        for (int at = 0; at < ids.Length / IdSize; at++)
            if (ids.AsSpan(at * IdSize, IdSize).IndexOfAnyExcept((byte)0) >= 0)
                PutInPlace(ids.AsSpan(at * IdSize, IdSize), keys.AsSpan(at * DataKey.KeySize, DataKey.KeySize), broughtBy[at]);
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
            int least = _asked < UntriedKeys ? _batch * 2 : LeastBatch;
            int tried = _hits * 8 >= _batch ? _batch * 4 : _batch / 2;
            _batch = _batch == 0 ? 1 : Math.Clamp(Math.Max(tried, least), LeastBatch, GreatestBatch);
            _asked += _batch;
            _hits = 0;
            _window = 1;
            BeginNewest();
            return _batch;
        }
    }

    /// <summary>What is put from now on came with another answer.</summary>
    internal void BeginBatch()
    {
        lock (_gate)
            BeginNewest();
    }

    private void BeginNewest()
    {
        _newest = (byte)(_newest % byte.MaxValue + 1);
        (_newestCount, _newestUsed, _hasGoneOn) = (0, 0, false);
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
