using System;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>Before a file grows: <c>st_size</c> says no more what it is (format §8), and page 0 has room for entries (format §2).</summary>
public sealed partial class SealedFile
{
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
}
