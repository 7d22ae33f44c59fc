using System.Runtime.InteropServices;
using Overlay.Interop;

namespace Overlay.Engine;

/// <summary>What the filter knows of a descriptor when it hands it over (<c>struct overlay_opened</c> of engine.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct OpenedFile
{
    private OpenedFile(in Kernel.StatusBuffer status, int flags)
    {
        Device = status.Device;
        Inode = status.Inode;
        Size = status.Size;
        Mode = status.Mode;
        Flags = flags;
    }

    internal readonly ulong Device;
    internal readonly ulong Inode;

    /// <summary>Of the backing file, in bytes.</summary>
    internal readonly long Size;
    internal readonly uint Mode;

    /// <summary>The description's; -1: not known.</summary>
    internal readonly int Flags;

    internal static OpenedFile Of(in Kernel.StatusBuffer status, int flags) => new(status, flags);

    internal static OpenedFile Ask(int fd) => new(KernelFile.Status(fd), flags: -1);

    internal static int AskFlags(int fd)
    {
        int flags = Kernel.Control(fd, Kernel.F_GETFL, 0);
        return flags >= 0 ? flags : throw KernelFile.Failure("the descriptor's flags cannot be read");
    }
}
