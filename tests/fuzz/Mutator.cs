using System;
using System.Buffers.Binary;
using System.Collections.Generic;

namespace Overlay.Fuzz;

/// <summary>Changes bytes in the ways in which they go wrong: flips, edge values, cuts, copies, splices. All of it follows from the seed.</summary>
internal sealed class Mutator(int seed)
{
    private static readonly ulong[] s_edges =
    [
        0, 1, 2, 3, 7, 8, 12, 15, 16, 20, 21, 28, 29, 31, 32, 63, 64, 127, 128, 255, 256, 511, 512, 3584, 4095, 4096, 16384, 65535, 65536,
        1 << 20, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x100000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF, 0x1FFFFFFFFFFFFFFF,
    ];

    public Random Random { get; } = new(seed);

    public byte[] Mutate(byte[] input, IReadOnlyList<byte[]> others, int greatestLength = 1 << 16)
    {
        byte[] bytes = (byte[])input.Clone();
        for (int i = Random.Next(4) == 0 ? Random.Next(1, 9) : 1; i > 0; i--)
            bytes = MutateOnce(bytes, others);
        return bytes.Length <= greatestLength ? bytes : bytes[..greatestLength];
    }

    public ulong Edge() => s_edges[Random.Next(s_edges.Length)] + (ulong)(Random.Next(4) == 0 ? Random.Next(-2, 3) : 0);

    private byte[] MutateOnce(byte[] bytes, IReadOnlyList<byte[]> others)
    {
        if (bytes.Length == 0)
            return Noise(Random.Next(1, 40));
        int at = Random.Next(bytes.Length);
        int count = Math.Min(bytes.Length - at, 1 << Random.Next(10));
        switch (Random.Next(12))
        {
            case 0 or 1:
                bytes[at] ^= (byte)(1 << Random.Next(8));
                return bytes;
            case 2:
                bytes[at] = (byte)Random.Next(256);
                return bytes;
            case 3 or 4:
                PutEdge(bytes.AsSpan(at));
                return bytes;
            case 5:
                bytes.AsSpan(at, count).Fill((byte)(Random.Next(2) * 255));
                return bytes;
            case 6:
                Random.NextBytes(bytes.AsSpan(at, count));
                return bytes;
            case 7:
                return bytes[..at];
            case 8:
                return [.. bytes[..at], .. Noise(count), .. bytes[at..]];
            case 9:
                return [.. bytes[..at], .. bytes[(at + count)..]];
            case 10:
                bytes.AsSpan(Random.Next(bytes.Length - count + 1), count).CopyTo(bytes.AsSpan(at));
                return bytes;
            default:
                byte[] other = others[Random.Next(others.Count)];
                int from = other.Length == 0 ? 0 : Random.Next(other.Length);
                return [.. bytes[..at], .. other[from..]];
        }
    }

    private void PutEdge(Span<byte> target)
    {
        Span<byte> edge = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(edge, Edge());
        int size = Math.Min(1 << Random.Next(4), target.Length);
        edge[..size].CopyTo(target);
    }

    private byte[] Noise(int count)
    {
        byte[] bytes = new byte[count];
        Random.NextBytes(bytes);
        return bytes;
    }
}
