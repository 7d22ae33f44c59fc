using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace Overlay.Interop;

/// <summary>
/// May a buffer of the program be touched? A bad one is EFAULT, as in the kernel, and not our crash.
/// </summary>
/// <remarks>
/// The kernel is asked, a page at a time, by calls that do nothing else: <c>rt_sigprocmask</c> with an unknown request reads eight bytes and
/// refuses; <c>FUTEX_WAKE_OP</c> adds 0 to a word, in one step. Each costs as much as an empty system call, so for large buffers that are to be read
/// all pages are asked for together, and pages that were good are remembered until the program unmaps or protects something, as far as the filter sees it: docs/errors.md.
/// A handler for SIGSEGV would cost nothing, but that signal is the program's (Java and Go live on it).
/// </remarks>
internal static unsafe partial class UserMemory
{
    private const long PageSize = 4096;
    private const ulong FirstPage = 4096, EndOfUserHalf = 0x7FFFFFFFF000;
    private const int Remembered = 16384; // a power of two; each page has one place, so 64 MiB in a row are remembered
    private const long WritableMark = 1;

    /// <summary>Bytes from which on asking for all pages together costs less.</summary>
    private const ulong LeastTogether = 16384;
    private const int GenerationBits = 27;

    /// <summary>Number of the page, generation in which it was good, and <see cref="WritableMark"/> where it may be written.</summary>
    private static readonly long* s_good = (long*)NativeMemory.AllocZeroed(Remembered, sizeof(long));

    /// <summary>Grows when the program unmaps or protects memory; set at start. Null in tests, where nobody says so.</summary>
    internal static uint* Generation { get; set; }

    /// <summary>Nobody waits on it.</summary>
    private static readonly int* s_ownWord = (int*)NativeMemory.AllocZeroed(64);

    /// <summary>What the kernel asks first, even of an empty buffer.</summary>
    internal static bool IsInUserHalf(byte* start, ulong size) => size <= EndOfUserHalf && (ulong)start <= EndOfUserHalf - size;

    /// <summary>How many bytes from <paramref name="start"/> on can be read; at most <paramref name="size"/>.</summary>
    internal static long Readable(byte* start, long size) => GoodBytes((ulong)start, size, isWriting: false);

    /// <summary>How many bytes from <paramref name="start"/> on can be written; at most <paramref name="size"/>.</summary>
    internal static long Writable(byte* start, long size) => GoodBytes((ulong)start, size, isWriting: true);

    private static long GoodBytes(ulong start, long size, bool isWriting)
    {
        if (size <= 0)
            return 0;
        if (start < FirstPage || start >= EndOfUserHalf)
            return 0;
        ulong end = Math.Min(start + (ulong)size, EndOfUserHalf);
        // Before anything is asked: what is unmapped meanwhile is not remembered as good.
        long generation = Generation == null ? 0 : Volatile.Read(ref *Generation) & ((1L << GenerationBits) - 1);
        bool mayAskTogether = !isWriting && Kernel.IsFree;
        for (ulong page = start & ~(ulong)(PageSize - 1); page < end; page += (ulong)PageSize)
        {
            if (IsRemembered(page, generation, isWriting))
                continue;
            if (mayAskTogether && end - page >= LeastTogether)
            {
                mayAskTogether = false;
                if (CanReadAll(page, end))
                {
                    Remember(page, end, generation);
                    break;
                }
            }
            if (isWriting ? !CanWrite(page) : !CanRead(page))
                return Math.Max(0, (long)(page - start));
            Remember(page, generation, isWriting);
        }
        return (long)(end - start);
    }

    /// <summary>Of a page that can be read now; <see cref="WritableMark"/> may be added.</summary>
    private static long MarkOf(ulong page, long generation) => ((long)(page / (ulong)PageSize) << GenerationBits | generation) << 1;

    private static ref long PlaceOf(ulong page) => ref s_good[(int)(page / (ulong)PageSize) & (Remembered - 1)];

    private static bool IsRemembered(ulong page, long generation, bool isWriting)
    {
        long seen = Volatile.Read(ref PlaceOf(page)), good = MarkOf(page, generation);
        return seen == (good | WritableMark) || (!isWriting && seen == good);
    }

    private static void Remember(ulong page, long generation, bool isWriting) =>
        Volatile.Write(ref PlaceOf(page), MarkOf(page, generation) | (isWriting ? WritableMark : 0));

    private static void Remember(ulong page, ulong end, long generation)
    {
        for (; page < end; page += (ulong)PageSize)
            if (!IsRemembered(page, generation, isWriting: false))
                Remember(page, generation, isWriting: false);
    }

    /// <summary>Whole pages: MADV_POPULATE_READ (Linux 5.14) touches them as a copy would. False also where that cannot be told.</summary>
    private static bool CanReadAll(ulong page, ulong end)
    {
        const long Advise = 28, PopulateRead = 22;
        ulong size = (end - page + (ulong)PageSize - 1) & ~(ulong)(PageSize - 1);
        return SystemCall(Advise, (long)page, (long)size, PopulateRead, 0, 0, 0) == 0;
    }

    private static bool CanRead(ulong page)
    {
        const long SetSignalMask = 14, NoSuchRequest = 99;
        _ = SystemCall(SetSignalMask, NoSuchRequest, (long)page, 0, sizeof(long), 0, 0);
        return Marshal.GetLastPInvokeError() != Files.Errno.EFAULT;
    }

    private static bool CanWrite(ulong page)
    {
        // FUTEX_WAKE_OP: wake nobody; OP_ADD 0; wake nobody either where the old value is less than the least.
        const long Futex = 202, WakeOpPrivate = 5 | 128, AddNothing = 1 << 28 | 2 << 24 | 0x800;
        return SystemCall(Futex, (long)s_ownWord, WakeOpPrivate, 0, 0, (long)page, AddNothing) >= 0 ||
            Marshal.GetLastPInvokeError() != Files.Errno.EFAULT;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long SystemCall(long number, long a, long b, long c, long d, long e, long f);
}
