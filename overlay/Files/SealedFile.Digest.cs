using System;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>The header's digest of all versions that exist (format §5): a block that was put back to an older version shows in it.</summary>
/// <remarks>
/// A change of group 0 that writes the header anyway takes the sum along, in the same write. For all others the header first
/// counts this process as a writer; what its changes add to the sum is kept in <c>_delta</c> until a sync or
/// <see cref="Settle"/> brings it into the header. A process that is killed stays counted: the sum is then known not to be exact.
/// </remarks>
public sealed partial class SealedFile
{
    /// <summary>So many groups are read to take the groups below a truncation out of the sum; beyond, it is given up.</summary>
    private const int MostGroupsSubtracted = 1024;

    private long _toldSeals;

    private ulong _delta;
    private ushort _deltaEpoch;
    private bool _isDigestOpen;
    private bool _hasNews;

    /// <summary>An index page is being written: whether what was to be written is there is not known.</summary>
    private bool _isIndexUncertain;

    /// <summary>
    /// In a forked child: what the parent changed, the parent tells and puts in order. The child may be another user soon, who cannot keep what the file's owner set.
    /// </summary>
    public void AfterFork()
    {
        _needsSettling = _closesLater = false;
        _isDigestOpen = false;
        _delta = 0;
        _hasNews = false;
        _toldSeals = Seals;
    }

    /// <summary>How often keys have sealed here since that was taken last; at most somewhat too little.</summary>
    public long NewSeals => Seals - _toldSeals;

    /// <summary>The header's sequence, if this process has written the header since it was asked last.</summary>
    /// <param name="seals">How often the file's key has sealed here since it was last asked.</param>
    public bool TryTakeNews(out ulong sequence, out uint seals)
    {
        lock (_gate)
        {
            (sequence, seals) = (0, 0);
            if (!_hasNews)
                return false;
            _hasNews = false;
            seals = (uint)Math.Min(Seals - _toldSeals, uint.MaxValue);
            _toldSeals += seals;
            Revalidate(); // what a failed write only meant to write does not count
            sequence = _header.Sequence;
            return true;
        }
    }

    /// <summary>Takes the present state for the right one: for a caller that has looked at all of it. Not inside <see cref="EnterWrite"/>.</summary>
    /// <param name="leastSequence">The header's sequence becomes greater than that: what was known of the file is older then.</param>
    public void AcceptState(ulong leastSequence = 0)
    {
        EnterWrite();
        try
        {
            if (!TrySumBelow(0, long.MaxValue, out ulong sum))
                throw new ErrnoException(Errno.EIO, "the file is damaged");
            _header.Digest = _header.Digest.Restart(sum);
            _header.Sequence = Math.Max(_header.Sequence, leastSequence);
            _isDigestOpen = false;
            WriteHeader();
        }
        catch (ErrnoException)
        {
            Distrust();
            throw;
        }
        finally
        {
            ExitWrite();
        }
    }

    /// <summary>Before an index page other than the first changes, and where the header says what the disk says.</summary>
    private void OpenDigest()
    {
        if (!CountWriter())
            return;
        WriteHeader();
        _isDigestOpen = true;
    }

    /// <summary>True: the header changed; the digest is open when it has been written.</summary>
    private bool CountWriter()
    {
        if (!_header.Digest.IsKept || IsDigestOpen)
            return false;
        StateDigest digest = _header.Digest;
        digest.IsUnsynced = true;
        if (digest.Writers == byte.MaxValue)
            digest.IsKept = false; // so many were killed: nobody can tell any more
        else
            digest.Writers++;
        _header.Digest = digest;
        _delta = 0;
        _deltaEpoch = digest.Epoch;
        _isDigestOpen = false;
        _needsSettling = true;
        return true;
    }

    private bool IsDigestOpen => _isDigestOpen && _header.Digest.IsKept && _deltaEpoch == _header.Digest.Epoch;

    /// <summary>Can the sum of a change of group 0 go out with it?</summary>
    private bool TakesDigestAlong(IndexPage page) => page.Group == 0 && _header.Digest.IsKept && !IsDigestOpen;

    /// <summary>Right before group 0 and the header are written in one.</summary>
    private void TakeDigestAlong(IndexPage page, int firstDirtySlot, int lastDirtySlot)
    {
        ulong sum = _header.Digest.Sum + Recount(page, firstDirtySlot, lastDirtySlot);
        _header.Digest = _header.Digest with { Sum = sum, IsUnsynced = true };
    }

    private void BeginIndexChange(IndexPage page)
    {
        if (page.Group != 0)
            OpenDigest();
        _isIndexUncertain = true;
    }

