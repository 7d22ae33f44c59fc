using System;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Threading;

namespace Overlay.Pages;

/// <summary>
/// A byte for each unit of a mapping that is filled when touched: 1, it is. The filter reads them (shim/native/lazy.c) without a lock, so their
/// memory is never given back, only used again.
/// </summary>
internal static unsafe class FilledMarks
{
    private static readonly nint[] s_free = new nint[32];
    private static readonly Lock s_gate = new();

    /// <summary>At least <paramref name="count"/> of them, all 0.</summary>
    internal static byte* Take(int count, out int sizeLog2)
    {
        sizeLog2 = Math.Max(BitOperations.Log2((uint)Math.Max(count - 1, 1)) + 1, 4);
        lock (s_gate)
        {
            nint free = s_free[sizeLog2];
            if (free == 0)
                return (byte*)NativeMemory.AllocZeroed((nuint)1 << sizeLog2);
            s_free[sizeLog2] = *(nint*)free;
            *(nint*)free = 0;
            return (byte*)free;
        }
    }

    internal static void Return(byte* marks, int sizeLog2)
    {
        NativeMemory.Clear(marks, (nuint)1 << sizeLog2);
        lock (s_gate)
        {
            *(nint*)marks = s_free[sizeLog2];
            s_free[sizeLog2] = (nint)marks;
        }
    }
}
