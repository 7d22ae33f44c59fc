using System;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>Writing: range → blocks → compress → seal → a free place; then entries, record, header (format §6).</summary>
public sealed partial class SealedFile
{
    /// <summary>After so many blocks in a row that did not shrink, only every sixteenth is tried.</summary>
    private const int PatienceWithCompression = 4;

    private int _incompressibleRun;

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

    /// <summary>Makes <c>st_size</c> and the index ready for a size of at least <paramref name="size"/>.</summary>
    private void PrepareToGrow(long size, bool mayStayInline)
    {
        if (_storedLength < 0)
            _storedLength = _context.Backing.Length;
        if (size <= _header.Size)
            return;
        if (!mayStayInline || size > InlineSize || !StaysInlineRaw())
            Unsettle(size);
        if (size > _geometry.BlockSize && !_header.IsIndexed)
            TurnIndexOn();
    }

    /// <summary>Is, and after growing stays, <c>st_size</c> = 512 + size by the mere write (format §8)?</summary>
    private bool StaysInlineRaw()
    {
        if (_header.IsIndexed || _storedLength != InlineOffset + _header.Size)
            return false;
        IndexPage page = FindGroup(0)!;
        BlockVersion current = BlockVersion.Current(page.Bytes, 0);
        bool isPresent = (new GroupRecord(page.Bytes).Present & 1) != 0;
        return !isPresent
            ? current.IsZero && BlockVersion.Durable(page.Bytes, 0).IsZero
            : current.Place == InlinePlace && current.Kind == StoredKind.Raw && MayOverwriteInline(page);
    }

    private void Unsettle(long size)
    {
        _needsSettling = true;
        long unsettled = Math.Max(_geometry.UnsettledLength(size), _geometry.UnsettledLength(_header.Size));
        if (_storedLength % 2 == 0 && _storedLength >= unsettled)
            return;
        // Never shorter than it is: only settling cuts.
        unsettled = Math.Max(unsettled, _storedLength + _storedLength % 2);
        _context.Backing.SetLength(unsettled);
        _storedLength = unsettled;
    }

    /// <summary>Frees page 0 of inline data, so that entries can lie there (format §2).</summary>
    private void TurnIndexOn()
    {
        IndexPage page = FindGroup(0)!;
        BeginGroup(page, 0, 0);
        ResolveEntry(page, 0, 0);
        BlockVersion current = BlockVersion.Current(page.Bytes, 0);
        BlockVersion durable = BlockVersion.Durable(page.Bytes, 0);
        bool isPresent = (new GroupRecord(page.Bytes).Present & 1) != 0;
        bool isInBase = (new GroupRecord(page.Base).BasePresent & 1) != 0;
        bool holdsDurable = isInBase && (IsOnDisk(current) ? current : durable) is { IsZero: false, Place: InlinePlace };
        if (isPresent && current.Place == InlinePlace)
            MoveBlockZero(page);
        if (holdsDurable)
            MakeEverythingDurable();
        page = FindGroup(0)!;
        current = BlockVersion.Current(page.Bytes, 0);
        durable = BlockVersion.Durable(page.Bytes, 0);
        if (!current.IsZero && current.Place == InlinePlace)
            current.Clear();
        if (!durable.IsZero && durable.Place == InlinePlace)
            durable.Clear();
        page.Bytes.AsSpan(InlineOffset).Clear();
        page.ForgetInline();
        Rebase(page);
        _header.IsIndexed = true;
        bool takesAlong = TakesDigestAlong(page);
        if (takesAlong)
            TakeDigestAlong(page, 0, 0);
        else
            BeginIndexChange(page);
        SealRecord(page);
        SealHeader(page.Bytes);
        Replace(0, page.Bytes);
        if (!takesAlong)
            EndIndexChange(page, 0, 0);
    }

