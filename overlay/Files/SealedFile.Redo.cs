using System;
using System.Buffers.Binary;
using Overlay.Crypto;
using Overlay.Format;
using static Overlay.Format.FormatConstants;

namespace Overlay.Files;

/// <summary>Writes into index pages that are whole for whoever comes after a kill (invariant 2; <see cref="IRedo"/>).</summary>
public sealed partial class SealedFile
{
    private KilledWrite? _killedWrite;

    /// <summary>Every change of an index page goes through here: what lay there may be the only version that was acknowledged.</summary>
    private void Replace(long offset, ReadOnlySpan<byte> data)
    {
        CheckWhole();
        _context.Redo.Begin(_fileId, offset, data);
        try
        {
            _context.Backing.Write(offset, data);
        }
        finally
        {
            _context.Redo.End();
        }
    }

    /// <summary>A table was replaced, its entry was not, and neither could the table be put back: whoever comes next does it, as after a kill.</summary>
    private bool _isHalfDone;

    /// <summary>An entry and the table that it vouches for: both, or neither.</summary>
    /// <param name="before">What the table was.</param>
    private void ReplaceWithTable(long offset, ReadOnlySpan<byte> data, long tableOffset, ReadOnlySpan<byte> table, ReadOnlySpan<byte> before)
    {
        CheckWhole();
        bool isTableNew = false, isDone = false;
        _context.Redo.Begin(_fileId, offset, data, tableOffset, table);
        try
        {
            _context.Backing.Write(tableOffset, table);
            isTableNew = true;
            _context.Backing.Write(offset, data);
            isDone = true;
        }
        finally
        {
            _context.Redo.End();
            if (isTableNew && !isDone)
                PutBack(tableOffset, before);
        }
    }

    /// <summary>The entry that is still there may be the only acknowledged version, and vouches for the table that was here.</summary>
    private void PutBack(long tableOffset, ReadOnlySpan<byte> before)
    {
        _context.Redo.Begin(_fileId, tableOffset, before);
        _isHalfDone = true;
        _context.Backing.Write(tableOffset, before);
        _isHalfDone = false;
        _context.Redo.End();
    }

    private void CheckWhole()
    {
        if (_isHalfDone)
            throw new ErrnoException(Errno.EIO, "a write into the index failed half way");
    }

    private int ReadStored(long offset, Span<byte> buffer)
    {
        int count = _context.Backing.Read(offset, buffer);
        return _killedWrite is null ? count : _killedWrite.Cover(offset, buffer, count);
    }

    /// <summary>
    /// Whoever comes after a kill finishes before it reads: what was seen to be old must not become new later.
    /// </summary>
    /// <param name="word">The coherence word; brought up to date.</param>
    private static KilledWrite? FinishKilledWriteIfAny(FileContext context, ref ulong word)
    {
        // Whoever is counted and does not hold the lock is dead.
        if ((word & 0xFFFF) == 0 || !context.Lock.TryEnter())
            return null;
        try
        {
            return FinishKilledWrite(context);
        }
        finally
        {
            context.Lock.Exit();
            word = context.Coherence.Word;
        }
    }

    private void FinishKilledWriteUnderLock()
    {
        if (!_isStill)
            _context.Lock.Enter();
        try
        {
            FinishKilledWrite();
        }
        finally
        {
            if (!_isStill)
                _context.Lock.Exit();
        }
    }

    private void FinishKilledWrite() => _killedWrite = FinishKilledWrite(_context);

    /// <summary>Under the lock. Does what is left of a killed writer's last write, or says what it is if we cannot write.</summary>
    private static KilledWrite? FinishKilledWrite(FileContext context)
    {
        Span<byte> kept = stackalloc byte[RedoRange.Room];
        if (context.Redo.TryFind(kept, out RedoRange range))
        {
            bool isOurs = IsOfThisFile(context, range, kept);
            if (isOurs && !context.Backing.TryAllowWriting())
                return new KilledWrite(range, kept[..(range.Length + range.TableLength)].ToArray());
            if (isOurs && range.TableLength > 0)
                context.Backing.Write(range.TableOffset, kept.Slice(range.Length, range.TableLength));
            if (isOurs)
                context.Backing.Write(range.Offset, kept[..range.Length]);
            context.Redo.Drop();
        }
        context.Coherence.ForgetKilled();
        return null;
    }

    /// <summary>A file that was made anew under the same inode number has nothing to do with it; one killed at its birth has no id yet.</summary>
    private static bool IsOfThisFile(FileContext context, RedoRange range, ReadOnlySpan<byte> data)
    {
        const int FileIdEnd = 32;
        Span<byte> head = stackalloc byte[HeaderSize];
        int count = context.Backing.Read(0, head);
        return count >= FileIdEnd ? range.FileId == IdOf(FileHeader.FileIdOf(head)) : range.Offset == 0 && data.StartsWith(head[..count]);
    }

    public static UInt128 IdOf(ReadOnlySpan<byte> fileId) => BinaryPrimitives.ReadUInt128LittleEndian(fileId);
}
