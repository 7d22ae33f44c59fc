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
/// </remarks>
internal static unsafe class FileSizeLimit
{
    private const int FileSize = 1;
    private const ulong Infinity = ulong.MaxValue;

    private static readonly Lock s_gate = new();

    /// <summary>Odd while the limit is lifted: what the kernel says then is not the program's.</summary>
    private static int s_version;

    /// <summary>As it was last seen; read anew with each operation of the program that may write.</summary>
    private static ulong s_soft = Infinity;

    /// <summary>The program's soft limit in bytes; 2^64 - 1: none.</summary>
    internal static ulong Read()
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
