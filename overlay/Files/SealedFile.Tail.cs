using System;

namespace Overlay.Files;

/// <summary>
/// The block that a writer in pieces has got to: what there is of it, so that it need not be opened again when its last piece comes and all of it is compressed. The kernel
/// would read ahead for that, into holes.
/// </summary>
/// <remarks>
/// The cache keeps it under one number for all blocks, so each lies where the one before it lay: memory that was never used costs four page faults a block. Like
/// what else is cached it holds as long as the stamp does.
/// </remarks>
public sealed partial class SealedFile
{
    /// <summary>No block has it, nor have its slices a block's number.</summary>
    private const long TailNumber = 1L << 50;

    private long _tailBlock = -1;
    private int _tailLength;

    /// <summary>A piece was written as units; behind the ones that are kept it is kept, too.</summary>
    private void KeepTail(long block, int inBlock, ReadOnlySpan<byte> piece, int newLength)
    {
        bool isNext = inBlock == 0 || (block == _tailBlock && inBlock == _tailLength);
        if (!_isInPieces || !isNext || inBlock + piece.Length != newLength)
            return;
        if (inBlock == 0)
            _context.Cache.PutBlock(_stamp, TailNumber, _geometry.BlockSize, piece);
        else
            _context.Cache.Patch(_stamp, TailNumber, _geometry.BlockSize, inBlock, piece);
        (_tailBlock, _tailLength) = (block, newLength);
    }

    /// <summary>Before a write: one that does not go on where the block ends makes what is kept of it worthless.</summary>
    private void ForgetTailUnlessAt(long block, int inBlock, int oldLength)
    {
        if (block == _tailBlock && inBlock != oldLength)
            _tailBlock = -1;
    }

    private bool TryReadTail(long block, Span<byte> plain) =>
        block == _tailBlock && plain.Length == _tailLength && TryReadCached(TailNumber, 0, plain);

    private void WipeTail()
    {
        if (_tailBlock >= 0)
            _context.Cache.Wipe(_stamp, TailNumber, TailNumber, _geometry.BlockSize);
        _tailBlock = -1;
    }
}
