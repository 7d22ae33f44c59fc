using System;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>Looking at everything that is there.</summary>
public sealed partial class SealedFile
{
    /// <summary>
    /// Opens every record and block. Programs may go on writing meanwhile: what fails is looked at again under the inode's lock,
    /// and is damage only if it fails there, too.
    /// </summary>
    public FileSurvey Survey(Action<FileDamage> onDamage)
    {
        lock (_gate)
        {
            Revalidate();
            long blocks = (_header.Size + _geometry.BlockSize - 1) >> _geometry.BlockSizeLog2;
            FileSurvey survey = new() { FileId = _fileId, Sequence = _header.Sequence };
            _surveyedSum = 0;
            _hasSurveyedYoung = false;
            SurveyGroup(0, survey, onDamage);
            survey.Digest = CheckDigest(survey.DamagedBlocks > 0);
            survey.Holes = Math.Max(0, blocks - survey.Blocks - survey.DamagedBlocks - survey.UnreachableBlocks);
            return survey;
        }
    }

    /// <summary>Gives the size to a look at the backing file, and keeps writers away meanwhile.</summary>
    public T WhileNobodyWrites<T>(Func<long, T> look)
    {
        lock (_gate)
        {
            _context.Lock.Enter();
            try
            {
                _isWriting = true; // nothing is tried again
                FinishKilledWrite();
                ReadHeader();
                return look(_header.Size);
            }
            finally
            {
                _isWriting = false;
                _cachedWord = ~0UL;
                _context.Lock.Exit();
            }
        }
    }

    /// <summary>A group, then those below it: what does not exist costs nothing.</summary>
    private void SurveyGroup(long group, FileSurvey survey, Action<FileDamage> onDamage)
    {
        IndexPage? page = null;
        ErrnoException? fault = TryTwice(() => page = FindGroup(group));
        if (fault is not null)
        {
            long bytes = BytesBelow(group);
            survey.DamagedBlocks++;
            survey.UnreachableBlocks += (bytes + _geometry.BlockSize - 1) / _geometry.BlockSize - 1;
            onDamage(new FileDamage(group, -1, group * _geometry.GroupSize, bytes, _geometry.IndexOffset(group) + RecordOffset, fault.Message));
            return;
        }
        if (page is null)
            return;
        _surveyedSum += SumOf(page);
        _hasSurveyedYoung |= MayBeLost(new GroupRecord(page.Bytes).Interval, new GroupRecord(page.Bytes).Boot);
        for (int slot = 0; slot < GroupBlocks; slot++)
            SurveyBlock(page, slot, survey, onDamage);
        for (int child = 0; child < ChildrenPerGroup; child++)
        {
            long below = group * ChildrenPerGroup + 1 + child;
            if (below <= _geometry.LastGroup(_header.Size) && new GroupRecord(page.Bytes).HasChild(child))
                SurveyGroup(below, survey, onDamage);
        }
    }

    private void SurveyBlock(IndexPage page, int slot, FileSurvey survey, Action<FileDamage> onDamage)
    {
        long block = page.Group * GroupBlocks + slot;
        long offset = block << _geometry.BlockSizeLog2;
        if (offset >= _header.Size || (new GroupRecord(page.Bytes).Present >> slot & 1) == 0)
            return;
        int length = 0;
        ErrnoException? fault = TryTwice(() =>
        {
            using Scratch scratch = ScratchPool.Rent(_geometry.BlockSize);
            length = offset < _header.Size ? OpenBlock(block, scratch.Span[.._geometry.BlockSize]) : 0;
        });
        BlockVersion current = BlockVersion.Current(page.Bytes, slot);
        _hasSurveyedYoung |= MayBeLost(current.Interval, current.Boot);
        if (fault is null)
        {
            survey.Blocks++;
            survey.PlainBytes += length;
            survey.StoredBytes += current.StoredLength;
            survey.CompressedBlocks += current.Kind == StoredKind.Lz4 ? 1 : 0;
            return;
        }
        survey.DamagedBlocks++;
        long bytes = Math.Min(_geometry.BlockSize, _header.Size - offset);
        long stored = !current.IsSane(_geometry.BlockSize, block == 0 && !_header.IsIndexed)
            ? _geometry.IndexOffset(page.Group) + EntryOffset + slot * EntrySize
            : current.IsInUnits ? _geometry.TablesOffset(page.Group) + Geometry.TableIn(slot, current.Place)
            : _geometry.PlaceOffset(page.Group, slot, current.Place);
        onDamage(new FileDamage(page.Group, block, offset, bytes, stored, fault.Message));
    }

    private ulong _surveyedSum;
    private bool _hasSurveyedYoung;

    private DigestState CheckDigest(bool isDamaged)
    {
        if (isDamaged || !_header.Digest.IsKept)
            return DigestState.Unknown;
        if (_header.Digest.IsExact && _header.Digest.Sum == _surveyedSum)
            return DigestState.Exact;
        // While the groups were read a writer may have been at work.
        _context.Lock.Enter();
        _isWriting = true; // nothing is tried again
        try
        {
            Forget();
            ReadHeader();
            if (!_header.Digest.IsKept)
                return DigestState.Unknown;
            if (!_header.Digest.IsExact || _header.TruncatedFrom != 0)
                return DigestState.InUse;
            if (TrySumBelow(0, long.MaxValue, out ulong sum) && sum == _header.Digest.Sum)
                return DigestState.Exact;
            bool mayBeLost = _hasSurveyedYoung || _header.Digest.IsRebooted || (_header.Digest.IsUnsynced && _header.Boot != _context.BootWord);
            return mayBeLost ? DigestState.DiffersUnsynced : DigestState.Differs;
        }
        finally
        {
            _isWriting = false;
            _cachedWord = ~0UL;
            _context.Lock.Exit();
        }
    }

    /// <summary>Logical bytes of a group and of all groups below it.</summary>
    private long BytesBelow(long group)
    {
        long bytes = 0;
        long lastGroup = _geometry.LastGroup(_header.Size);
        for (long first = group, last = group; first <= lastGroup; first = first * ChildrenPerGroup + 1, last = (last + 1) * ChildrenPerGroup)
            bytes += Math.Min((Math.Min(last, lastGroup) + 1) * _geometry.GroupSize, _header.Size) - first * _geometry.GroupSize;
        return bytes;
    }

    /// <summary>Once as readers do it; where that fails, once under the lock, with nothing that was cached. Null: all is well.</summary>
    private ErrnoException? TryTwice(Action look)
    {
        try
        {
            look();
            return null;
        }
        catch (ErrnoException) when (!_isWriting)
        {
        }
        _context.Lock.Enter();
        _isWriting = true; // nobody else writes, so nothing is tried again
        try
        {
            Forget();
            FinishKilledWrite();
            ReadHeader();
            look();
            return null;
        }
        catch (ErrnoException exception)
        {
            return exception;
        }
        finally
        {
            _isWriting = false;
            _cachedWord = ~0UL;
            _context.Lock.Exit();
        }
    }
}
