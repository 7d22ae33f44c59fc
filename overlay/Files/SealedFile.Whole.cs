using System;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>A block that is stored whole: compress → seal → a free place, or, for a small file, behind the header (format §6).</summary>
public sealed partial class SealedFile
{
    /// <summary>After so many blocks in a row that did not shrink, only every sixteenth is tried.</summary>
    private const int PatienceWithCompression = 4;

    private int _incompressibleRun;

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
