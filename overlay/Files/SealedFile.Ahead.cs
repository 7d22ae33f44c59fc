using System;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>
/// Large writes: whole blocks are announced, as many as a job takes; then helper and caller compress and seal them, each the next one; the caller
/// stores them in their order, as always. What it finds to be otherwise than was announced it seals anew.
/// </summary>
public sealed unsafe partial class SealedFile
{
    /// <summary>Less is done before anybody is awake.</summary>
    private const int LeastShared = 64 << 10, LeastBlocks = 4;

    /// <summary>By a page at least, which a block of one page does not.</summary>
    private bool MayShrink => _header.Compresses && _geometry.BlockSize > PageSize;

    /// <summary>Larger blocks are compressed by what needs the runtime (<see cref="BlockCompressor"/>).</summary>
    private bool TryGetHelp(int length) =>
        _context.Helper is { } helper && length >= Math.Max(LeastShared, LeastBlocks << _geometry.BlockSizeLog2) &&
        _geometry.BlockSize <= BlockCompressor.MostAhead && AheadSealers.Of(_key.Suite) != 0 && helper.TryTake(length);

    /// <summary>At a block: begins the next job, if this block is in none and enough follow.</summary>
    /// <param name="length">Of what follows at <paramref name="plain"/>.</param>
    private void ShareOut(ref SealedRun run, IndexPage page, long block, byte* plain, int length)
    {
        if (run.Ahead != null && run.Ahead->Has(block))
            return;
        int count = Math.Min(length, AheadJob.MostBytes) >> _geometry.BlockSizeLog2;
        count = Math.Min(count, AheadJob.MostBlocks);
        if (count < LeastBlocks)
            return;
        // The last job's blocks may still wait in its memory.
        Flush(ref run, page);
        EndShare(ref run);
        fixed (byte* room = run.AheadRoom)
        {
            AheadJob* job = (AheadJob*)room;
            Announce(job, page, block, count, plain);
            run.Ahead = job;
            _context.Helper!.Call(job);
        }
    }

    private void Announce(AheadJob* job, IndexPage page, long first, int count, byte* plain)
    {
        *job = new AheadJob
        {
            Count = count,
            BlockSize = _geometry.BlockSize,
            FirstBlock = first,
            Plain = plain,
            Sealed = (byte*)job + AheadJob.HeadSize,
            Key = _key.ForAhead,
        };
        _fileId.CopyTo(new Span<byte>(job->FileId, FileIdSize));
        int incompressibleRun = _incompressibleRun;
        for (int i = 0; i < count; i++)
        {
            AheadBlock* block = AheadJob.BlockOf(job, i);
            *block = new AheadBlock
            {
                MayCompress = MayShrink && IsWorthTrying(ref incompressibleRun) ? 1 : 0,
            };
            // Should no place be free, it is stored in another way (StoreWhole).
            int place = FreePlace(page, Geometry.SlotOf(first + i));
            BlockVersion.Of(VersionOf(block)).Announce(_header.SyncInterval, _context.BootWord, Math.Max(place, 0), _key);
        }
    }

    /// <summary>Does what is left to do until this block is done, and says whether it can be taken as it was announced.</summary>
    private bool TryTakeAhead(in SealedRun run, IndexPage page, long block, out int storedLength)
    {
        storedLength = 0;
        AheadJob* job = run.Ahead;
        if (job == null || !job->Has(block))
            return false;
        AheadBlock* ahead = AheadJob.BlockOf(job, (int)(block - job->FirstBlock));
        while (!ahead->IsDone)
            if (!AheadJob.TryWork(job))
                _context.Helper!.Recall();
        storedLength = ahead->StoredLength;
        int place = FreePlace(page, Geometry.SlotOf(block));
        if (storedLength == 0 || !BlockVersion.Of(VersionOf(ahead)).IsAsAnnounced(_header.SyncInterval, _context.BootWord, place, _key))
            return false;
        if (MayShrink)
            _ = IsWorthTrying(ref _incompressibleRun);
        if (ahead->MayCompress != 0)
            NoteTried(hasShrunk: storedLength < _geometry.BlockSize);
        return true;
    }

    private static void TakeVersion(in SealedRun run, long block, BlockVersion target) =>
        target.CopyFrom(BlockVersion.Of(VersionOf(AheadJob.BlockOf(run.Ahead, (int)(block - run.Ahead->FirstBlock)))));

    private static Span<byte> VersionOf(AheadBlock* block) => new(block->Version, VersionSize);

    /// <summary>Before the job's memory, or what it reads, is used for anything else.</summary>
    private void EndShare(ref SealedRun run)
    {
        if (run.Ahead == null)
            return;
        AheadJob.Close(run.Ahead);
        _context.Helper!.Recall();
        run.Ahead = null;
    }
}
