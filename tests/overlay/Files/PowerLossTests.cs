using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Tests.Doubles;
using Xunit;
using Xunit.Sdk;
using static Overlay.Format.FormatConstants;

namespace Overlay.Tests.Files;

/// <summary>Format §7: whatever lands when the power goes, each block and the size are at least as new as at the last sync.</summary>
public class PowerLossTests
{
    private static int Seed => int.TryParse(Environment.GetEnvironmentVariable("OVERLAY_TEST_SEED"), out int seed) ? seed : 1;

    private static int Factor => int.TryParse(Environment.GetEnvironmentVariable("OVERLAY_TEST_STEPS"), out int factor) ? factor : 1;

    [Theory]
    [InlineData(12, false, 0)]
    [InlineData(12, false, 60)]
    [InlineData(12, true, 90)]
    [InlineData(14, false, 40)]
    [InlineData(14, true, 80)]
    public void Synced_blocks_survive_while_the_key_is_replaced(int blockSizeLog2, bool compresses, int landsPercent)
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, compresses, blockSizeLog2);
        for (int i = 0; i < 150 * Factor; i++)
            new PowerLossRun(recipe, Seed * 100_000 + i, landsPercent) { Rekeys = true }.Go();
    }

    [Theory]
    [InlineData(12, false, 0)]
    [InlineData(12, false, 50)]
    [InlineData(12, false, 90)]
    [InlineData(12, true, 50)]
    [InlineData(12, true, 90)]
    [InlineData(13, true, 30)]
    [InlineData(13, false, 60)]
    [InlineData(14, false, 0)]
    [InlineData(14, true, 40)]
    [InlineData(14, false, 70)]
    [InlineData(14, true, 100)]
    public void Synced_blocks_survive(int blockSizeLog2, bool compresses, int landsPercent)
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, compresses, blockSizeLog2);
        for (int i = 0; i < 150 * Factor; i++)
            new PowerLossRun(recipe, Seed * 100_000 + i, landsPercent).Go();
    }
}

/// <summary>Random operations over several boots, each ended by a power cut.</summary>
internal sealed class PowerLossRun
{
    private readonly Random _random;
    private readonly int _seed;
    private readonly int _landsPercent;
    private readonly SealedFixture _fixture;
    private readonly List<string> _trace = [];
    private int _rekeyings = 11;

    /// <summary>The file at the last sync, and after every operation since; the newest last.</summary>
    private readonly List<byte[]> _history = [[]];

    public PowerLossRun(Recipe recipe, int seed, int landsPercent)
    {
        _seed = seed;
        _random = new Random(seed);
        _landsPercent = landsPercent;
        _fixture = SealedFixture.Create(recipe, new PowerLossBacking());
        _fixture.Keys = new TestKeys(SealedFixture.SecretKey);
        _fixture.KeepsBases = seed % 3 != 0;
        Backing.Sync(dataOnly: false);
    }

    /// <summary>The key is replaced all the time.</summary>
    public bool Rekeys { get; init; }

    private PowerLossBacking Backing => (PowerLossBacking)_fixture.Backing;

    private int BlockSize => _fixture.Recipe.BlockSize;

    private byte[] Model => _history[^1];

    public void Go()
    {
        try
        {
            for (int boot = 0; boot < 4; boot++)
                LiveThroughOneBoot();
        }
        catch (Exception exception)
        {
            throw new XunitException($"{_fixture.Recipe} lands {_landsPercent} seed {_seed}: {exception}\n{string.Join('\n', _trace)}\nlog: {string.Join("; ", _fixture.Log.Lines.TakeLast(5))}");
        }
    }

    private void LiveThroughOneBoot()
    {
        SealedFile file = _fixture.Open(), other = _fixture.Open();
        Backing.CallsToCut = _random.Next(1, 120);
        try
        {
            // The other one does not know what a sync's end is kept back by the one (and is killed with), until that settles the file.
            bool isShared = _random.Next(2) == 0;
            for (int step = 0; step < 12; step++)
                Step(isShared && _random.Next(3) == 0 ? other : file);
            Backing.CallsToCut = 0;
        }
        catch (PowerCutException)
        {
        }
        file.Dispose();
        other.Dispose();
        _trace.Add($"power cut, settled at {Backing.Length}");
        _fixture.Backing = Backing.Land(_random, _landsPercent);
        _fixture.Reboot();
        file = _fixture.Open();
        byte[] found = CheckFound(file);
        // A power loss must not look like a block that somebody put back.
        DigestState digest = file.Survey(_ => { }).Digest;
        if (digest == DigestState.Differs)
            throw new XunitException("the power loss is taken for tampering");
        file.Dispose();
        _trace.Add($"found {found.Length} bytes; log: {string.Join("; ", _fixture.Log.Lines)}");
        _history.Add(found);
    }

    /// <summary>Another process may write while the kernel syncs; what it writes is not part of the synced state.</summary>
    private void Sync(SealedFile file)
    {
        using SealedFile other = _fixture.Open();
        Backing.DuringSync = _random.Next(3) != 0 ? null : () =>
        {
            for (int i = 0; i < 3; i++)
                Change(other);
        };
        int synced = _history.Count;
        Do("sync", Model, () => file.Sync(dataOnly: _random.Next(2) == 0));
        Backing.DuringSync = null;
        _history.RemoveRange(0, synced);
    }

