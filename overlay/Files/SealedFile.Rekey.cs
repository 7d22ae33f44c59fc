using System;
using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>
/// Replacing the file's key while programs use it (format §4, Two keys): <see cref="BeginRekey"/>, <see cref="Reseal"/> until there is no more,
/// <see cref="EndRekey"/>; any number of processes may do so at a time. Killed in between, the same is done again from the start, and finds what is done.
/// </summary>
/// <remarks>
/// Invariants: nothing is sealed with the new key before a header that names it is on disk, since a power loss may bring that one back; nor does
/// the header say that the old key is not needed any more before everything is on disk that was sealed anew. Whoever seals holds the lock and has
/// read the header: from the switch on nobody seals with the old key, so what was found to be resealed stays it.
/// </remarks>
public sealed partial class SealedFile
{
    /// <summary>Plain bytes that are sealed anew while other writers wait.</summary>
    private const int MostAtATime = 256 << 10;

    /// <summary>Is this the key that seals, and the only one?</summary>
    public bool HasOnlyKey(ReadOnlySpan<byte> keyCheck)
    {
        lock (_gate)
        {
            Revalidate();
            return !_header.HasTwoKeys && Secret.Same(_key.KeyCheck, keyCheck);
        }
    }

    /// <summary>From here on everything is sealed with <paramref name="next"/>. Not inside <see cref="EnterWrite"/>.</summary>
    /// <param name="next">32 bytes; durable, beside the present key.</param>
    /// <returns>False: the file has come to yet another key.</returns>
    public bool BeginRekey(ReadOnlySpan<byte> next)
    {
        DataKey? key = DataKey.Import(_key.Suite, next);
        bool isOurs = true;
        try
        {
            ChangeHeader(() => isOurs = SwitchTo(ref key));
            return isOurs;
        }
        finally
        {
            key?.Dispose();
        }
    }

    private bool SwitchTo(ref DataKey? next)
    {
        if (Secret.Same(_key.KeyCheck, next!.KeyCheck))
            return true; // it was done, by us or another process
        if (_header.HasPreviousKey || (_header.HasNextKey && !Secret.Same(_otherKey!.KeyCheck, next.KeyCheck)))
            return false;
        if (!_header.HasNextKey)
        {
            next.Epoch = (_header.KeyEpoch + 1) % KeyEpochs;
            (_otherKey, next) = (next, null);
            _header.HasNextKey = true;
        }
        // Also where the header said so before: who wrote it may have been killed ahead of the sync.
        MakeEverythingDurable();
        (_key, _otherKey) = (_otherKey!, _key);
        _header.KeyEpoch = _key.Epoch;
        (_header.HasNextKey, _header.HasPreviousKey) = (false, true);
        WriteHeader();
        return true;
    }

    /// <summary>
    /// Seals the next blocks anew that the present key has not sealed, at most some 256 KiB while other writers wait. Not inside <see cref="EnterWrite"/>.
    /// </summary>
    /// <returns>False: there is nothing more to be done.</returns>
    public bool Reseal(RekeyWalk walk)
    {
        ArgumentNullException.ThrowIfNull(walk);
        if (!walk.TryNext(out long group, out int slot))
            return false;
        ChangeHeader(() =>
        {
            if (IsUnderWay(walk))
                ResealSome(walk, group, slot);
            else
                walk.GiveUp();
        });
        return true;
    }

    /// <summary>
    /// After all of it: makes it durable, and says that the old key is not needed. Not inside <see cref="EnterWrite"/>.
    /// </summary>
    public void EndRekey(RekeyWalk walk)
    {
        ArgumentNullException.ThrowIfNull(walk);
        Sync(dataOnly: true);
        ChangeHeader(() =>
        {
            if (!IsUnderWay(walk))
                return;
            // What has been sealed since the sync has replaced what the new key had sealed.
            ReturnInline();
            ForgetKey(ref _otherKey);
            _header.HasPreviousKey = false;
            WriteHeader();
        });
        Sync(dataOnly: true);
        _steps = 0; // nothing stays that the old key has sealed
        Settle();
    }

    /// <summary>Makes what was sealed so far durable, and frees the places of what it replaced. Not inside <see cref="EnterWrite"/>.</summary>
    public void FreeResealed()
    {
        Sync(dataOnly: true);
        ChangeHeader(ReclaimStale);
    }

