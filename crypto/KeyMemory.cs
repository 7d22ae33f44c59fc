using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;

namespace Overlay.Crypto;

/// <summary>
/// Where keys in use lie: places of 576 bytes in pages that are kept out of swap (as far as RLIMIT_MEMLOCK allows) and out of
/// core dumps, between two pages that cannot be touched. A place is wiped when it is given back.
/// </summary>
internal static unsafe partial class KeyMemory
{
    /// <summary>For a key ready for use, at most; behind it is room for the key as it came.</summary>
    public const int ExpandedSize = 512;

    public const int PlaceSize = ExpandedSize + 64;

    private const int PageSize = 4096;
    private const int RegionSize = 8 * PageSize;

    private static readonly Lock s_gate = new();
    private static readonly Stack<nint> s_free = new();

    /// <exception cref="ErrnoException">ENOMEM.</exception>
    public static byte* Rent()
    {
        lock (s_gate)
        {
            if (s_free.Count == 0)
                AddRegion();
            return (byte*)s_free.Pop();
        }
    }

    public static void Return(byte* place)
    {
        Secret.Wipe(new Span<byte>(place, PlaceSize));
        lock (s_gate)
            s_free.Push((nint)place);
    }

    private static void AddRegion()
    {
        const int None = 0, ReadWrite = 3, PrivateAnonymous = 0x22, DontDump = 16, OutOfMemory = 12;
        nint guarded = Map(0, RegionSize + 2 * PageSize, None, PrivateAnonymous, -1, 0);
        if (guarded == -1)
            throw new ErrnoException(OutOfMemory, "no memory for keys");
        nint region = guarded + PageSize;
        if (Protect(region, RegionSize, ReadWrite) != 0)
            throw new ErrnoException(OutOfMemory, "no memory for keys");
        // Neither is a condition: a program may run with a limit of 0 for locked memory.
        _ = Advise(region, RegionSize, DontDump);
        _ = LockInMemory(region, RegionSize);
        s_free.EnsureCapacity(s_free.Count + RegionSize / PlaceSize);
        for (nint place = region + RegionSize - PlaceSize; place >= region; place -= PlaceSize)
            s_free.Push(place);
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint size, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint size, int protection);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint size, int advice);

    [LibraryImport("libc", EntryPoint = "mlock")]
    private static partial int LockInMemory(nint address, nuint size);
}
