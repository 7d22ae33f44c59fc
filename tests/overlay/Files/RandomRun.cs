using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Overlay.Files;
using Overlay.Format;
using Overlay.Tests.Doubles;
using Xunit.Sdk;
using static Overlay.Format.FormatConstants;

namespace Overlay.Tests.Files;

/// <summary>Random operations on one file by one or more instances ("processes"), each step compared with a model.</summary>
internal sealed class RandomRun
{
    private readonly SealedFixture _fixture;
    private readonly FileModel _model;
    private readonly SealedFile[] _files;
    /// <summary>As by a kill, without being settled: the digest stays open then, until the file is emptied.</summary>
    private bool _wasKilled;

    private bool _wasLeftUnsettled;
    private readonly Random _random;
    private readonly int _seed;
    private readonly long _greatestSize;
    private readonly List<string> _trace = [];
    private readonly bool _rekeys;
    private int _rekeyings = 11;

    public RandomRun(Recipe recipe, int seed, int instances, long greatestSize, bool rekeys = false)
    {
        _fixture = SealedFixture.Create(recipe);
        _fixture.Keys = new TestKeys(SealedFixture.SecretKey);
        _fixture.KeepsBases = seed % 2 == 0;
        _rekeys = rekeys;
        _model = new FileModel(recipe.BlockSize);
        _seed = seed;
        _random = new Random(seed);
        _greatestSize = greatestSize;
        _files = new SealedFile[instances];
        for (int i = 0; i < instances; i++)
            _files[i] = _fixture.Open();
    }

    private int BlockSize => _fixture.Recipe.BlockSize;

    public void Go(int steps)
    {
        try
        {
            for (int step = 0; step < steps; step++)
            {
                Step();
                Check(isThorough: step % 64 == 63);
            }
            SettleAll();
            Check(isThorough: true);
            for (int i = 0; i < _files.Length; i++)
                Reopen(i);
            Check(isThorough: true);
        }
        catch (Exception exception)
        {
            string tail = string.Join('\n', _trace.Skip(Math.Max(0, _trace.Count - 60)));
            throw new XunitException($"{_fixture.Recipe} seed {_seed} step {_trace.Count}: {exception}\n{tail}");
        }
        finally
        {
            foreach (SealedFile file in _files)
                file.Dispose();
        }
    }

    private void Step()
    {
        int who = _random.Next(_files.Length);
        SealedFile file = _files[who];
        long offset = SomeOffset();
        switch (_random.Next(100))
        {
            case < 40:
                Write(who, offset);
                break;
            case < 50:
                Write(who, _model.Length);
                break;
            case < 62:
                long length = _random.Next(8) == 0 ? 0 : SomeOffset();
                Trace(who, $"setlength {length}");
                file.Resize(length);
                _model.SetLength(length);
                break;
            case < 72:
                long end = Math.Max(offset + 1, _random.Next(3) == 0 ? SomeOffset() : offset + SomeCount());
                Trace(who, $"punch {offset} {end - offset}");
                file.Punch(offset, end - offset);
                _model.PunchHole(offset, end - offset);
                break;
            case < 82:
                Trace(who, "sync");
                file.Sync(dataOnly: _random.Next(2) == 0);
                break;
            case < 88:
                Settle(who);
                break;
            case < 91:
                SettleAll();
                break;
            case < 93:
                Reopen(who);
                break;
            case < 94:
                if (_rekeys)
                    Rekey(who);
                break;
            case < 95:
                Trace(who, "reboot");
                RebootAll();
                break;
            default:
                CheckRange(who, offset, SomeCount());
                break;
        }
    }

    /// <summary>A part of it, all of it, or what another process has begun.</summary>
    private void Rekey(int who)
    {
        TestKeys keys = _fixture.Keys;
        keys.Next ??= SealedFixture.MakeKey(_rekeyings += 2);
        RekeyWalk walk = _files[who].StartRekey(keys.Next);
        int most = _random.Next(3) == 0 ? _random.Next(4) : int.MaxValue, done = 0;
        while (done < most && _files[who].Reseal(walk))
            done++;
        Trace(who, $"rekey, {done} parts of {most}");
        if (done == most)
            return;
        _files[who].EndRekey(walk);
        if (!_files[who].HasOnlyKey(Rekeying.CheckOf(keys.Next)))
            throw new XunitException("the old key is needed yet");
        keys.Promote();
    }

    private void Write(int who, long offset)
    {
        byte[] data = SomeData((int)Math.Min(SomeCount(), Math.Max(1, _greatestSize - offset)));
        Trace(who, string.Create(CultureInfo.InvariantCulture, $"write {offset} {data.Length}"));
        int written = _files[who].WriteAt(offset, data);
        if (written != data.Length)
            throw new XunitException($"wrote {written} of {data.Length}");
        _model.Write(offset, data);
    }

    private void Reopen(int who)
    {
        Trace(who, "reopen");
        LetGo(who);
        _files[who] = _fixture.Open();
    }

    private void LetGo(int who)
    {
        _wasLeftUnsettled |= _files[who].NeedsSettling;
        _wasKilled |= _files[who].NeedsSettling;
        _files[who].Dispose();
    }

    /// <summary>A clean one: all that was written is there.</summary>
    private void RebootAll()
    {
        for (int i = 0; i < _files.Length; i++)
            LetGo(i);
        _fixture.Reboot();
        for (int i = 0; i < _files.Length; i++)
            _files[i] = _fixture.Open();
    }

