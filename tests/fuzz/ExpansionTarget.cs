using System;
using System.Collections.Generic;
using Overlay.Crypto;

namespace Overlay.Fuzz;

/// <summary>LZ4: whatever the packed bytes say, nothing outside of the target is written.</summary>
internal sealed class ExpansionTarget : Target
{
    private const int Size = 16384, Guard = 4096;

    private readonly List<byte[]> _seeds = [];
    private readonly byte[] _room = new byte[Size + 2 * Guard];

    public ExpansionTarget()
    {
        Random random = new(1);
        for (int kind = 0; kind < 4; kind++)
        {
            byte[] plain = new byte[Size];
            random.NextBytes(plain.AsSpan(0, kind * 3000));
            byte[] packed = new byte[Size * 2];
            _seeds.Add(packed[..BlockCompressor.Compress(plain, packed)]);
        }
    }

    public override string Name => "expansion";

    public override IReadOnlyList<byte[]> Seeds => _seeds;

    public override void Run(byte[] input)
    {
        _room.AsSpan().Fill(0xA5);
        bool isExpanded = BlockCompressor.TryExpand(input, _room.AsSpan(Guard, Size), out int length);
        if (isExpanded && length > Size)
            throw new FindingException($"{length} bytes in {Size}");
        if (_room.AsSpan(0, Guard).IndexOfAnyExcept((byte)0xA5) >= 0 || _room.AsSpan(Guard + Size).IndexOfAnyExcept((byte)0xA5) >= 0)
            throw new FindingException("bytes outside of the target were written");
    }
}
