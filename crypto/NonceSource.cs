using System;
using System.Threading;

namespace Overlay.Crypto;

/// <summary>
/// Random nonces (invariant 5), drawn in batches: one <c>getrandom</c> for 255 of them.
/// </summary>
/// <remarks>
/// The batch lies in a page that the kernel empties in a forked child (MADV_WIPEONFORK), its first word says that it is filled;
/// so parent and child never share a nonce. A spin lock guards the page. No fork happens while it is held: engine calls
/// hold the fork gate, and it lies in the wiped page itself, so that a child finds it free in any case.
/// </remarks>
public static unsafe class NonceSource
{
    private const int PageSize = 4096;
    private const int NonceSize = 16;
    private const int FirstSlot = 1;
    private const int SlotCount = PageSize / NonceSize;

    private static readonly Page* s_page = MapPage();

    private struct Page
    {
        public int Lock;

        /// <summary>The next unused slot; 0 in a fresh or wiped page, which then has to be filled.</summary>
        public int Next;
    }

    public static void Next(Span<byte> nonce16)
    {
        while (Interlocked.CompareExchange(ref s_page->Lock, 1, 0) != 0)
            Thread.SpinWait(8);
        try
        {
            byte* start = (byte*)s_page;
            if (s_page->Next is 0 or SlotCount)
            {
                Fill(new Span<byte>(start + NonceSize, PageSize - NonceSize));
                s_page->Next = FirstSlot;
            }
            Span<byte> slot = new(start + s_page->Next * NonceSize, NonceSize);
            s_page->Next++;
            slot.CopyTo(nonce16);
            slot.Clear();
        }
        finally
        {
            Volatile.Write(ref s_page->Lock, 0);
        }
    }

    public static void Fill(Span<byte> target) => KernelRandom.Fill(target);

    private static Page* MapPage()
    {
        const int ReadWrite = 3, PrivateAnonymous = 0x22, WipeOnFork = 18, DontDump = 16;
        nint page = KernelRandom.Map(0, PageSize, ReadWrite, PrivateAnonymous, -1, 0);
        if (page == -1)
            throw new ErrnoException(12, "no memory for nonces");
        // Without wiping on fork (Linux before 4.14) nonces could repeat: refuse rather than go on.
        if (KernelRandom.Advise(page, PageSize, WipeOnFork) != 0)
            throw new ErrnoException(38, "the kernel cannot wipe memory on fork (MADV_WIPEONFORK)");
        _ = KernelRandom.Advise(page, PageSize, DontDump);
        return (Page*)page;
    }
}
