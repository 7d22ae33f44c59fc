using System;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Threading;
using Overlay.Format;

namespace Overlay.Files;

/// <summary>Buffers for one block's plain or sealed form, outside of the collected heap; a few of each size are kept.</summary>
internal static unsafe class ScratchPool
{
    private const int Kept = 4;
    private const int SizeClasses = 24;

    private static readonly nint[] s_buffers = new nint[SizeClasses * Kept];

    public static Scratch Rent(int size)
    {
        int sizeLog2 = BitOperations.Log2((uint)size - 1) + 1;
        for (int i = sizeLog2 * Kept; i < (sizeLog2 + 1) * Kept; i++)
        {
            nint buffer = Interlocked.Exchange(ref s_buffers[i], 0);
            if (buffer != 0)
                return new Scratch(buffer, sizeLog2);
        }
        return new Scratch((nint)NativeMemory.AlignedAlloc((nuint)1 << sizeLog2, 64), sizeLog2);
    }

    internal static void Return(nint buffer, int sizeLog2)
    {
        for (int i = sizeLog2 * Kept; i < (sizeLog2 + 1) * Kept; i++)
            if (Interlocked.CompareExchange(ref s_buffers[i], buffer, 0) == 0)
                return;
        NativeMemory.Clear((void*)buffer, (nuint)1 << sizeLog2);
        NativeMemory.AlignedFree((void*)buffer);
    }
}

internal readonly unsafe ref struct Scratch(nint buffer, int sizeLog2)
{
    public Span<byte> Span => new((void*)buffer, 1 << sizeLog2);

    /// <summary>Where the first page begins; for buffers of a page more than is needed.</summary>
    public byte* PageAligned => (byte*)((buffer + FormatConstants.PageSize - 1) & -FormatConstants.PageSize);

    public void Dispose() => ScratchPool.Return(buffer, sizeLog2);
}