    /// <summary>Some of it. When it is done the old key is destroyed, as the store does it.</summary>
    private void Rekey(SealedFile file)
    {
        TestKeys keys = _fixture.Keys;
        keys.Next ??= SealedFixture.MakeKey(_rekeyings += 2);
        using SealedFile tool = _fixture.Open();
        RekeyWalk walk = new(Rekeying.CheckOf(keys.Next));
        int most = _random.Next(2) == 0 ? _random.Next(4) : int.MaxValue, done = 0;
        Do($"rekey {most}", Model, () =>
        {
            _ = tool.BeginRekey(keys.Next);
            for (; done < most && tool.Reseal(walk); done++)
                if (_random.Next(3) == 0)
                    Change(file);
            if (done == most)
                return;
            tool.EndRekey(walk);
            keys.Promote();
        });
    }

    private void Step(SealedFile file)
    {
        if (Rekeys && _random.Next(4) == 0)
            Rekey(file);
        switch (_random.Next(12))
        {
            case < 9:
                Change(file);
                break;
            case < 11:
                Sync(file);
                break;
            default:
                Do("settle", Model, file.Settle);
                break;
        }
        int cut = Backing.CallsToCut;
        Backing.CallsToCut = 0;
        byte[] actual = file.ReadBytes(0, Model.Length + 1);
        int same = actual.AsSpan().CommonPrefixLength(Model);
        if (actual.Length != Model.Length || same < actual.Length)
            throw new XunitException($"read {actual.Length} of {Model.Length} bytes, differs at {same} (block {same / BlockSize})");
        Backing.CallsToCut = cut;
    }

    private void Change(SealedFile file)
    {
        int length = Model.Length;
        int greatest = 64 * BlockSize;
        int offset = _random.Next(3) == 0 ? length : Math.Min(SomeOffset(), greatest);
        int count = SomeCount();
        byte[] next = Model;
        switch (_random.Next(8))
        {
            case < 6:
                byte[] data = SomeData(Math.Max(1, Math.Min(count, greatest + BlockSize - offset)));
                next = Padded(Model, 0, Math.Max(length, offset + data.Length));
                data.CopyTo(next, offset);
                Do($"write {offset} {data.Length}", next, () => file.WriteAt(offset, data));
                break;
            case 6:
                int size = _random.Next(4) == 0 ? 0 : SomeOffset();
                Do($"resize {size}", Padded(Model, 0, size), () => file.Resize(size));
                break;
            default:
                next = (byte[])Model.Clone();
                int start = Math.Min(offset, length);
                next.AsSpan(start, Math.Min(count, length - start)).Clear();
                Do($"punch {offset} {count}", next, () => file.Punch(offset, count));
                break;
        }
    }

    private void Do(string name, byte[] next, Action what)
    {
        _trace.Add(string.Create(CultureInfo.InvariantCulture, $"{name} (size {Model.Length}, header {Sketch()})"));
        _history.Add(next);
        what();
    }

    private string Sketch()
    {
        Overlay.Format.FileHeader.Parse(_fixture.Backing.Clone().ReadBytes(0, HeaderSize), out Overlay.Format.FileHeader header);
        return $"sync {header.SyncInterval} durable {header.DurableInterval}";
    }

    private byte[] CheckFound(SealedFile file)
    {
        int length = (int)file.Length;
        bool isSizeKnown = false;
        for (int i = 0; i + 1 < _history.Count; i++)
        {
            int least = Math.Min(_history[i].Length, _history[i + 1].Length);
            isSizeKnown |= length >= least && length <= Math.Max(_history[i].Length, _history[i + 1].Length);
        }
        if (!isSizeKnown && length != Model.Length)
            throw new XunitException($"size {length} is none of {string.Join(", ", _history.Select(content => content.Length))}");
        byte[] found = new byte[length];
        for (int start = 0; start < length; start += BlockSize)
        {
            int count = Math.Min(BlockSize, length - start);
            Span<byte> block = found.AsSpan(start, count);
            if (file.Read(start, block) != count)
                throw new XunitException($"block {start / BlockSize} is short");
            bool isKnown = false;
            foreach (byte[] content in _history)
                isKnown |= block.SequenceEqual(Padded(content, start, count));
            if (!isKnown)
                throw new XunitException($"block {start / BlockSize} was never so since the last sync: {Classify(start, block)}");
        }
        return found;
    }

    private static string Classify(int start, Span<byte> block) =>
        block.IndexOfAnyExcept((byte)0) < 0 ? "zeros" : $"starts {Convert.ToHexString(block[..Math.Min(8, block.Length)])}, offset {start}";

    private int SomeOffset()
    {
        int[] edges = [0, InlineSize, BlockSize, 3 * BlockSize, GroupBlocks * BlockSize, 2 * GroupBlocks * BlockSize, Model.Length];
        int edge = edges[_random.Next(edges.Length)];
        return Math.Max(0, _random.Next(3) switch { 0 => edge, 1 => edge + _random.Next(-5, 6), _ => edge + _random.Next(-2 * BlockSize, 2 * BlockSize) });
    }

    private int SomeCount() => _random.Next(4) switch
    {
        0 => _random.Next(1, 200),
        1 => BlockSize,
        2 => _random.Next(1, 3 * BlockSize),
        _ => _random.Next(1, 8 * BlockSize),
    };

    private byte[] SomeData(int count)
    {
        byte[] data = new byte[count];
        if (_random.Next(2) == 0)
            _random.NextBytes(data);
        else
            _random.NextBytes(data.AsSpan(0, Math.Min(count, 64)));
        return data;
    }

    private static byte[] Padded(byte[] bytes, int start, int count)
    {
        byte[] padded = new byte[count];
        if (start < bytes.Length)
            bytes.AsSpan(start, Math.Min(count, bytes.Length - start)).CopyTo(padded);
        return padded;
    }
}
