using System;
using System.Threading.Tasks;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;

namespace Overlay.Metadata.Agent;

/// <summary>One page file (<see cref="PageFileLayout"/>) and the sealed file it belongs to.</summary>
internal sealed unsafe class PageEntry : IDisposable
{
    private const uint OwnerOnly = 0x180;    // 0600: nobody opens it anew with more rights than he was given

    private int _pages, _backing;

    /// <param name="backing">-1 afterwards if it was kept.</param>
    private PageEntry(ulong device, ulong inode, byte[] fileId, ref int pages, ref int backing, bool canSeal)
    {
        Device = device;
        Inode = inode;
        FileId = fileId;
        (_pages, pages) = (pages, -1);
        _backing = TakeBacking(ref backing, canSeal);
        CanSeal = canSeal;
    }

    /// <summary>
    /// What came along is the program's own description: kept here, it would hold the program's flock and record locks after the program's last close.
    /// So the file is opened anew, where this user may.
    /// </summary>
    /// <param name="backing">-1 afterwards if it was kept.</param>
    private static int TakeBacking(ref int backing, bool canSeal)
    {
        int own = FileCalls.Open(
            DescriptorCheck.PathOf(backing), (canSeal ? FileCalls.ReadWrite : FileCalls.ReadOnly) | FileCalls.CloseOnExec | FileCalls.NonBlocking, 0);
        if (own < 0)
            (own, backing) = (backing, -1);
        return own;
    }

    internal static PageEntry Make(ulong device, ulong inode, byte[] fileId, ref int backing, bool canSeal)
    {
        const uint Flags = FileCalls.MemoryCloseOnExec;
        int pages = FileCalls.MakeMemoryFile("overlay", Flags | FileCalls.MemoryNeverExecutable);
        if (pages < 0 && Errno.Last == Errno.Invalid)
            pages = FileCalls.MakeMemoryFile("overlay", Flags); // a kernel before 6.3
        if (pages < 0)
            throw Errno.Failure("making a page file");
        if (FileCalls.ChangeMode(pages, OwnerOnly) < 0 || FileCalls.SetLength(pages, PageFileLayout.DataOffset) < 0)
        {
            PacketSocket.CloseIfOpen(ref pages);
            throw Errno.Failure("making a page file");
        }
        return new PageEntry(device, inode, fileId, ref pages, ref backing, canSeal);
    }

    /// <summary>From who had it when its keeper ended; he may write the file, so he may say what is in it.</summary>
    internal static PageEntry Inherit(ulong device, ulong inode, byte[] fileId, ref int pages, ref int backing) =>
        new(device, inode, fileId, ref pages, ref backing, canSeal: true);

    internal ulong Device { get; }

    internal ulong Inode { get; }

    internal byte[] FileId { get; }

    internal int Pages => _pages;

    internal int Backing => _backing;

    /// <summary>The backing file is open for writing.</summary>
    internal bool CanSeal { get; private set; }

    /// <summary>When it was last handed out, by <see cref="Environment.TickCount64"/>.</summary>
    internal long LastUse { get; set; }

    /// <summary>How often it was handed out.</summary>
    internal int Uses { get; set; }

    /// <summary>Seals it before it goes; null: not yet begun.</summary>
    internal Task<string?>? Sealing { get; set; }

    /// <summary><see cref="Uses"/> when that began.</summary>
    internal int UsesAtSealing { get; set; }

    internal bool IsFilled => State(PageFileLayout.FilledOffset);

    internal bool MayBeDirty => State(PageFileLayout.DirtyOffset);

    /// <summary>Has anybody mapped it, or is about to? The lock lives as long as the description or a mapping of it does.</summary>
    internal bool IsMapped
    {
        get
        {
            FileLock probe = new() { Type = FileLock.Exclusive };
            return FileCalls.Control(_pages, FileCalls.GetOwnLock, (nint)(&probe)) != 0 || probe.Type != FileLock.None;
        }
    }

    /// <summary>A better descriptor of the backing file takes the place of one that cannot write.</summary>
    internal void Improve(ref int backing, bool canSeal)
    {
        if (CanSeal || !canSeal)
            return;
        int before = _backing;
        _backing = TakeBacking(ref backing, canSeal);
        PacketSocket.CloseIfOpen(ref before);
        CanSeal = true;
    }

    /// <summary>A description of its own, holding a lock if it is to be mapped. -1: see <see cref="Errno.Last"/>.</summary>
    internal int Reopen(bool canWrite, bool isLocked)
    {
        int descriptor = FileCalls.Open($"/proc/self/fd/{_pages}", (canWrite ? FileCalls.ReadWrite : FileCalls.ReadOnly) | FileCalls.CloseOnExec, 0);
        if (descriptor < 0 || !isLocked)
            return descriptor;
        FileLock held = new() { Type = FileLock.Shared };
        if (FileCalls.Control(descriptor, FileCalls.SetOwnLock, (nint)(&held)) == 0)
            return descriptor;
        PacketSocket.CloseIfOpen(ref descriptor);
        return -1;
    }

    /// <summary>Closes it here; others go on with it.</summary>
    internal void LetGo()
    {
        PacketSocket.CloseIfOpen(ref _pages);
        PacketSocket.CloseIfOpen(ref _backing);
    }

    /// <summary>Frees the memory, also where an idle process has not yet let go of its descriptor.</summary>
    public void Dispose()
    {
        if (_pages >= 0)
            _ = FileCalls.SetLength(_pages, 0);
        LetGo();
    }

    private bool State(int offset)
    {
        int value = 0;
        return FileCalls.ReadAt(_pages, (byte*)&value, sizeof(int), offset) == sizeof(int) && value != 0;
    }
}