    /// <summary>Another process may have ended it, and have begun the next one: what this walk has passed says nothing then.</summary>
    private bool IsUnderWay(RekeyWalk walk) => _header.HasPreviousKey && Secret.Same(_key.KeyCheck, walk.KeyCheck);

    private void ResealSome(RekeyWalk walk, long group, int slot)
    {
        if (_storedLength < 0)
            _storedLength = _context.Backing.Length;
        _needsSettling = true;
        // Before the page is in hand: it may change the last block, in whichever group that is.
        ClearBeyondSize(_header.Size);
        _groupInHand = group;
        if (slot == 0)
            ForgetBeyondSize(group);
        IndexPage? page = FindGroup(group);
        if (page is null || group > _geometry.LastGroup(_header.Size))
        {
            walk.Leave([]);
            return;
        }
        if (slot == 0)
            ResealRecord(page);
        int end = Math.Min(GroupBlocks, slot + Math.Max(1, MostAtATime >> _geometry.BlockSizeLog2));
        ResealBlocks(page, slot, end, walk);
        if (end < GroupBlocks)
        {
            walk.ComeBack(end);
            return;
        }
        List<long> below = [];
        for (int child = ChildrenPerGroup - 1; child >= 0; child--)
            if (new GroupRecord(page.Bytes).HasChild(child))
                below.Add(group * ChildrenPerGroup + 1 + child);
        walk.Leave(below);
    }

    /// <summary>What a killed writer left there would not be resealed.</summary>
    private void ForgetBeyondSize(long group)
    {
        if (ClearBits(group, _geometry.LastGroup(_header.Size)) && HasDurableState)
            MakeEverythingDurable(); // see ClearBeyondSize
    }

    /// <summary>And what an earlier boot left in doubt is decided.</summary>
    private void ResealRecord(IndexPage page)
    {
        Rebase(page);
        if (new GroupRecord(page.Bytes).IsOdd != _key.IsOdd)
            WriteRecord(page);
    }

    private void ResealBlocks(IndexPage page, int firstSlot, int endSlot, RekeyWalk walk)
    {
        using Scratch scratch = ScratchPool.Rent(RunSizeFor(MostAtATime)), plain = ScratchPool.Rent(_geometry.BlockSize);
        SealedRun run = new(scratch.Span);
        long first = page.Group * GroupBlocks;
        BeginGroup(page, first + firstSlot, first + endSlot - 1);
        for (int slot = firstSlot; slot < endSlot; slot++)
        {
            if ((new GroupRecord(page.Bytes).Present >> slot & 1) == 0)
                continue;
            walk.Bytes += Math.Min(_geometry.BlockSize, _header.Size - ((first + slot) << _geometry.BlockSizeLog2));
            if (!MustBeResealed(BlockVersion.Current(page.Bytes, slot)))
                continue;
            int length = OpenBlock(first + slot, plain.Span[.._geometry.BlockSize]);
            if (_newTableSlot != NoSlot)
                CommitWaiting(ref run, page);
            WriteBlock(ref run, page, first + slot, plain.Span[..length], mayCompress: true, mayBeInline: true);
        }
        CommitWaiting(ref run, page);
    }

    /// <summary>A version that a power loss may have taken stands for an older one, perhaps of the old key.</summary>
    private bool MustBeResealed(BlockVersion current) => current.IsOdd != _key.IsOdd || MayBeLost(current.Interval, current.Boot);

    /// <summary>A small file whose only block had to leave its page, since a durable version was there: that one is needed no more.</summary>
    private void ReturnInline()
    {
        IndexPage page = FindGroup(0)!;
        BlockVersion current = BlockVersion.Current(page.Bytes, 0);
        bool isThere = !_header.IsIndexed && (new GroupRecord(page.Bytes).Present & 1) != 0;
        if (!isThere || current.IsInUnits || current.Place == InlinePlace || current.StoredLength > InlineSize || !IsOnDisk(current))
            return;
        using Scratch scratch = ScratchPool.Rent(_geometry.BlockSize);
        int length = OpenBlock(0, scratch.Span[.._geometry.BlockSize]);
        BeginGroup(page, 0, 0);
        BlockVersion.Durable(page.Bytes, 0).Clear();
        WriteBlock(page, 0, scratch.Span[..length], mayCompress: true, mayBeInline: true);
        CommitGroup(page);
    }
}