    private void SettleAll()
    {
        for (int who = 0; who < _files.Length; who++)
            Settle(who);
        // Only what was let go of unsettled, as by a kill, may have left its mark.
        if (!_wasLeftUnsettled)
            CheckSettled();
        DigestState digest = _files[0].Survey(_ => { }).Digest;
        bool isKept = _greatestSize / _fixture.Recipe.Geometry.GroupSize < 1024;
        if (digest != DigestState.Exact && isKept && !_wasKilled)
            throw new XunitException($"all is settled, but the digest is {digest}");
        _wasKilled &= digest != DigestState.Exact;
    }

    private void Settle(int who)
    {
        Trace(who, "settle");
        bool isNeeded = _files[who].NeedsSettling;
        _files[who].Settle();
        if (!isNeeded)
            return;
        CheckSettled();
        _wasLeftUnsettled = false;
    }

    private void CheckSettled()
    {
        long decoded = SettledSize.Decode(_fixture.Recipe.Geometry, _fixture.Backing.Length);
        bool isOfVolume = _fixture.Recipe.VolumeBlockSizeLog2 == _fixture.Recipe.BlockSizeLog2;
        if (isOfVolume && decoded != _model.Length)
            throw new XunitException($"settled: st_size {_fixture.Backing.Length} says {decoded}, not {_model.Length}");
    }

    private void Check(bool isThorough)
    {
        if (_fixture.Lock.IsHeld || _fixture.Coherence.HasWriters)
            throw new XunitException("a lock or a counter was not released");
        if (_fixture.Log.Lines.Length > 0)
            throw new XunitException("logged: " + _fixture.Log.Lines[0]);
        long decoded = SettledSize.Decode(new Geometry(_fixture.Recipe.VolumeBlockSizeLog2), _fixture.Backing.Length);
        if (decoded != -1 && decoded != _model.Length)
            throw new XunitException($"st_size {_fixture.Backing.Length} says {decoded}, not {_model.Length}");
        for (int who = 0; who < _files.Length; who++)
        {
            if (_files[who].Length != _model.Length)
                throw new XunitException($"[{who}] length {_files[who].Length}, not {_model.Length}");
            CheckRange(who, SomeOffset(), SomeCount());
            if (_model.Length <= 8 * BlockSize && _model.Length <= 1 << 16)
                CheckRange(who, 0, (int)_model.Length + 1);
            CheckSeek(who, SomeOffset());
            if (isThorough)
                CheckAll(who);
        }
    }

    private void CheckAll(int who)
    {
        foreach (long block in _model.DataBlocks)
            CheckRange(who, block * BlockSize, BlockSize);
        long damaged = 0;
        FileSurvey survey = _files[who].Survey(_ => damaged++);
        if (survey.Digest is DigestState.Differs or DigestState.DiffersUnsynced)
            throw new XunitException("the digest differs");
        if (damaged != 0 || survey.DamagedBlocks != 0 || survey.Blocks != _model.DataBlocks.Count)
            throw new XunitException($"survey: {survey.Blocks} blocks, {survey.DamagedBlocks} damaged; model: {_model.DataBlocks.Count}");
    }

    private void CheckRange(int who, long offset, int count)
    {
        byte[] expected = _model.Read(offset, count);
        byte[] actual = _files[who].ReadBytes(offset, count);
        if (actual.Length != expected.Length)
            throw new XunitException($"[{who}] read {offset} {count}: {actual.Length} bytes, not {expected.Length}");
        int same = expected.AsSpan().CommonPrefixLength(actual);
        if (same < expected.Length)
            throw new XunitException($"[{who}] read {offset} {count}: differs at {offset + same} (block {(offset + same) / BlockSize})");
    }

    private void CheckSeek(int who, long offset)
    {
        long data = _files[who].SeekData(offset);
        long hole = _files[who].SeekHole(offset);
        if (data != _model.SeekData(offset) || hole != _model.SeekHole(offset))
            throw new XunitException($"[{who}] seek {offset}: data {data} ({_model.SeekData(offset)}), hole {hole} ({_model.SeekHole(offset)})");
    }

    /// <summary>Sizes and offsets next to where something changes: inline limit, page, block, group.</summary>
    private long SomeOffset()
    {
        long[] edges = [0, InlineSize, PageSize, BlockSize, 2L * BlockSize, GroupBlocks * (long)BlockSize, 2L * GroupBlocks * BlockSize, _model.Length];
        long edge = edges[_random.Next(_random.Next(2) == 0 ? 4 : edges.Length)];
        long offset = _random.Next(10) switch
        {
            < 2 => edge,
            < 5 => edge + _random.Next(-3, 4),
            < 8 => edge + _random.Next(-2 * BlockSize, 2 * BlockSize),
            8 => _random.NextInt64(_model.Length + 1),
            _ => _random.NextInt64(_greatestSize),
        };
        return Math.Clamp(offset, 0, _greatestSize - 1);
    }

    private int SomeCount() => _random.Next(10) switch
    {
        < 3 => _random.Next(1, 100),
        < 5 => _random.Next(1, 4097),
        < 6 => BlockSize,
        < 8 => _random.Next(1, 2 * BlockSize),
        < 9 => _random.Next(1, Math.Max(2, Math.Min(6 * BlockSize, 1 << 20))),
        _ => BlockSize <= 1 << 14 ? _random.Next(1, 35 * BlockSize) : _random.Next(1, BlockSize),
    };

    private byte[] SomeData(int count)
    {
        byte[] data = new byte[count];
        switch (_random.Next(4))
        {
            case 0:
                break;
            case 1:
                data.AsSpan().Fill((byte)_random.Next(256));
                break;
            case 2:
                _random.NextBytes(data);
                break;
            default:
                // Half of it shrinks, near the point where it is worth the while.
                _random.NextBytes(data.AsSpan(0, _random.Next(count + 1)));
                break;
        }
        return data;
    }

    private void Trace(int who, string what) => _trace.Add($"[{who}] {what} (size {_model.Length})");
}
