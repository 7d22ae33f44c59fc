using System;
using System.Runtime.CompilerServices;

namespace Overlay.Crypto;

/// <summary>
/// What is stored counts in pages: a block that takes 8.5 KiB takes as many as one of 12. So compressing ends as soon as nothing that can still be expected
/// makes a page less (decisions "How far is a block compressed?").
/// </summary>
/// <param name="length">Of the block.</param>
/// <param name="freeLength">What takes no page of its own: a small file's block 0 lies behind the header. 0: there is no such room.</param>
internal readonly struct PackedPages(int length, int freeLength)
{
    private const int PageSizeLog2 = 12;

    /// <summary>From where on, and how often, is looked: a block's rate changes slowly.</summary>
    internal const int First = 2048, Step = 1024;

    /// <summary>What is left shrinks less than so many times as well as what is done, for which less had been seen: in text, programs and databases 19 times of 20.</summary>
    private const int MostGrowth = 2;

    /// <summary>Bytes by which a beginning counts as better than it is: what has found nothing yet says little.</summary>
    private const int Benefit = 128;

    /// <param name="done">Bytes of the block that were compressed, at least 1.</param>
    /// <param name="written">To so many.</param>
    [MethodImpl(MethodImplOptions.NoInlining)] // its registers are the encoder's
    internal Effort After(int done, int written)
    {
        int left = length - done, saved = done - written + Benefit;
        long hoped = saved + (long)left * saved / done * MostGrowth;
        int pages = PagesOf(written + Lz4Encoder.LiteralsSize(left));
        if (pages > PagesOf((int)Math.Clamp(length - hoped, 1, length)))
            return Effort.GoOn;
        return pages < PagesOf(length) ? Effort.Enough : Effort.InVain;
    }

    private int PagesOf(int stored) => stored <= freeLength ? 0 : (stored + (1 << PageSizeLog2) - 1) >> PageSizeLog2;
}
