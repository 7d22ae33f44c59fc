using System;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>The header, and the first group's index, its neighbour, which comes along with it.</summary>
public sealed partial class SealedFile
{
    /// <summary>The first page as it was read at the open, if nobody has been writing since.</summary>
    private void KeepFirstPage(IndexPage page, ulong word)
    {
        TrustSince(word);
        if (_cachedWord != ~0UL)
            KeepFirstPage(page);
    }

    private void KeepFirstPage(IndexPage page)
    {
        SplitInline(page);
        GroupRecord record = new(page.Bytes);
        if (record.IsAuthentic(_fileId, 0, KeyOf(record)))
            _index.Keep(page, neededGroup: 0);
        else
            page.Return();
    }

    /// <param name="mayAsk">False: nobody is asked for a key that came meanwhile (<see cref="UnknownKeyException"/>).</param>
    private void ReadHeader(bool mayAsk = true)
    {
        // All others are found from the first group on: where the file changes under our hands both are read again and again.
        IndexPage? first = _isShared && _header.IsIndexed ? IndexPage.Rent(0) : null;
        Span<byte> head = stackalloc byte[HeaderSize], page = first is null ? head : first.Bytes;
        for (int attempt = 0; ; attempt++)
        {
            int count = ReadStored(0, page);
            HeaderFault fault = FileHeader.Parse(page[..Math.Min(count, HeaderSize)], out FileHeader header);
            if (fault == HeaderFault.Ok && !(FileHeader.FileIdOf(page).SequenceEqual(_fileId) && header.BlockSizeLog2 == _geometry.BlockSizeLog2))
                fault = HeaderFault.Damaged;
            if (fault == HeaderFault.Ok)
                fault = FitKeys(page, header, mayAsk);
            if (fault == HeaderFault.Ok)
            {
                _header = header;
                _closesLater = false;
                if (first is not null && count == PageSize && _header.IsIndexed)
                    KeepFirstPage(first);
                return;
            }
            if (attempt == ReadAttempts)
                throw Damage(fault == HeaderFault.WrongKey ? "it was given another key (overlay-ctl rekey), which the store does not have" : "the header is damaged");
            Retry(attempt);
        }
    }

    private void WriteHeader()
    {
        Span<byte> page = stackalloc byte[HeaderSize];
        SealHeader(page);
        Replace(0, page);
        if (_index.TryGet(0, out IndexPage? index))
            page.CopyTo(index.Bytes);
    }

    private void SealHeader(Span<byte> page)
    {
        _header.Sequence++;
        _hasNews = true;
        _closesLater = false;
        _header.Boot = _context.BootWord;
        _header.Write(page, _fileId, _context.VolumeId, _key);
    }
}
