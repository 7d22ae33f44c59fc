using System;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>Writing: range → blocks, each stored whole or in units; then entries, record, header (format §6).</summary>
public sealed partial class SealedFile
{
    /// <summary>Where the last write ended, and whether this one goes on there, or, with or without a hole, at the file's end.</summary>
    private long _lastEnd;
    private bool _goesOn, _isFirst;

    /// <summary>
    /// Empty when this process began to write, and added to at the end alone, in whole buffers up to this write, as who unpacks or copies does; and whether what was added
    /// last is still at hand.
    /// </summary>
    private bool _comesInBuffers, _isAtHand;

    /// <summary>The write has stored the file's end as it is to stay.</summary>
    private bool _hasPackedEnd;
    private int _lastCount;

    /// <summary>The writer goes from front to end in calls of one size, less than a block.</summary>
    private bool _isInPieces;

    /// <summary>Something of ours waits for <see cref="Settle"/>.</summary>
    private bool _needsSettling;

    /// <summary>Writes all of <paramref name="source"/>, or, where the backing file fails, the blocks before the failure.</summary>
    /// <returns>Bytes written.</returns>
    /// <exception cref="ErrnoException">Nothing was written.</exception>
    public int Write(long offset, ReadOnlySpan<byte> source)
    {
        if (source.IsEmpty)
            return 0;
        long end = offset + source.Length;
        int done = 0;
        _goesOn = offset == _lastEnd || offset >= _header.Size;
        _isFirst = _header.Size == 0;
        _comesInBuffers = _isFirst || (_comesInBuffers && _goesOn && _lastCount % SectorSize == 0);
        _isAtHand = _isFirst || LastBlock.IsOf(_stamp);
        _hasPackedEnd = false;
        _isInPieces = _goesOn && source.Length == _lastCount && source.Length < _geometry.BlockSize;
        _lastEnd = end;
        _lastCount = source.Length;
        try
        {
            if (_stale.Count >= StaleGroupsKept)
                ReclaimStale();
            PrepareToGrow(end, mayStayInline: offset <= _header.Size);
            ClearBeyondSize(end);
            while (done < source.Length)
            {
                long group = Geometry.GroupOf(_geometry.BlockOf(offset + done));
                long groupEnd = (group + 1) * _geometry.GroupSize;
                int count = (int)Math.Min(groupEnd - (offset + done), source.Length - done);
                done += WriteInGroup(group, offset + done, source.Slice(done, count), out ErrnoException? fault);
                if (fault is not null)
                    throw fault;
            }
            if (_hasPackedEnd)
                SettleAtEnd();
            return done;
        }
        catch (Exception exception)
        {
            Distrust();
            if (done > 0 && exception is (ErrnoException or OutOfMemoryException))
                return done;
            throw;
        }
    }

    private int WriteInGroup(long group, long offset, ReadOnlySpan<byte> source, out ErrnoException? fault)
    {
        fault = null;
        IndexPage page = MakeGroup(group);
        BeginGroup(page, _geometry.BlockOf(offset), _geometry.BlockOf(offset + source.Length - 1));
        int done;
        bool isHelped = TryGetHelp(source.Length);
        try
        {
            done = WriteBlocks(page, offset, source, isHelped, out fault);
        }
        finally
        {
            if (isHelped)
                _context.Helper!.Release();
        }
        if (fault is not null && done == 0)
            return 0;
        if (offset + done > _header.Size)
        {
            _header.Size = offset + done;
            _isHeaderDirty = true;
        }
        try
        {
            CommitGroup(page);
        }
        catch (ErrnoException) when (fault is not null)
        {
            throw fault;
        }
        _index.Keep(page, group);
        return done;
    }

    /// <param name="isHelped">The helper is ours.</param>
    /// <returns>Bytes whose blocks count as written.</returns>
    private unsafe int WriteBlocks(IndexPage page, long offset, ReadOnlySpan<byte> source, bool isHelped, out ErrnoException? fault)
    {
        fault = null;
        int aheadSize = isHelped ? AheadJob.RoomSize : 0, done = 0;
        using Scratch scratch = ScratchPool.Rent(isHelped ? aheadSize + RunSizeFor(_geometry.BlockSize) : RunSizeFor(source.Length));
        SealedRun run = new(scratch.Span, aheadSize);
        fixed (byte* plain = source)
        {
            try
            {
                while (done < source.Length)
                {
                    long block = _geometry.BlockOf(offset + done);
                    int inBlock = (int)(offset + done - (block << _geometry.BlockSizeLog2));
                    int count = Math.Min(_geometry.BlockSize - inBlock, source.Length - done);
                    run.Cursor = done;
                    if (isHelped && inBlock == 0)
                        ShareOut(ref run, page, block, plain + done, source.Length - done);
                    WriteInBlock(ref run, page, block, inBlock, source.Slice(done, count));
                    done += count;
                }
                Flush(ref run, page);
            }
            catch (ErrnoException exception)
            {
                fault = exception;
                done = run.IsEmpty ? run.Cursor : run.CursorAtStart;
            }
            finally
            {
                EndShare(ref run);
            }
        }
        return done;
    }

