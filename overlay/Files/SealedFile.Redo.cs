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
        Span<byte> page = stackalloc byte[PageSize];
        if (context.Redo.TryFind(page, out RedoRange range))
        {
            bool isOurs = IsOfThisFile(context, range, page);
            if (isOurs && !context.Backing.TryAllowWriting())
                return new KilledWrite(range.Offset, page[..range.Length].ToArray());
            if (isOurs)
                context.Backing.Write(range.Offset, page[..range.Length]);
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
