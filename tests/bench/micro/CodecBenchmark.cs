using System;
using Overlay.Crypto;

namespace Overlay.Benchmarks;

/// <summary>What the engine does to whole blocks, without files: compress where it pays, and seal; open, and expand.</summary>
internal sealed class CodecBenchmark : IDisposable
{
    private const int BlockSize = 16384, PageSize = 4096, MostBlocks = 256;

    private readonly bool _compresses;
    private readonly int _blocks;
    private readonly DataKey _key;
    private readonly byte[] _data;
    private readonly byte[] _packed = new byte[BlockSize];
    private readonly byte[] _plain = new byte[BlockSize];
    private readonly byte[] _nonces;
    private readonly byte[] _associated = new byte[41];
    private readonly byte[][] _sealed;
    private readonly int[] _storedLengths;

    public CodecBenchmark(CipherSuite suite, bool compresses, byte[] data)
    {
        _compresses = compresses;
        _key = DataKey.Import(suite, new byte[DataKey.KeySize]);
        _blocks = Math.Min(MostBlocks, data.Length / BlockSize);
        _data = data[..(_blocks * BlockSize)];
        _nonces = new byte[_blocks * DataKey.StoredNonceSize];
        _storedLengths = new int[_blocks];
        _sealed = new byte[_blocks][];
        for (int i = 0; i < _blocks; i++)
            _sealed[i] = new byte[BlockSize + DataKey.TagFieldSize];
    }

    public void Run(string name)
    {
        Measure.Rate($"codec-write-{name}", _data.Length, Measure.Seconds(WriteAll));
        Measure.Rate($"codec-read-{name}", _data.Length, Measure.Seconds(ReadAll));
        Dispose();
    }

    public void Dispose() => _key.Dispose();

    private void WriteAll()
    {
        for (int i = 0; i < _blocks; i++)
        {
            ReadOnlySpan<byte> stored = _data.AsSpan(i * BlockSize, BlockSize);
            int packedLength = _compresses ? BlockCompressor.Compress(stored, _packed.AsSpan(0, BlockSize - PageSize)) : 0;
            if (packedLength > 0)
                stored = _packed.AsSpan(0, packedLength);
            NonceSource.Next(NonceOf(i));
            _key.Seal(NonceOf(i), _associated, stored, _sealed[i].AsSpan(0, stored.Length + _key.TagSize));
            _storedLengths[i] = stored.Length;
        }
    }

    private void ReadAll()
    {
        for (int i = 0; i < _blocks; i++)
        {
            int length = _storedLengths[i];
            bool isPacked = length < BlockSize;
            Span<byte> target = isPacked ? _packed : _plain;
            if (!_key.TryOpen(NonceOf(i), _associated, _sealed[i].AsSpan(0, length + _key.TagSize), target[..length]) ||
                (isPacked && !BlockCompressor.TryExpand(_packed.AsSpan(0, length), _plain, out _)))
                throw new InvalidOperationException("a block does not open");
        }
    }

    private Span<byte> NonceOf(int block) => _nonces.AsSpan(block * DataKey.StoredNonceSize, DataKey.StoredNonceSize);
}
