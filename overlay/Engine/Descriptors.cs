using System;
using System.Collections.Generic;
using System.Threading;
using Overlay.Crypto;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>The engine's own descriptors: out of the way of low numbers, close-on-exec, out of the program's reach (design D6).</summary>
internal static unsafe class Descriptors
{
    private const int OpenFiles = 7;
    private const int HighestFloor = 768; // engine_call.c grows the table to it before the runtime has threads

    private static int s_floor;

    /// <summary>Tells the filter; set at start. Null in tests, where there is no filter.</summary>
    internal static delegate* unmanaged<int, int, void> Reserve { get; set; }

    /// <summary>Not 0: this process has, or had, POSIX locks; set at start. Null in tests.</summary>
    internal static int* HasLocks { get; set; }

    /// <summary>
    /// Opens a file of which the program has descriptors already, at a high number. Where it may have POSIX locks on it they would be
    /// gone with the close of a low one: so low numbers are filled for a moment, and the kernel's next is a high one.
    /// </summary>
    internal static int OpenBeside(Func<int> open)
    {
        if (HasLocks == null || Volatile.Read(ref *HasLocks) == 0)
            return MoveAway(open());
        List<int> filling = FillLowNumbers();
        try
        {
            int fd = open();
            if (fd >= 0)
                Mark(fd, true);
            return fd;
        }
        finally
        {
            foreach (int fd in filling)
                _ = Kernel.Close(fd);
        }
    }

    private static List<int> FillLowNumbers()
    {
        List<int> filling = [];
        int floor = Floor();
        int fd = KernelFile.Open(Kernel.CurrentDirectory, "/", Kernel.O_PATH);
        while (fd >= 0)
        {
            filling.Add(fd);
            if (fd >= floor)
                break;
            fd = Kernel.Control(filling[0], Kernel.F_DUPFD_CLOEXEC, 0);
        }
        return filling;
    }

    /// <summary>Moves a descriptor that nobody else knows to a high number, or leaves it where none is free.</summary>
    /// <param name="isPrivate">The filter closes it in forked children: what hangs on it is this process's alone.</param>
    internal static int MoveAway(int fd, bool isPrivate = false)
    {
        if (fd < 0)
            return fd;
        int high = Kernel.Control(fd, Kernel.F_DUPFD_CLOEXEC, LikelyFloor());
        if (high < 0)
            high = Kernel.Control(fd, Kernel.F_DUPFD_CLOEXEC, Floor()); // the limit was lowered, or there is no room at all
        if (high >= 0)
        {
            _ = Kernel.Close(fd);
            fd = high;
        }
        Mark(fd, true, isPrivate);
        return fd;
    }

    /// <summary>A high number that is free, held by a copy of the root directory's descriptor for the caller to replace; -1: none.</summary>
    internal static int FreeHighNumber()
    {
        int fd = KernelFile.Open(Kernel.CurrentDirectory, "/", Kernel.O_PATH);
        if (fd < 0)
            return -1;
        int high = Kernel.Control(fd, Kernel.F_DUPFD_CLOEXEC, Floor());
        _ = Kernel.Close(fd);
        return high;
    }

    internal static void CloseOwn(int fd)
    {
        Mark(fd, false);
        _ = Kernel.Close(fd);
    }

    /// <summary>As it was; only one that is the highest anyway is not asked for again.</summary>
    private static int LikelyFloor() => Volatile.Read(ref s_floor) == HighestFloor ? HighestFloor : Floor();

    private static int Floor()
    {
        Kernel.Limit limit;
        // Not higher than needed: the kernel grows the table up to the number, and with several threads waits for all of them.
        int floor = Kernel.GetLimit(OpenFiles, &limit) == 0 ? (int)System.Math.Min(limit.Soft / 4 * 3, HighestFloor) : HighestFloor;
        Volatile.Write(ref s_floor, floor);
        return floor;
    }

    internal static void Mark(int fd, bool isReserved, bool isPrivate = false)
    {
        if (Reserve != null)
            Reserve(fd, isReserved ? isPrivate ? 2 : 1 : 0);
    }
}
