using System;
using Overlay.Crypto;

namespace Overlay.Files;

/// <summary>
/// Sealed blocks of one group that lie one behind the other on disk and wait to be written in one call: raw blocks that are
/// written in a row. One write of 128 KiB costs the kernel a third of eight of 16 KiB.
/// </summary>
internal ref struct SealedRun(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;
    private int _length;

    /// <summary>How much of the caller's data lies before the block that it is at.</summary>
    public int Cursor { get; set; }

    /// <summary>The cursor of the first block that waits.</summary>
    public int CursorAtStart { get; private set; }

    public long Offset { get; private set; }

    public int FirstSlot { get; private set; }

    public int LastSlot { get; private set; }

    public readonly bool IsEmpty => _length == 0;

    public readonly ReadOnlySpan<byte> Bytes => _buffer[.._length];

    /// <summary>Where the next block is sealed: its tag lies behind it, and is overwritten by the one after.</summary>
    public readonly Span<byte> Free => _buffer[_length..];

    /// <summary>Does a block of this stored length at this offset follow, and fit? Always so where nothing waits.</summary>
    public readonly bool CanTake(long offset, int length) =>
        IsEmpty || (offset == Offset + _length && _buffer.Length - _length >= length + DataKey.TagFieldSize);

    public void Add(long offset, int length, int slot)
    {
        if (IsEmpty)
        {
            Offset = offset;
            FirstSlot = slot;
            CursorAtStart = Cursor;
        }
        LastSlot = slot;
        _length += length;
    }

    public void Clear() => _length = 0;
}
