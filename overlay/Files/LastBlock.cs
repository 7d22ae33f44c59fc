using System;
using System.Threading;
using Overlay.Interop;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>
/// The part of a block that a writer from front to end got to last in this process: who unpacks, copies, downloads or writes in pieces adds to it at once, or
/// closes the file, which packs it. Without this it would be read and opened again, by a descriptor made for it. The block cache is not for that:
/// its memory, new for each process, costs more than what most files need once.
/// </summary>
/// <remarks>One for all files, kept under the stamp by which the block cache knows their state; wiped when its file is let go of.</remarks>
internal static unsafe class LastBlock
{
    private const int Capacity = 1 << GreatestBlockSizeLog2; // pages that nothing was put in take no memory

    private static readonly Lock s_gate = new();
    private static byte* s_plain;
    private static long s_stamp = -1, s_block;
    private static int s_length;

    /// <summary>For tests: bytes of plaintext.</summary>
    internal static int KeptLength => s_length;

    internal static void Keep(long stamp, long block, ReadOnlySpan<byte> plain)
    {
        if (plain.Length > Capacity)
        {
            Forget(stamp);
            return;
        }
        lock (s_gate)
        {
            if (s_plain == null && !TryMap())
                return;
            WipeFrom(plain.Length);
            plain.CopyTo(new Span<byte>(s_plain, Capacity));
            (s_stamp, s_block, s_length) = (stamp, block, plain.Length);
        }
    }

    /// <summary>Behind what is kept of a block; what does not go on there ends it.</summary>
    internal static void Append(long stamp, long block, int start, ReadOnlySpan<byte> piece)
    {
        if (start == 0)
        {
            Keep(stamp, block, piece);
            return;
        }
        lock (s_gate)
        {
            if (s_stamp == stamp && s_block == block && s_length == start && piece.Length <= Capacity - start)
            {
                piece.CopyTo(new Span<byte>(s_plain + start, Capacity - start));
                s_length += piece.Length;
                return;
            }
        }
        Forget(stamp);
    }

    /// <summary>What is kept is of that file: it is still the one that is being written.</summary>
    internal static bool IsOf(long stamp) => Volatile.Read(ref s_stamp) == stamp;

    /// <summary>All of what is kept of a block, or nothing.</summary>
    internal static bool TryRead(long stamp, long block, Span<byte> plain)
    {
        if (Volatile.Read(ref s_stamp) != stamp)
            return false;
        lock (s_gate)
        {
            if (s_stamp != stamp || s_block != block || s_length != plain.Length)
                return false;
            new ReadOnlySpan<byte>(s_plain, s_length).CopyTo(plain);
            return true;
        }
    }

    /// <summary>The block has changed, or the file is let go of.</summary>
    internal static void Forget(long stamp)
    {
        if (Volatile.Read(ref s_stamp) != stamp)
            return;
        lock (s_gate)
        {
            if (s_stamp != stamp)
                return;
            WipeFrom(0);
            s_stamp = -1;
        }
    }

    private static void WipeFrom(int start)
    {
        if (s_length > start)
            new Span<byte>(s_plain + start, s_length - start).Clear();
        s_length = Math.Min(s_length, start);
    }

    private static bool TryMap()
    {
        nint memory = Kernel.Map(0, Capacity, Kernel.PROT_READ | Kernel.PROT_WRITE, Kernel.MAP_PRIVATE | Kernel.MAP_ANONYMOUS, -1, 0);
        if (memory == -1)
            return false;
        _ = Kernel.Advise(memory, Capacity, Kernel.MADV_DONTDUMP);
        s_plain = (byte*)memory;
        return true;
    }
}
