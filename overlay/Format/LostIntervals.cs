using System;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Overlay.Format;

/// <summary>
/// Intervals of earlier boots of which something may have been lost with the power (format §7): up to six ranges, ascending.
/// </summary>
public struct LostIntervals
{
    public const int Size = 2 * Ranges * sizeof(ulong);

    private const int Ranges = 6;

    private Bounds _bounds;

    [InlineArray(2 * Ranges)]
    private struct Bounds
    {
        private ulong _first;
    }

    /// <summary>The greatest interval in any range; 0 if there is none.</summary>
    public readonly ulong Last
    {
        get
        {
            ulong last = 0;
            for (int i = 1; i < 2 * Ranges; i += 2)
                last = Math.Max(last, _bounds[i]);
            return last;
        }
    }

    /// <summary>False: not ascending.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out LostIntervals lost)
    {
        lost = default;
        ulong last = 0;
        bool isAscending = true;
        for (int i = 0; i < 2 * Ranges; i += 2)
        {
            ulong after = lost._bounds[i] = BinaryPrimitives.ReadUInt64LittleEndian(source[(i * 8)..]);
            ulong upTo = lost._bounds[i + 1] = BinaryPrimitives.ReadUInt64LittleEndian(source[(i * 8 + 8)..]);
            bool isEmpty = after == 0 && upTo == 0;
            isAscending &= isEmpty || (after < upTo && after >= last);
            last = Math.Max(last, upTo);
        }
        return isAscending;
    }

    public readonly void Write(Span<byte> target)
    {
        for (int i = 0; i < 2 * Ranges; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(target[(i * 8)..], _bounds[i]);
    }

    public readonly bool Contains(ulong interval)
    {
        for (int i = 0; i < 2 * Ranges; i += 2)
            if (interval > _bounds[i] && interval <= _bounds[i + 1])
                return true;
        return false;
    }

    /// <summary>With <c>after &lt; interval ≤ upTo</c>, too. The oldest two become one when there is no room.</summary>
    public readonly LostIntervals With(ulong after, ulong upTo)
    {
        LostIntervals next = this;
        int i = 0;
        while (i < 2 * Ranges && _bounds[i + 1] != 0)
            i += 2;
        if (i > 0 && after <= _bounds[i - 1])
        {
            next._bounds[i - 1] = upTo;
            return next;
        }
        if (i == 2 * Ranges)
        {
            for (int k = 1; k + 2 < 2 * Ranges; k++)
                next._bounds[k] = _bounds[k + 2];
            i -= 2;
        }
        next._bounds[i] = after;
        next._bounds[i + 1] = upTo;
        return next;
    }
}
