using System;
using Overlay.Crypto;

namespace Overlay.Files;

/// <summary>
/// Sealed blocks of one group that lie one behind the other on disk and wait to be written in one call: raw blocks that are
/// written in a row. One write of 128 KiB costs the kernel a third of eight of 16 KiB.
/// </summary>
/// <param name="aheadSize">So much of the buffer, at its beginning, is for a job and its blocks, sealed ahead: 0 or <see cref="AheadJob.RoomSize"/>.</param>
internal unsafe ref struct SealedRun(Span<byte> buffer, int aheadSize = 0)
{
    private readonly Span<byte> _buffer = buffer;
    private readonly int _ownStart = aheadSize;
    private int _from, _length;

    /// <summary>What is sealed ahead, at the beginning of the buffer; null: each block is sealed when it is its turn.</summary>
    public AheadJob* Ahead { get; set; }

    public readonly Span<byte> AheadRoom => _buffer[.._ownStart];

    /// <summary>How much of the caller's data lies before the block that it is at.</summary>
    public int Cursor { get; set; }

    /// <summary>The cursor of the first block that waits.</summary>
    public int CursorAtStart { get; private set; }

    public long Offset { get; private set; }

    public int FirstSlot { get; private set; }

    public int LastSlot { get; private set; }

    public readonly bool IsEmpty => _length == 0;

    public readonly ReadOnlySpan<byte> Bytes => _buffer.Slice(_from, _length);

    /// <summary>Where the next block is sealed: its tag lies behind it, and is overwritten by the one after.</summary>
    public readonly Span<byte> Free => _buffer[(IsEmpty ? _ownStart : _from + _length)..];

    /// <summary>Does a block of this stored length at this offset follow, and fit? Always so where nothing waits.</summary>
    public readonly bool CanTake(long offset, int length) =>
        IsEmpty || (offset == Offset + _length && _from >= _ownStart && _buffer.Length - _from - _length >= length + DataKey.TagFieldSize);

    /// <summary>The same of a block that was sealed ahead.</summary>
    public readonly bool CanTakeAhead(long offset, long block) => IsEmpty || (offset == Offset + _length && Ahead->PlaceOf(block) == _from + _length);

    public void Add(long offset, int length, int slot) => Add(offset, length, slot, _ownStart);

    public void AddAhead(long offset, int length, int slot, long block) => Add(offset, length, slot, Ahead->PlaceOf(block));

    private void Add(long offset, int length, int slot, int from)
    {
        if (IsEmpty)
        {
            _from = from;
            Offset = offset;
            FirstSlot = slot;
            CursorAtStart = Cursor;
        }
        LastSlot = slot;
        _length += length;
    }

    public void Clear() => _length = 0;
}