    private void EndIndexChange(IndexPage page, int firstDirtySlot, int lastDirtySlot)
    {
        _isIndexUncertain = false;
        if (IsDigestOpen)
            _delta += Recount(page, firstDirtySlot, lastDirtySlot);
        else
            page.ForgetMarks();
    }

    /// <summary>Brings what this process knows into the header, which the caller writes. True: it changed.</summary>
    private bool CloseDigest()
    {
        bool isOpen = IsDigestOpen;
        if (isOpen)
        {
            StateDigest digest = _header.Digest;
            _header.Digest = digest with { Sum = digest.Sum + _delta, Writers = (byte)(digest.Writers - 1) };
        }
        _isDigestOpen = false;
        _delta = 0;
        return isOpen;
    }

    /// <summary>Nothing that was written is not on disk.</summary>
    private void MarkSynced()
    {
        _header.Digest = _header.Digest with { IsUnsynced = false };
    }

    private void GiveUpDigest()
    {
        if (!_header.Digest.IsKept)
            return;
        _header.Digest = _header.Digest with { IsKept = false };
        _isDigestOpen = false;
        WriteHeader();
    }

    /// <summary>After a failure: the process stays counted as a writer if what it wrote last may be there or not.</summary>
    private void DistrustDigest()
    {
        if (_isIndexUncertain)
            _isDigestOpen = false;
        _isIndexUncertain = false;
    }

    /// <summary>Before a truncation hides whole groups.</summary>
    private void SubtractBelow(IndexPage page, int firstChild)
    {
        if (!_header.Digest.IsKept)
            return;
        OpenDigest();
        ulong sum = 0;
        long budget = MostGroupsSubtracted;
        GroupRecord record = new(page.Bytes);
        for (int child = firstChild; child < ChildrenPerGroup; child++)
        {
            if (!record.HasChild(child))
                continue;
            if (!TrySumBelow(page.Group * ChildrenPerGroup + 1 + child, ref budget, ref sum))
            {
                GiveUpDigest();
                return;
            }
        }
        _delta -= sum;
    }

    private bool TrySumBelow(long group, long budget, out ulong sum)
    {
        sum = 0;
        return TrySumBelow(group, ref budget, ref sum);
    }

    private bool TrySumBelow(long group, ref long budget, ref ulong sum)
    {
        if (--budget < 0)
            return false;
        IndexPage page = IndexPage.Rent(group);
        ReadIndexBytes(page);
        GroupRecord record = new(page.Bytes);
        if (!record.IsAuthentic(_fileId, group, KeyOf(record)))
            return false;
        sum += SumOf(page);
        for (int child = 0; child < ChildrenPerGroup; child++)
            if (record.HasChild(child) && !TrySumBelow(group * ChildrenPerGroup + 1 + child, ref budget, ref sum))
                return false;
        return true;
    }

    /// <summary>Before anything of a page is changed in memory: what it adds to the sum now.</summary>
    private void KnowMarks(IndexPage page)
    {
        if (page.Marks is null && _header.Digest.IsKept)
            CountMarks(page, page.MakeMarks());
    }

    /// <summary>What a page's change adds to the sum: versions of the given slots, bits of any.</summary>
    private ulong Recount(IndexPage page, int firstDirtySlot, int lastDirtySlot)
    {
        ulong[] marks = page.Marks ?? page.MakeMarks();
        ulong difference = 0;
        uint present = new GroupRecord(page.Bytes).Present;
        for (int slot = 0; slot < GroupBlocks; slot++)
        {
            bool isPresent = (present >> slot & 1) != 0;
            bool isDirty = slot >= firstDirtySlot && slot <= lastDirtySlot;
            if (isPresent && marks[slot] != 0 && !isDirty)
                continue;
            ulong mark = isPresent ? MarkOf(page, slot) : 0;
            difference += mark - marks[slot];
            marks[slot] = mark;
        }
        return difference;
    }

    /// <param name="marks">All zero.</param>
    private void CountMarks(IndexPage page, Span<ulong> marks)
    {
        uint present = new GroupRecord(page.Bytes).Present;
        for (int slot = 0; slot < GroupBlocks; slot++)
            if ((present >> slot & 1) != 0)
                marks[slot] = MarkOf(page, slot);
    }

    private ulong SumOf(IndexPage page)
    {
        Span<ulong> marks = stackalloc ulong[GroupBlocks];
        CountMarks(page, marks);
        ulong sum = 0;
        foreach (ulong mark in marks)
            sum += mark;
        return sum;
    }

    private ulong MarkOf(IndexPage page, int slot)
    {
        BlockVersion current = BlockVersion.Current(page.Bytes, slot);
        return (KeyOf(current) ?? _key).Mark(page.Group * GroupBlocks + slot, current.Description);
    }
}