    /// <summary>Room for the blocks of one call, up to a limit that keeps them in the processor's cache.</summary>
    private int RunSizeFor(int length)
    {
        const int GreatestRun = 256 << 10;
        int wanted = Math.Max(_geometry.BlockSize, Math.Min(length, GreatestRun - DataKey.TagFieldSize));
        return wanted + DataKey.TagFieldSize;
    }

    private void WriteInBlock(ref SealedRun run, IndexPage page, long block, int inBlock, ReadOnlySpan<byte> source)
    {
        long start = block << _geometry.BlockSizeLog2;
        int oldLength = (int)Math.Clamp(_header.Size - start, 0, _geometry.BlockSize);
        int newLength = Math.Max(oldLength, inBlock + source.Length);
        bool reachesEnd = inBlock + source.Length == newLength;
        if (_newTableSlot != NoSlot)
            CommitWaiting(ref run, page);
        PrepareRoom(page, block, isFirst: run.IsEmpty && _lastDirtySlot < 0);
        bool isFirstOfPieces = block > 0 && inBlock == 0 && oldLength == 0 && IsFirstOfPieces(newLength);
        bool isOfLog = IsLogWrittenOver(oldLength);
        bool staysInUnits = isOfLog && _lastCount <= 2 * _geometry.BlockSize && BlockVersion.Current(page.Bytes, Geometry.SlotOf(block)).IsInUnits;
        if (inBlock == 0 && reachesEnd && !isFirstOfPieces && !staysInUnits)
        {
            // Here and there, compressing would cost more than all the rest.
            bool isOneOfMany = (!_goesOn && oldLength > 0 && source.Length == _lastCount) || isOfLog;
            bool mayCompress = !isOneOfMany && IsLikelyTheEnd(newLength);
            _hasPackedEnd = mayCompress && newLength < _geometry.BlockSize;
            WriteBlock(ref run, page, block, source, mayCompress, mayBeInline: true);
            return;
        }
        // Whoever writes from front to end in small steps completes each block here; here and there, compressing would cost more than all the rest.
        bool isCompleted = _goesOn && reachesEnd && newLength == _geometry.BlockSize && !isOfLog;
        bool isRest = reachesEnd && IsRest(page, block, oldLength, newLength);
        bool growsFast = isRest || (newLength > oldLength && GrowsFast(page, block, oldLength, source.Length));
        if (!isCompleted && (isFirstOfPieces || (!growsFast && MayUseUnits(newLength))))
        {
            CommitWaiting(ref run, page);
            WriteUnits(page, block, inBlock, source, oldLength, newLength);
            return;
        }
        // Also where it does not shrink: whoever reads it from front to end finds its blocks in a row.
        using Scratch scratch = ScratchPool.Rent(_geometry.BlockSize);
        Span<byte> plain = scratch.Span[..newLength];
        ReadWholeBlock(block, oldLength, plain);
        source.CopyTo(plain[inBlock..]);
        _hasPackedEnd = isRest;
        WriteBlock(ref run, page, block, plain, isCompleted || (growsFast && IsLikelyTheEnd(newLength)), mayBeInline: true);
    }

    /// <summary>
    /// Buffers of programs end at multiples of 512, but files seldom do: there, more is likely to come. Packed too early it would be packed again, and
    /// what is left unpacked is packed at the close.
    /// </summary>
    private bool IsLikelyTheEnd(int length) => length == _geometry.BlockSize || length % SectorSize != 0;

    /// <summary>A database's log is used again and again, in synced steps: packed here, its blocks would be taken apart with the next round.</summary>
    private bool IsLogWrittenOver(int oldLength) => oldLength == _geometry.BlockSize && _smallSyncs >= FewSyncs;

    /// <summary>
    /// The rest of a new file that came in whole buffers. It is packed at once with what is there of its block, rather than at the close, after a version in units;
    /// where nothing is packed a block in units stays one.
    /// </summary>
    private bool IsRest(IndexPage page, long block, int oldLength, int newLength) =>
        _comesInBuffers && oldLength > 0 && newLength % SectorSize != 0 &&
        (_header.Compresses || !BlockVersion.Current(page.Bytes, Geometry.SlotOf(block)).IsInUnits);

    /// <summary>
    /// The end of a file that is written in a few large pieces. Its first units would be all of it, with a table; so it is stored whole again, and packed at
    /// the close. Whoever adds little to much gets units: the next piece then costs no more than itself.
    /// </summary>
    private bool GrowsFast(IndexPage page, long block, int oldLength, int added) =>
        _goesOn && oldLength > 0 && added >= oldLength / 2 && !BlockVersion.Current(page.Bytes, Geometry.SlotOf(block)).IsInUnits;
}
