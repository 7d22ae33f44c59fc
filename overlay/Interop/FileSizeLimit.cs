using System;
using System.Threading;
using Overlay.Crypto;
using Overlay.Files;

namespace Overlay.Interop;

/// <summary>
/// RLIMIT_FSIZE speaks of logical sizes (design §5); the kernel judges by where a block's place lies. So it is lifted for the one call
/// on a backing file that goes beyond it.
/// </summary>
/// <remarks>
/// Where it cannot be lifted (a hard limit, no CAP_SYS_RESOURCE), such a call fails before it has begun: cut in the middle of an index
/// page it would take the old block along. A program that sets its limit in another thread at that moment may see it undone.
/// <para>
/// The program's own changes are counted by the filter; another process's (prlimit with a pid) is seen <see cref="Patience"/> later. Until then
/// the kernel may refuse what was allowed when it began, since a place never lies before the bytes that it holds: that is then
/// done all the same (<see cref="WasLowered"/>).
/// </para>
/// </remarks>
internal static unsafe class FileSizeLimit
{
    private const int FileSize = 1, TooLargeSignal = 25;
    private const ulong Infinity = ulong.MaxValue;

    /// <summary>Milliseconds.</summary>
    private const int Patience = 20;

    private static readonly Lock s_gate = new();

    /// <summary>Odd while the limit is lifted: what the kernel says then is not the program's.</summary>
    private static int s_version;

    /// <summary>As it was last seen, when, and what <see cref="Changes"/> said then.</summary>
    private static ulong s_soft = Infinity;
    private static long s_seen = long.MinValue / 2;
    private static int s_changesSeen;

    /// <summary>Moves when the program changes its limit; set at start. Null in tests, where nobody counts.</summary>
    internal static int* Changes { get; set; }

    /// <summary>The program's soft limit in bytes; 2^64 - 1: none. For each operation of the program that may write.</summary>
    internal static ulong Read()
    {
        int changes = Changes == null ? 0 : Volatile.Read(ref *Changes);
        long now = Environment.TickCount64;
        if (Changes != null && changes == Volatile.Read(ref s_changesSeen) && now - Volatile.Read(ref s_seen) < Patience)
            return Volatile.Read(ref s_soft);
        ulong soft = Ask();
        Volatile.Write(ref s_changesSeen, changes);
        Volatile.Write(ref s_seen, now);
        return soft;
    }

    private static ulong Ask()
    {
        for (; ; )
        {
            int version = Volatile.Read(ref s_version);
            Kernel.Limit limit;
            ulong soft = Kernel.GetLimit(FileSize, &limit) == 0 ? limit.Soft : Infinity;
            if (version % 2 == 0 && version == Volatile.Read(ref s_version))
            {
                Volatile.Write(ref s_soft, soft);
                return soft;
            }
            lock (s_gate)
            {
            }
        }
    }

    /// <summary>Does a call that reaches up to <paramref name="end"/> need <see cref="Lift"/>?</summary>
    internal static bool IsExceeded(long end) => (ulong)end > Volatile.Read(ref s_soft);

    /// <summary>
    /// The kernel has refused a call that reaches up to <paramref name="end"/>: is the reason a limit that has just been set from outside? Then the
    /// call is to be made again under <see cref="Lift"/>, and the signal that came with the refusal is taken back.
    /// </summary>
    internal static bool WasLowered(long end)
    {
        _ = Ask();
        if (!IsExceeded(end))
            return false;
        _ = Kernel.TakeSignal(TooLargeSignal);
        return true;
    }

    internal static Lifted Lift(long end)
    {
        s_gate.Enter();
        try
        {
            Kernel.Limit limit;
            KernelFile.Check(Kernel.GetLimit(FileSize, &limit), "the limit of file sizes cannot be read");
            Kernel.Limit none = new() { Soft = Infinity, Hard = Infinity };
            Kernel.Limit greatest = new() { Soft = limit.Hard, Hard = limit.Hard };
            Volatile.Write(ref s_version, s_version + 1);
            bool isLifted = Kernel.SetLimit(FileSize, limit.Hard == Infinity ? &greatest : &none) == 0 ||
                (limit.Hard >= (ulong)end && Kernel.SetLimit(FileSize, &greatest) == 0);
            if (isLifted)
                return new Lifted(limit);
            Volatile.Write(ref s_version, s_version + 1);
            throw new ErrnoException(Errno.EFBIG, "the hard limit of file sizes (ulimit -f) leaves no room for the file's places");
        }
        catch
        {
            s_gate.Exit();
            throw;
        }
    }

    internal readonly ref struct Lifted(Kernel.Limit before)
    {
        public void Dispose()
        {
            Kernel.Limit limit = before;
            _ = Kernel.SetLimit(FileSize, &limit);
            Volatile.Write(ref s_version, s_version + 1);
            s_gate.Exit();
        }
    }
}