    private void MoveBlockZero(IndexPage page)
    {
        using Scratch plain = ScratchPool.Rent(_geometry.BlockSize);
        int length = OpenBlock(0, plain.Span[.._geometry.BlockSize]);
        Unsettle(_header.Size);
        BeginGroup(page, 0, 0);
        WriteBlock(page, 0, plain.Span[..length], mayCompress: true, mayBeInline: false);
        CommitGroup(page);
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

    /// <summary>The block's <paramref name="oldLength"/> bytes and zeros behind them.</summary>
    private void ReadWholeBlock(long block, int oldLength, Span<byte> plain)
    {
        int length = 0;
        if (oldLength > 0)
        {
            if (LastBlock.TryRead(_stamp, block, plain[..oldLength]) || TryReadCached(block, 0, plain[..oldLength]))
            {
                length = oldLength;
            }
            else
            {
                using Scratch whole = ScratchPool.Rent(_geometry.BlockSize);
                length = Math.Min(OpenBlock(block, whole.Span[.._geometry.BlockSize]), oldLength);
                whole.Span[..length].CopyTo(plain);
            }
        }
        plain[length..].Clear();
    }

    private void WriteBlock(IndexPage page, long block, ReadOnlySpan<byte> plain, bool mayCompress, bool mayBeInline)
    {
        using Scratch scratch = ScratchPool.Rent(_geometry.BlockSize + DataKey.TagFieldSize);
        SealedRun run = new(scratch.Span);
        WriteBlock(ref run, page, block, plain, mayCompress, mayBeInline);
        Flush(ref run, page);
    }

    private unsafe void WriteBlock(ref SealedRun run, IndexPage page, long block, ReadOnlySpan<byte> plain, bool mayCompress, bool mayBeInline)
    {
        ResolveEntry(page, Geometry.SlotOf(block), block);
        bool fitsInline = mayBeInline && block == 0 && !_header.IsIndexed && IsInlineFree(page);
        if (!fitsInline && TryTakeAhead(in run, page, block, out int stored))
        {
            StoredKind kind = stored < plain.Length ? StoredKind.Lz4 : StoredKind.Raw;
            StoreWhole(ref run, page, block, plain, new ReadOnlySpan<byte>(run.Ahead->SealedOf(block), stored), kind, fitsInline, isSealed: true);
            return;
        }
        using Scratch packed = ScratchPool.Rent(_geometry.BlockSize);
        if (mayCompress && _header.Compresses && !(fitsInline && plain.Length <= InlineSize) &&
            TryCompress(plain, packed.Span, fitsInline, out int packedLength))
            StoreWhole(ref run, page, block, plain, packed.Span[..packedLength], StoredKind.Lz4, fitsInline);
        else
            StoreWhole(ref run, page, block, plain, plain, StoredKind.Raw, fitsInline);
    }

    /// <summary>
    /// Steps 1 and 2 of writing a version, and the entry in memory. The stored bytes may wait in <paramref name="run"/>: until
    /// <see cref="Flush"/> the block does not count as written.
    /// </summary>
    /// <param name="isSealed">It was sealed ahead, for the place that is free; <paramref name="stored"/> is what belongs there.</param>
    private void StoreWhole(
        ref SealedRun run, IndexPage page, long block, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> stored, StoredKind kind, bool fitsInline,
        bool isSealed = false)
    {
        int slot = Geometry.SlotOf(block);
        BlockVersion current = BlockVersion.Current(page.Bytes, slot);
        BlockVersion durable = BlockVersion.Durable(page.Bytes, slot);
        bool isInline = fitsInline && stored.Length <= InlineSize;
        // Raw inline data that only grows leaves nothing to be put in order: st_size follows by itself (format §8).
        _needsSettling |= !isInline || kind == StoredKind.Lz4;
        if (isInline && kind == StoredKind.Lz4)
            Unsettle(Math.Max(_header.Size, plain.Length));
        bool isReplacing = !current.IsZero && !(isInline && current.Place == InlinePlace);
        uint stalePlaces = isReplacing ? PlacesToNote(page, slot) : 0;
        int place = isInline ? InlinePlace : FreePlace(page, slot);
        if (place < 0)
        {
            // No place is free as a whole: units of two versions lie in all three.
            CommitWaiting(ref run, page);
            StoreUnits(page, block, plain, (1U << _units.CountFor(plain.Length)) - 1, goesOn: false);
            LastBlock.Forget(_stamp);
            PutCached(block, plain);
            return;
        }
        if (!current.IsZero && IsOnDisk(current))
            durable.CopyFrom(current);

        long offset = isInline ? -1 : _geometry.PlaceOffset(page.Group, slot, place);
        if (!(isSealed ? run.CanTakeAhead(offset, block) : run.CanTake(offset, stored.Length)))
            Flush(ref run, page);
        Span<byte> sealedText = isSealed ? default : run.Free[..(stored.Length + _key.TagSize)];
        if (isSealed)
            TakeVersion(in run, block, current);
        else
            current.Seal(_fileId, block, _header.SyncInterval, _context.BootWord, place, kind, _key, stored, sealedText);
        if (isInline)
        {
            // Goes out with the sector in front of it, in one write (format §6).
            sealedText[..stored.Length].CopyTo(page.Bytes.AsSpan(InlineOffset));
            page.ForgetInline();
            _inlineLength = stored.Length;
            _isInlineDirty = true;
        }
        else
        {
            // The write itself must not become st_size: it could look like a settled one.
            long end = Math.Max(_header.Size, (block << _geometry.BlockSizeLog2) + plain.Length);
            if (_storedLength < _geometry.UnsettledLength(end))
                Unsettle(end);
            if (isSealed)
                run.AddAhead(offset, stored.Length, slot, block);
            else
                run.Add(offset, stored.Length, slot);
        }
        if (isReplacing)
        {
            NoteStale(page.Group, 1U << slot, stalePlaces);
            _needsSettling = true;
        }
        if (isInline)
            MarkWritten(page, slot);
        KeepIfRead(block, plain);
    }

    /// <summary>Writes what waits in a run; its blocks then count as written.</summary>
    private void Flush(ref SealedRun run, IndexPage page)
    {
        if (run.IsEmpty)
            return;
        _context.Backing.Write(run.Offset, run.Bytes);
        for (int slot = run.FirstSlot; slot <= run.LastSlot; slot++)
            MarkWritten(page, slot);
        run.Clear();
    }

    private bool TryCompress(ReadOnlySpan<byte> plain, Span<byte> packed, bool fitsInline, out int packedLength)
    {
        packedLength = 0;
        // To pay, it must save a page, or make the block fit behind the header.
        int limit = (plain.Length - 1) / PageSize * PageSize;
        if (fitsInline)
            limit = Math.Max(limit, InlineSize);
        if (limit == 0 || limit >= plain.Length + PageSize)
            return false;
        if (!IsWorthTrying(ref _incompressibleRun))
            return false;
        packedLength = BlockCompressor.Compress(plain, packed[..Math.Min(limit, _geometry.BlockSize)], fitsInline ? InlineSize : 0);
        NoteTried(packedLength > 0);
        return packedLength > 0;
    }

    private static bool IsWorthTrying(ref int incompressibleRun) =>
        incompressibleRun < PatienceWithCompression || incompressibleRun++ % 16 == 0;

    private void NoteTried(bool hasShrunk) => _incompressibleRun = hasShrunk
        ? 0
        : Math.Max(_incompressibleRun, 1) + (_incompressibleRun < PatienceWithCompression ? 1 : 0);

    private bool IsInlineFree(IndexPage page)
    {
        BlockVersion current = BlockVersion.Current(page.Bytes, 0);
        BlockVersion durable = BlockVersion.Durable(page.Bytes, 0);
        return (current.IsZero || current.Place != InlinePlace || MayOverwriteInline(page)) &&
            (durable.IsZero || durable.Place != InlinePlace);
    }

    /// <summary>The inline place may be overwritten by its next version where nothing durable is in it (format §6).</summary>
    private bool MayOverwriteInline(IndexPage page) =>
        !IsOnDisk(BlockVersion.Current(page.Bytes, 0)) &&
        (BlockVersion.Durable(page.Bytes, 0).IsZero || BlockVersion.Durable(page.Bytes, 0).Place != InlinePlace);
}
