using System;
using System.Runtime.InteropServices;
using System.Threading;
using Overlay.Interop;
using Overlay.Metadata.Protocol;

namespace Overlay.Engine;

/// <summary>
/// Shows the filter the file that was attached last, so that it can read a small one, and close many, by itself (shim/native/recent.h).
/// </summary>
/// <remarks>
/// The filter may be in the middle of it at any time, also in a handler that interrupted this thread's own call: so nobody waits for it, and what
/// cannot be changed now is only made unusable. <c>s_gate</c> keeps the engine's threads apart.
/// </remarks>
internal static unsafe class RecentFile
{
    /// <summary>A file that came along with its header is not larger, unless it shrinks well.</summary>
    private const int Capacity = 16384;

    private static readonly Lock s_gate = new();
    private static Shown* s_shown;
    private static int* s_forkCount;
    private static OpenFile? s_file;

    /// <summary><c>struct overlay_recent</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Shown
    {
        internal uint Version;
        internal int Descriptor;
        internal int MayClose;
        internal int ForkCount;
        internal ulong* Word;
        internal ulong* Live;
        internal ulong WordSeen;
        internal ulong LiveSeen;
        internal long Size;
        internal byte* Data;
        internal long Offset;
    }

    internal static void Start(Shown* shown, int* forkCount)
    {
        nint memory = Kernel.Map(0, Capacity, Kernel.PROT_READ | Kernel.PROT_WRITE, Kernel.MAP_PRIVATE | Kernel.MAP_ANONYMOUS, -1, 0);
        if (memory == -1)
            return; // the engine does it all
        _ = Kernel.Advise(memory, Capacity, Kernel.MADV_DONTDUMP);
        shown->Data = (byte*)memory;
        s_forkCount = forkCount;
        s_shown = shown;
    }

    /// <summary>Instead of what was shown before.</summary>
    internal static void Show(OpenFile file, int fd, int flags)
    {
        if (s_shown == null)
            return;
        lock (s_gate)
        {
            Withdraw();
            if (!TryBegin())
                return;
            s_file = file;
            s_shown->Offset = 0;
            s_shown->ForkCount = Volatile.Read(ref *s_forkCount);
            bool isForReading = AccessMode.MayRead(flags) && (flags & Kernel.O_DIRECT) == 0 && !file.IsShared;
            s_shown->Size = isForReading ? Hold(file) : -1;
            Volatile.Write(ref s_shown->MayClose, file.MayBeClosedUnseen() ? 1 : 0);
            Volatile.Write(ref s_shown->Descriptor, fd);
            End();
        }
    }

    /// <summary>
    /// It is going to change, or something of ours hangs on it from now on. Takes no lock: whoever allows the close at this moment looks once more,
    /// and the filter does not use it before both have left the engine.
    /// </summary>
    internal static void KeepOpen(OpenFile file)
    {
        if (s_file == file)
            Interlocked.Exchange(ref s_shown->MayClose, 0);
    }

    /// <summary>It may have been changed, and be in order all the same.</summary>
    internal static void AfterChange(OpenFile file)
    {
        if (s_file != file || file.File.NeedsSettling)
            return; // the latter is nearly always so
        lock (s_gate)
        {
            if (s_file != file)
                return;
            Interlocked.Exchange(ref s_shown->MayClose, file.MayBeClosedUnseen() ? 1 : 0);
            if (!file.MayBeClosedUnseen())
                KeepOpen(file);
        }
    }

    internal static void Withdraw(int fd)
    {
        if (s_file is null)
            return;
        lock (s_gate)
            if (s_file is not null && (s_shown->Descriptor == fd || s_shown->Descriptor < 0))
                Withdraw();
    }

    private static void Withdraw()
    {
        s_file = null;
        Interlocked.Exchange(ref s_shown->Descriptor, -1);
        if (!TryBegin())
            return; // the filter is just wiping it
        if (s_shown->Size > 0)
            new Span<byte>(s_shown->Data, (int)s_shown->Size).Clear();
        s_shown->Size = -1;
        End();
    }

    /// <summary>The size of what is held of it from now on, which is all; -1: nothing.</summary>
    private static long Hold(OpenFile file)
    {
        s_shown->LiveSeen = file.LiveWord;
        s_shown->Live = file.Volume.Coherence.Live.WordAt(file.Inode);
        s_shown->Word = file.Volume.Coherence.WordAt(file.Inode);
        return LiveTable.IsIdle(s_shown->LiveSeen) ? file.File.ReadAtOnce(new Span<byte>(s_shown->Data, Capacity), out s_shown->WordSeen) : -1;
    }

    private static bool TryBegin()
    {
        uint version = Volatile.Read(ref s_shown->Version);
        return version % 2 == 0 && Interlocked.CompareExchange(ref s_shown->Version, version + 1, version) == version;
    }

    private static void End() => Interlocked.Increment(ref s_shown->Version);
}
